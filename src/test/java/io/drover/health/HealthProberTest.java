package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.BackendState;
import io.drover.backend.Slot;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.testing.Await;
import io.drover.testing.FreePort;
import io.drover.tls.BackendContexts;
import io.netty.channel.ChannelException;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class HealthProberTest {
    private static final String OK =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"version\":\"0.9\"}\n";
    private static final String CHUNKED =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"versio\r\n9\r\nn\":\"0.9\"}\r\n0\r\n\r\n";
    private static final Duration SOON = Duration.ofSeconds(10);

    private static final CompletionStage<Void> DONE = CompletableFuture.completedStage(null);

    private static MultiThreadIoEventLoopGroup group;
    private static EventLoop loop;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private @Nullable HealthProber prober;
    private final List<Backend> gone = new CopyOnWriteArrayList<>();
    private CompletionStage<Void> firstRound = DONE;

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
    void aBackendThatTellsItsVersionIsUp() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.state(0)).isEqualTo(BackendState.UP);
        assertThat(herd.told).containsExactly("UP probe succeeded");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                OK,
                "HTTP/1.1 200 OK\r\n\r\n{\"version\":\"0.9\"}",
                CHUNKED,
            })
    void theVersionIsReadInAnyFramingAndAnyPieces(String answer) {
        StubBackend whole = with(StubBackend.answering(answer));
        StubBackend pieces = with(StubBackend.on(0, connection -> {
            for (byte one : answer.getBytes(StandardCharsets.US_ASCII)) {
                connection.getOutputStream().write(one);
            }
        }));
        Herd herd = probe(slowly(), whole.url(), pieces.url());

        awaitFirstRound();

        assertThat(herd.get(0).version()).isEqualTo("0.9");
        assertThat(herd.get(1).version()).isEqualTo("0.9");
        assertThat(herd.told).containsExactly("UP probe succeeded", "UP probe succeeded");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 204 No Content\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{\"version\":\"0.9\"}",
                "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"version\":\"0.9",
                "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"Version\":\"0.9\"}\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{\"version\":\"0.9\"}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "HTTP/1.1 200 OK\r\n\r\nOllama is running",
            })
    void anAnswerWithoutAVersionIsASuccess(String answer) {
        StubBackend stub = with(StubBackend.answering(answer));
        Herd herd = Herd.of(slowly(), stub.url());
        herd.get(0).onVersion("0.8");
        start(herd);

        awaitFirstRound();

        assertThat(herd.told).containsExactly("UP probe succeeded");
        assertThat(herd.get(0).version()).isNull();
    }

    @Test
    void aVersionIsNotReadWithoutEnd() {
        StubBackend stub = with(StubBackend.on(
                0, StubBackend.drip("HTTP/1.1 200 OK\r\n\r\n{\"version\":\"", "9", Duration.ofNanos(1))));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("UP probe succeeded");
        assertThat(herd.get(0).version()).isNull();
        Await.until("its connection is closed", SOON, () -> stub.leftByPeer() == 1);
    }

    @Test
    void aBackendWhoseVersionDoesNotComeIsUpAtOnce() {
        StubBackend stub = with(StubBackend.on(0, connection -> {
            StubBackend.text("HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n").answer(connection);
            connection.getInputStream().read();
        }));
        Herd herd = probe(keys("5m", "300ms"), stub.url());

        Await.until("up", SOON, () -> herd.state(0) == BackendState.UP);

        assertThat(firstRound.toCompletableFuture()).isNotDone();
        awaitFirstRound();
        assertThat(herd.told).containsExactly("UP probe succeeded");
    }

    @Test
    void aProbeThatFailsLeavesTheVersion() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(keys("20ms", "5s"), stub.url());
        awaitFirstRound();

        stub.become(StubBackend.text("HTTP/1.1 500 X\r\n\r\n"));

        Await.until("down", SOON, () -> herd.state(0) == BackendState.DOWN);
        assertThat(herd.get(0).version()).isEqualTo("0.9");
        stub.become(StubBackend.text(OK.replace("0.9", "1.0")));
        Await.until("updated", SOON, () -> "1.0".equals(herd.get(0).version()));
    }

    @Test
    void theRequestNamesTheBackendsOwnHostAndAuthorization(@TempDir Path dir) throws IOException, ConfigException {
        StubBackend stub = with(StubBackend.answering(OK));
        Path file = Files.writeString(
                dir.resolve("drover.conf"),
                "drover.backends = [{ url = \"" + stub.url()
                        + "\", host = gpu.example, authorization = \"Bearer t\" }]");
        start(new Herd(ConfigLoader.load(ConfigSource.of(file)).config()));

        awaitFirstRound();

        assertThat(stub.requests())
                .containsExactly(String.join(
                        "\r\n",
                        "GET /api/version HTTP/1.1",
                        "Host: gpu.example",
                        "Authorization: Bearer t",
                        "Connection: close",
                        "",
                        ""));
    }

    @Test
    void nobodyListens() throws IOException {
        Herd herd = probe(slowly(), "http://127.0.0.1:" + FreePort.next());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN connection refused");
        assertThat(herd.get(0).downReason(System.nanoTime())).isEqualTo("connection refused");
    }

    @Test
    void aBackendWhoseConnectionsAreNotAccepted() throws IOException {
        ServerSocket full = with(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        fillBacklog(full);
        Herd herd = probe(keys("5m", "150ms"), "http://127.0.0.1:" + full.getLocalPort());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN connect timed out");
    }

    @Test
    void aBackendThatAcceptsAndSaysNothing() {
        StubBackend stub = with(StubBackend.silent());
        Herd herd = probe(keys("5m", "150ms"), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN probe timed out");
        Await.until("the probe's connection closed", SOON, () -> stub.leftByPeer() == 1);
    }

    @Test
    void aHeadThatDripsForEverTimesOut() {
        StubBackend stub =
                with(StubBackend.on(0, StubBackend.drip("HTTP/1.1 200 OK\r\nX: ", "y", Duration.ofMillis(5))));
        Herd herd = probe(keys("5m", "200ms"), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN probe timed out");
    }

    @Test
    void interimAnswersForEverTimeOut() {
        StubBackend stub = with(
                StubBackend.on(0, StubBackend.drip("", "HTTP/1.1 100 Continue\r\n\r\n", Duration.ofNanos(100_000))));
        Herd herd = probe(keys("5m", "200ms"), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN probe timed out");
    }

    @ParameterizedTest
    @ValueSource(ints = {101, 301, 401, 403, 404, 500, 503})
    void anyStatusButSuccessIsAFailure(int status) {
        StubBackend stub = with(StubBackend.answering("HTTP/1.1 " + status + " X\r\nContent-Length: 0\r\n\r\n"));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN answered " + status);
    }

    @Test
    void interimAnswersAreSkipped() {
        StubBackend stub = with(StubBackend.answering("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.state(0)).isEqualTo(BackendState.UP);
    }

    @Test
    void aHeadInManyPiecesIsAnAnswer() {
        StubBackend stub = with(StubBackend.on(0, StubBackend.drip("", OK, Duration.ofNanos(1))));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.state(0)).isEqualTo(BackendState.UP);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\nX: y\n\n", "\0\0\0"})
    void whatIsNoHttpIsMalformed(String garbage) {
        StubBackend stub = with(StubBackend.answering(garbage));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN malformed answer");
    }

    @Test
    void aHeadOverTheLimitIsMalformed() {
        StubBackend stub = with(StubBackend.answering("HTTP/1.1 200 OK\r\nX: " + "y".repeat(100_000) + "\r\n\r\n"));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN malformed answer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\nServ"})
    void aConnectionClosedBeforeTheHeadEnds(String beginning) {
        StubBackend stub = with(StubBackend.answering(beginning));
        Herd herd = probe(slowly(), stub.url());

        awaitFirstRound();

        assertThat(herd.told).containsExactly("DOWN connection closed");
    }

    @Test
    void aBackendThatComesIsFound() throws IOException {
        int port = FreePort.next();
        Herd herd = probe(keys("20ms", "5s"), "http://127.0.0.1:" + port);
        Await.until("down", SOON, () -> herd.state(0) == BackendState.DOWN);

        StubBackend stub = with(StubBackend.on(port, StubBackend.text(OK)));

        Await.until("up", SOON, () -> herd.state(0) == BackendState.UP);
        assertThat(herd.told).containsExactly("DOWN connection refused", "UP probe succeeded");
        assertThat(stub.requests().size()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void aBackendThatFailsGoesDownAndComesBack() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(keys("20ms", "5s"), stub.url());
        Await.until("up", SOON, () -> herd.state(0) == BackendState.UP);

        stub.become(StubBackend.text("HTTP/1.1 500 X\r\n\r\n"));
        Await.until("down", SOON, () -> herd.state(0) == BackendState.DOWN);
        stub.become(StubBackend.text(OK));
        Await.until("up again", SOON, () -> herd.state(0) == BackendState.UP);

        assertThat(herd.told)
                .containsExactly(
                        "UP probe succeeded", "SUSPECT answered 500", "DOWN answered 500", "UP probe succeeded");
    }

    @Test
    void oneBackendIsNeverProbedTwiceAtATime() {
        StubBackend stub = with(StubBackend.silent());
        probe(keys("10ms", "60ms"), stub.url());

        Await.until("five probes", SOON, () -> stub.requests().size() >= 5);

        // The stub may not have seen the end of the one before.
        assertThat(stub.mostOpenAtOnce()).isLessThanOrEqualTo(2);
    }

    @Test
    void aSilentBackendDelaysNoOther() {
        StubBackend silent = with(StubBackend.silent());
        StubBackend healthy = with(StubBackend.answering(OK));
        Herd herd = probe(keys("10ms", "5m"), silent.url(), healthy.url());

        Await.until("ten probes", SOON, () -> healthy.requests().size() >= 10);

        assertThat(herd.state(1)).isEqualTo(BackendState.UP);
        assertThat(herd.state(0)).isEqualTo(BackendState.UNKNOWN);
    }

    @Test
    void aNameThatStaysUnknownIsDownAndFoundLater() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(keys("20ms", "100ms"), stub.url().replace("127.0.0.1", "gpu.invalid"));
        awaitFirstRound();
        assertThat(herd.told).containsExactly("DOWN name not resolved");

        herd.get(0).onResolved(new InetAddress[] {InetAddress.getLoopbackAddress()});

        Await.until("up", SOON, () -> herd.state(0) == BackendState.UP);
    }

    @Test
    void aFirstLookUpThatFailsEndsTheWaitForIt() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(keys("1h", "1h"), stub.url().replace("127.0.0.1", "gpu.invalid"));

        herd.get(0).onLookupFailed();

        awaitFirstRound();
        assertThat(herd.told).containsExactly("DOWN name not resolved");
    }

    @Test
    void theFirstProbeWaitsForTheFirstLookUp() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(slowly(), stub.url().replace("127.0.0.1", "gpu.invalid"));

        loop.schedule(
                () -> herd.get(0).onResolved(new InetAddress[] {InetAddress.getLoopbackAddress()}),
                50,
                TimeUnit.MILLISECONDS);
        awaitFirstRound();

        assertThat(herd.told).containsExactly("UP probe succeeded");
    }

    @Test
    void theFirstRoundEndsWithTheLastBackend() throws IOException {
        StubBackend silent = with(StubBackend.silent());
        StubBackend healthy = with(StubBackend.answering(OK));
        Herd herd = probe(keys("20ms", "1500ms"), silent.url(), healthy.url(), "http://127.0.0.1:" + FreePort.next());
        Await.until("healthy probed thrice", SOON, () -> healthy.requests().size() >= 3);
        assertThat(firstRound.toCompletableFuture()).isNotDone();

        awaitFirstRound();

        assertThat(List.of(herd.state(0), herd.state(1), herd.state(2)))
                .containsExactly(BackendState.DOWN, BackendState.UP, BackendState.DOWN);
    }

    @Test
    void aProbeForWhichNoSocketIsLeftTellsNothing() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = Herd.of(slowly(), stub.url());
        herd.resolveNumeric();
        prober = with(new HealthProber(
                herd.config,
                loop,
                NoSocketLeft.class,
                new BackendContexts(TlsProvider.AUTO),
                backend -> DONE,
                gone::add));

        firstRound = prober.add(herd.cluster.backends());
        awaitFirstRound();

        assertThat(herd.told).isEmpty();
        assertThat(herd.state(0)).isEqualTo(BackendState.UNKNOWN);
    }

    @Test
    void anIntervalOfZeroProbesNothing() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(keys("0", "1s"), stub.url());

        awaitFirstRound();
        passSomeIntervals();
        assertThat(stub.requests()).isEmpty();
        assertThat(herd.state(0)).isEqualTo(BackendState.UNKNOWN);
    }

    @Test
    void closingCutsProbesOffAndReportsNothing() {
        StubBackend silent = with(StubBackend.silent());
        Herd herd = probe(keys("20ms", "5m"), silent.url());
        Await.until("a probe under way", SOON, () -> silent.requests().size() == 1);

        prober().close();

        Await.until("its connection closed", SOON, () -> silent.leftByPeer() == 1);
        passSomeIntervals();
        assertThat(herd.told).isEmpty();
        assertThat(silent.requests()).hasSize(1);
    }

    @Test
    void oneThatIsEjectedIsProbedAtOnce() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(keys("1h", "10s"), stub.url());
        awaitFirstRound();

        herd.get(0).onConnectFailure("connection refused", System.nanoTime());

        Await.until("probed again", SOON, () -> stub.requests().size() == 2);
    }

    @Test
    void oneThatHasLeftIsProbedWhileSomethingRunsThere() {
        StubBackend stub = with(StubBackend.answering(OK));
        Herd herd = probe(keys("20ms", "10s"), stub.url());
        awaitFirstRound();
        Slot running = herd.get(0).acquire();
        herd.get(0).retire(System.nanoTime());
        int probes = stub.requests().size();
        Await.until("probed on", SOON, () -> stub.requests().size() > probes + 3);
        assertThat(gone).isEmpty();

        running.release();

        Await.until("gone", SOON, () -> gone.equals(List.of(herd.get(0))));
    }

    private static Map<String, String> slowly() {
        return keys("5m", "10s");
    }

    private static Map<String, String> keys(String interval, String timeout) {
        Map<String, String> keys = new HashMap<>();
        keys.put("health.active.interval", interval);
        keys.put("health.active.timeout", timeout);
        return keys;
    }

    private Herd probe(Map<String, String> keys, String... urls) {
        return start(Herd.of(keys, urls));
    }

    private Herd start(Herd herd) {
        // Numeric addresses are known from here on.
        herd.resolveNumeric();
        prober = with(new HealthProber(
                herd.config,
                loop,
                NioSocketChannel.class,
                new BackendContexts(TlsProvider.AUTO),
                backend -> DONE,
                gone::add));
        firstRound = prober.add(herd.cluster.backends());
        return herd;
    }

    private HealthProber prober() {
        return Objects.requireNonNull(prober);
    }

    private void awaitFirstRound() {
        firstRound.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    /** Until the loop has had the time for several probes. */
    private static void passSomeIntervals() {
        loop.schedule(() -> {}, 100, TimeUnit.MILLISECONDS).syncUninterruptibly();
    }

    private <T extends AutoCloseable> T with(T one) {
        opened.add(0, one);
        return one;
    }

    /** Connects until the kernel answers no more. */
    private void fillBacklog(ServerSocket server) throws IOException {
        while (true) {
            Socket socket = with(new Socket());
            try {
                socket.connect(server.getLocalSocketAddress(), 200);
            } catch (SocketTimeoutException full) {
                return;
            }
        }
    }

    /** What Netty's channels do when the process has no descriptor left. */
    public static final class NoSocketLeft extends NioSocketChannel {
        public NoSocketLeft() {
            throw new ChannelException("Failed to open a socket.");
        }
    }
}
