package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.BackendState;
import io.drover.backend.Models;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.demo.Fault;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.demo.SimulatedOllama.Settings;
import io.drover.testing.Await;
import io.drover.testing.RawBackend;
import io.netty.channel.ChannelException;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class ModelListingsTest {
    private static final String A = key("a");
    private static final String B = key("b");
    private static final String TAGS = "{\"models\":[{\"name\":\"a:latest\",\"digest\":\"1\"}]}";
    private static final String PS = "{\"models\":[{\"name\":\"a:latest\",\"digest\":\"1\",\"size_vram\":7}]}";
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final Duration NEVER = Duration.ofHours(1);

    private static MultiThreadIoEventLoopGroup group;
    private static EventLoop loop;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private @Nullable ModelListings listings;

    @BeforeAll
    static void startLoop() {
        group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        loop = (EventLoop) group.next();
    }

    @AfterAll
    static void stopLoop() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    @Test
    void whatABackendListsAndHasInMemory() throws Exception {
        SimulatedOllama ollama = ollama("a", "b");
        generate(ollama, "a");
        Backend backend = herd(ollama.url()).get(0);

        refresh(backend);

        assertThat(backend.models().listed()).containsExactlyInAnyOrder(A, B);
        assertThat(backend.models().loaded()).containsExactly(A);
        assertThat(backend.models().digest(A))
                .isEqualTo(SimulatedModel.named("a").digest());
    }

    @Test
    void bothQuestionsShareAConnectionThatStaysOpen() {
        SimulatedOllama ollama = ollama("a");
        Backend backend = herd(ollama.url()).get(0);

        refresh(backend);

        assertThat(ollama.requests()).isEqualTo(2);
        assertThat(ollama.connectionsAccepted()).isEqualTo(1);
        ollama.await("the connection closed", () -> ollama.openConnections() == 0);
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {"SPLIT_WRITES", "INFORMATIONAL", "CLOSE_DELIMITED", "HTTP_10", "SURPLUS_BYTES", "TRAILERS"})
    void anyFramingIsRead(Fault.Kind fault) throws Exception {
        SimulatedOllama ollama = ollama("a", "b");
        generate(ollama, "b");
        ollama.fault(Fault.of(fault).on(Fault.EVERYTHING));
        Backend backend = herd(ollama.url()).get(0);

        refresh(backend);

        assertThat(backend.models().listed()).containsExactlyInAnyOrder(A, B);
        assertThat(backend.models().loaded()).containsExactly(B);
    }

    @Test
    void chunksOfOneByte() throws IOException {
        Backend backend = backend(connection -> {
            while (connection.hasMore()) {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                for (char c : body(connection.readRequest()).toCharArray()) {
                    connection.sendChunk(String.valueOf(c));
                }
                connection.send("0\r\n\r\n");
            }
        });

        refresh(backend);

        assertThat(backend.models().loaded()).containsExactly(A);
    }

    @Test
    void aBackendThatClosesBehindEachAnswerWithoutSayingSo() throws IOException {
        RawBackend raw = raw(connection -> connection.answer(body(connection.readRequest())));
        Backend backend = herd(raw.url()).get(0);

        refresh(backend);

        assertThat(backend.models().loaded()).containsExactly(A);
        assertThat(raw.connectionsAccepted()).isEqualTo(2);
    }

    @Test
    void aBackendThatResetsTheConnectionItKept() throws IOException {
        RawBackend raw = raw(connection -> {
            connection.answer(body(connection.readRequest()));
            if (connection.number() == 1) {
                connection.readRequest();
                connection.reset();
            }
        });
        Backend backend = herd(raw.url()).get(0);

        refresh(backend);

        assertThat(backend.models().loaded()).containsExactly(A);
        assertThat(raw.connectionsAccepted()).isEqualTo(2);
    }

    @Test
    void aBackendThatNeverAnswersTheSecondQuestionIsAskedOnceMoreOnly() throws IOException {
        RawBackend raw = raw(connection -> {
            if (connection.readRequest().startLine().contains("/api/tags")) {
                connection.answer(TAGS);
                connection.readRequest();
            }
        });
        Backend backend = herd(raw.url()).get(0);

        refresh(backend);

        assertThat(backend.models().listed()).containsExactly(A);
        assertThat(backend.models().loaded()).isEmpty();
        assertThat(raw.requests())
                .extracting(RawBackend.Request::startLine)
                .containsExactly("GET /api/tags HTTP/1.1", "GET /api/ps HTTP/1.1", "GET /api/ps HTTP/1.1");
    }

    @Test
    void theRequestsNameTheBackendsOwnHostAndAuthorization(@TempDir Path dir) throws IOException, ConfigException {
        RawBackend raw = raw(answering());
        Path file = Files.writeString(
                dir.resolve("drover.conf"),
                "drover.backends = [{ url = \"" + raw.url()
                        + "\", host = gpu.example, authorization = \"Bearer t\" }]");
        Herd herd = start(new Herd(ConfigLoader.load(ConfigSource.of(file)).config()), Duration.ZERO);

        refresh(herd.get(0));

        assertThat(raw.requests()).hasSize(2).allSatisfy(request -> assertThat(request.fields())
                .containsExactly("Host: gpu.example", "Authorization: Bearer t"));
    }

    static List<String> badAnswers() {
        return List.of(
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 500 X\r\nContent-Length: 13\r\n\r\n{\"models\":[]}",
                "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"models\":[]}",
                "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"models\":[]",
                "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"models\":{}}",
                "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}",
                "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n{\"models\":[",
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html></html>",
                "HTTP/1.1 200 OK\r\n\r\n{\"models\":[",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{\"models\":[]}\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n",
                "HTTP/1.1 101 X\r\n\r\n",
                "SSH-2.0-OpenSSH_9.2\r\n",
                "HTTP/1.1 200",
                "");
    }

    @ParameterizedTest
    @MethodSource("badAnswers")
    void aListingThatFailsLeavesTheLastOneAndTheHealth(String bad) throws IOException {
        AtomicBoolean failing = new AtomicBoolean();
        RawBackend raw = raw(connection -> {
            while (connection.hasMore()) {
                String good = body(connection.readRequest());
                if (failing.get()) {
                    connection.send(bad);
                    return;
                }
                connection.answer(good);
            }
        });
        Herd herd = herd(raw.url());
        refresh(herd.get(0));
        Models last = herd.get(0).models();
        assertThat(last.loaded()).containsExactly(A);

        failing.set(true);
        refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(last);
        assertThat(herd.state(0)).isEqualTo(BackendState.UNKNOWN);
        assertThat(herd.told).isEmpty();
    }

    @Test
    void memoryThatCannotBeListedLeavesTheDiskListed() throws IOException {
        Backend backend = backend(connection -> {
            while (connection.hasMore()) {
                if (connection.readRequest().startLine().contains("/api/ps")) {
                    connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                } else {
                    connection.answer(TAGS);
                }
            }
        });

        refresh(backend);

        assertThat(backend.models().lists(A)).isTrue();
        assertThat(backend.models().loaded()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"})
    void aListingWithoutEndIsCutOff(String head) throws IOException {
        byte[] spaces = " ".repeat(64 << 10).getBytes(StandardCharsets.US_ASCII);
        CountDownLatch cut = new CountDownLatch(1);
        Backend backend = backend(connection -> {
            connection.readRequest();
            connection.send(head);
            if (connection.sendUntilClosed(spaces, 4096) < 4096) {
                cut.countDown();
            }
        });

        refresh(backend);

        assertThat(backend.models()).isSameAs(Models.UNKNOWN);
        Await.until("the connection closed", SOON, () -> cut.getCount() == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{\"models\":["})
    void aBackendThatStallsIsLeftWhenTheTimeIsUp(String beginning) throws IOException {
        CountDownLatch left = new CountDownLatch(1);
        RawBackend raw = raw(connection -> {
            connection.readRequest();
            connection.send(beginning);
            connection.awaitClientClose();
            left.countDown();
        });
        Herd herd = start(Herd.of(keys("5m", "100ms"), raw.url().toString()), Duration.ZERO);

        refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
        assertThat(herd.told).isEmpty();
        Await.until("the connection closed", SOON, () -> left.getCount() == 0);
    }

    @Test
    void oneDeadlineIsOverBothQuestions() throws IOException {
        RawBackend raw = raw(connection -> {
            connection.readRequest();
            connection.answer(TAGS);
            connection.awaitClientClose();
        });
        Herd herd = start(Herd.of(keys("5m", "150ms"), raw.url().toString()), Duration.ZERO);

        refresh(herd.get(0));

        assertThat(herd.get(0).models().lists(A)).isTrue();
    }

    @Test
    void nobodyListens() {
        SimulatedOllama ollama = ollama("a");
        ollama.refuse();
        Herd herd = herd(ollama.url());

        refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
        assertThat(herd.told).isEmpty();
    }

    @Test
    void noSocketIsLeft() {
        SimulatedOllama ollama = ollama("a");
        Herd herd = Herd.of(keys("5m", "10s"), ollama.url().toString());
        with(new NameResolver(herd.cluster));
        listings = with(new ModelListings(herd.config, loop, NoSocketLeft.class, Duration.ZERO));

        refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    @Test
    void aNameThatIsNotResolved() {
        Herd herd = herd(URI.create("http://gpu.invalid:11434"));

        refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    @Test
    void callsWhileALookIsUnderWayShareTheNextOne() throws IOException {
        CountDownLatch gate = new CountDownLatch(1);
        RawBackend raw = raw(connection -> {
            while (connection.hasMore()) {
                String body = body(connection.readRequest());
                connection.await(gate);
                connection.answer(body);
            }
        });
        Backend backend = herd(raw.url()).get(0);
        List<CompletionStage<Void>> calls = new ArrayList<>();
        calls.add(listings().refreshNow(backend));
        Await.until("a look under way", SOON, () -> raw.requests().size() == 1);

        for (int i = 0; i < 100; i++) {
            calls.add(listings().refreshNow(backend));
            calls.add(listings().refreshNow());
        }
        gate.countDown();

        calls.forEach(ModelListingsTest::join);
        assertThat(raw.requests()).hasSize(4);
    }

    @Test
    void clientsCannotAskFasterThanTheGapButAProbeCan() {
        SimulatedOllama ollama = ollama("a");
        Backend backend = start(Herd.of(keys("5m", "10s"), ollama.url().toString()), NEVER)
                .get(0);
        refresh(backend);

        CompletionStage<Void> second = listings().refreshNow(backend);
        CompletionStage<Void> third = listings().refreshNow();
        loop.submit(() -> {}).syncUninterruptibly();
        assertThat(second.toCompletableFuture()).isNotDone();
        assertThat(third.toCompletableFuture()).isNotDone();
        assertThat(ollama.requests()).isEqualTo(2);
        loop.execute(() -> listings().afterProbe(backend));

        join(second);
        join(third);
        assertThat(ollama.requests()).isEqualTo(4);
    }

    @Test
    void aCallBehindTheGapIsAnsweredByItself() {
        SimulatedOllama ollama = ollama("a");
        Backend backend = start(Herd.of(keys("5m", "10s"), ollama.url().toString()), Duration.ofMillis(100))
                .get(0);
        refresh(backend);
        ollama.addModel(SimulatedModel.named("b"));

        refresh(backend);

        assertThat(backend.models().lists(B)).isTrue();
    }

    @Test
    void allThatAreInRotationAreAsked() {
        SimulatedOllama first = ollama("a");
        SimulatedOllama second = ollama("a");
        SimulatedOllama third = ollama("a");
        Herd herd = herd(first.url(), second.url(), third.url());
        refresh(herd.get(0));
        refresh(herd.get(1));
        herd.get(1).onProbe(false, "gone");
        first.addModel(SimulatedModel.named("b"));
        second.addModel(SimulatedModel.named("b"));

        join(listings().refreshNow());

        assertThat(herd.get(0).models().lists(B)).isTrue();
        assertThat(herd.get(1).models().lists(B)).isFalse();
        assertThat(herd.get(1).models().lists(A)).isTrue();
        assertThat(third.requests()).isZero();
    }

    @Test
    void aBackendThatWasForgottenIsNotAsked() {
        SimulatedOllama ollama = ollama("a");
        Backend backend = herd(ollama.url()).get(0);
        refresh(backend);

        listings().forget(backend);
        join(listings().refreshNow());

        assertThat(ollama.requests()).isEqualTo(2);
    }

    @Test
    void closingLetsEverybodyGo() throws IOException {
        CountDownLatch left = new CountDownLatch(1);
        RawBackend raw = raw(connection -> {
            connection.readRequest();
            connection.awaitClientClose();
            left.countDown();
        });
        Backend backend =
                start(Herd.of(keys("5m", "5m"), raw.url().toString()), NEVER).get(0);
        CompletionStage<Void> underWay = listings().refreshNow(backend);
        CompletionStage<Void> wanted = listings().refreshNow(backend);
        Await.until("a look under way", SOON, () -> raw.requests().size() == 1);

        listings().close();

        join(underWay);
        join(wanted);
        join(listings().refreshNow());
        join(listings().refreshNow(backend));
        Await.until("the connection closed", SOON, () -> left.getCount() == 0);
        assertThat(raw.connectionsAccepted()).isEqualTo(1);
    }

    @Test
    void aLoopThatHasEndedLetsEverybodyGo() {
        SimulatedOllama ollama = ollama("a");
        Herd herd = Herd.of(keys("5m", "10s"), ollama.url().toString());
        MultiThreadIoEventLoopGroup brief = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ModelListings ended = new ModelListings(herd.config, (EventLoop) brief.next(), NioSocketChannel.class);
        brief.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();

        join(ended.refreshNow());
        join(ended.refreshNow());
        join(ended.refreshNow(herd.get(0)));
        ended.close();

        assertThat(ollama.requests()).isZero();
    }

    @Test
    void anIntervalOfZeroAsksNothing() {
        SimulatedOllama ollama = ollama("a");
        Herd herd = start(Herd.of(keys("0", "10s"), ollama.url().toString()), Duration.ZERO);
        probe(herd);

        refresh(herd.get(0));
        join(listings().refreshNow());

        assertThat(ollama.requests()).isZero();
        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    @Test
    void theFirstRoundOfProbesEndsWithTheModelsKnown() {
        SimulatedOllama ollama = ollama("a");
        Herd herd = herd(ollama.url());

        join(probe(herd).firstRound());

        assertThat(herd.state(0)).isEqualTo(BackendState.UP);
        assertThat(herd.get(0).models().listed()).containsExactly(A);
    }

    @Test
    void theFirstRoundOfProbesEndsThoughModelsAreNotListed() throws IOException {
        RawBackend raw = RawBackend.answering(
                "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"version\":\"0.9\"}");
        with(raw);
        Herd herd = herd(raw.url());

        join(probe(herd).firstRound());

        assertThat(herd.state(0)).isEqualTo(BackendState.UP);
        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    @Test
    void probesKeepTheListingFresh() throws Exception {
        SimulatedOllama ollama = ollama("a");
        Herd herd = start(Herd.of(keys("20ms", "5s"), ollama.url().toString()), NEVER);
        join(probe(herd).firstRound());
        Backend backend = herd.get(0);

        ollama.addModel(SimulatedModel.named("b"));
        Await.until("b listed", SOON, () -> backend.models().lists(B));
        generate(ollama, "b");
        Await.until("b loaded", SOON, () -> backend.models().isLoaded(B));
        ollama.removeModel("a");
        Await.until("a gone", SOON, () -> !backend.models().lists(A));
    }

    @Test
    void aProbeLooksAtTheMemoryAndARequestAtTheDiskToo() throws IOException {
        RawBackend raw = raw(answering());
        Backend backend = herd(raw.url()).get(0);

        afterProbe(backend);
        afterProbe(backend);
        refresh(backend);

        assertThat(raw.requests())
                .extracting(request -> request.startLine().split(" ")[1])
                .containsExactly("/api/tags", "/api/ps", "/api/ps", "/api/tags", "/api/ps");
    }

    @Test
    void aDiskThatWasNotListedIsAskedForAgain() throws IOException {
        RawBackend raw = raw(connection -> {
            while (connection.hasMore()) {
                String body = body(connection.readRequest());
                connection.answer(connection.number() == 1 ? "{}" : body);
            }
        });
        Backend backend = herd(raw.url()).get(0);

        afterProbe(backend);
        afterProbe(backend);

        assertThat(backend.models().lists(A)).isTrue();
        assertThat(backend.models().isLoaded(A)).isTrue();
    }

    @Test
    void aBackendThatIsDownKeepsItsLastListingAndIsAskedAgainWhenItAnswers() {
        SimulatedOllama ollama = ollama("a");
        Herd herd = start(Herd.of(keys("20ms", "5s"), ollama.url().toString()), NEVER);
        join(probe(herd).firstRound());
        ollama.refuse();
        ollama.disconnect(true);
        Await.until("down", SOON, () -> herd.state(0) == BackendState.DOWN);
        Models last = herd.get(0).models();
        assertThat(last.lists(A)).isTrue();

        ollama.addModel(SimulatedModel.named("b"));
        ollama.resume();

        Await.until("b listed", SOON, () -> herd.get(0).models().lists(B));
    }

    private static RawBackend.Script answering() {
        return connection -> {
            while (connection.hasMore()) {
                connection.answer(body(connection.readRequest()));
            }
        };
    }

    private static String body(RawBackend.Request request) {
        return request.startLine().contains("/api/tags") ? TAGS : PS;
    }

    private static String key(String name) {
        return "registry.ollama.ai/library/" + name + ":latest";
    }

    private static Map<String, String> keys(String interval, String timeout) {
        return Map.of("health.active.interval", interval, "health.active.timeout", timeout);
    }

    private SimulatedOllama ollama(String... models) {
        return with(SimulatedOllama.start(Settings.defaults().withModels(models)));
    }

    private RawBackend raw(RawBackend.Script script) throws IOException {
        return with(RawBackend.start(script));
    }

    private Backend backend(RawBackend.Script script) throws IOException {
        return herd(raw(script).url()).get(0);
    }

    /** In front of these, with time enough and no gap. */
    private Herd herd(URI... urls) {
        String[] texts = List.of(urls).stream().map(URI::toString).toArray(String[]::new);
        return start(Herd.of(keys("5m", "10s"), texts), Duration.ZERO);
    }

    private Herd start(Herd herd, Duration gap) {
        // Numeric addresses are known from here on.
        with(new NameResolver(herd.cluster));
        listings = with(new ModelListings(herd.config, loop, NioSocketChannel.class, gap));
        return herd;
    }

    private HealthProber probe(Herd herd) {
        HealthProber prober =
                with(new HealthProber(herd.cluster, herd.config, loop, NioSocketChannel.class, listings()));
        prober.start();
        return prober;
    }

    private ModelListings listings() {
        return Objects.requireNonNull(listings);
    }

    private void refresh(Backend backend) {
        join(listings().refreshNow(backend));
    }

    private void afterProbe(Backend backend) {
        join(loop.submit(() -> listings().afterProbe(backend))
                .syncUninterruptibly()
                .getNow());
    }

    private static void join(CompletionStage<Void> stage) {
        stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    private static void generate(SimulatedOllama ollama, String model) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(ollama.url().resolve("/api/generate"))
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"" + model + "\",\"prompt\":\"x\",\"stream\":false}"))
                .build();
        HttpResponse<String> response = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .build()
                .send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
    }

    private <T extends AutoCloseable> T with(T one) {
        opened.add(0, one);
        return one;
    }

    /** What Netty's channels do when the process has no descriptor left. */
    public static final class NoSocketLeft extends NioSocketChannel {
        public NoSocketLeft() {
            throw new ChannelException("Failed to open a socket.");
        }
    }
}
