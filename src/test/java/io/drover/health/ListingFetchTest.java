package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.BackendState;
import io.drover.backend.Models;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.demo.Fault;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Await;
import io.drover.testing.RawBackend;
import io.drover.tls.BackendContexts;
import io.netty.channel.ChannelException;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class ListingFetchTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    private final ListingRig rig = new ListingRig();

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    @Test
    void whatABackendListsAndHasInMemory() throws Exception {
        SimulatedOllama ollama = rig.ollama("a", "b");
        ListingRig.generate(ollama, "a");
        Backend backend = rig.herd(ollama.url()).get(0);

        rig.refresh(backend);

        assertThat(backend.models().listed()).containsExactlyInAnyOrder(ListingRig.A, ListingRig.B);
        assertThat(backend.models().loaded()).containsExactly(ListingRig.A);
        assertThat(backend.models().digest(ListingRig.A))
                .isEqualTo(SimulatedModel.named("a").digest());
    }

    @Test
    void allQuestionsShareAConnectionThatStaysOpenUntilTheBackendHasGone() {
        SimulatedOllama ollama = rig.ollama("a");
        Backend backend = rig.herd(ollama.url()).get(0);

        rig.refresh(backend);
        rig.refresh(backend);

        assertThat(ollama.requests()).isEqualTo(4);
        assertThat(ollama.connectionsAccepted()).isEqualTo(1);
        rig.listings().forget(backend);
        ollama.await("the connection closed", () -> ollama.openConnections() == 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void oneThatEndedWhileItWasUnusedIsReplaced(boolean reset) throws IOException {
        CountDownLatch unused = new CountDownLatch(1);
        RawBackend raw = rig.raw(connection -> {
            for (int i = 0; connection.hasMore(); i++) {
                connection.answer(ListingRig.body(connection.readRequest()));
                if (i == 1 && connection.number() == 1) {
                    connection.await(unused);
                    if (reset) {
                        connection.reset();
                    } else {
                        connection.close();
                    }
                    return;
                }
            }
        });
        Backend backend = rig.herd(raw.url()).get(0);
        rig.refresh(backend);
        unused.countDown();

        rig.refresh(backend);

        assertThat(raw.connectionsAccepted()).isEqualTo(2);
        assertThat(raw.requests()).hasSize(4);
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {"SPLIT_WRITES", "INFORMATIONAL", "CLOSE_DELIMITED", "HTTP_10", "SURPLUS_BYTES", "TRAILERS"})
    void anyFramingIsRead(Fault.Kind fault) throws Exception {
        SimulatedOllama ollama = rig.ollama("a", "b");
        ListingRig.generate(ollama, "b");
        ollama.fault(Fault.of(fault).on(Fault.EVERYTHING));
        Backend backend = rig.herd(ollama.url()).get(0);

        rig.refresh(backend);

        assertThat(backend.models().listed()).containsExactlyInAnyOrder(ListingRig.A, ListingRig.B);
        assertThat(backend.models().loaded()).containsExactly(ListingRig.B);
    }

    @Test
    void chunksOfOneByte() throws IOException {
        Backend backend = rig.backend(connection -> {
            while (connection.hasMore()) {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                for (char c : ListingRig.body(connection.readRequest()).toCharArray()) {
                    connection.sendChunk(String.valueOf(c));
                }
                connection.send("0\r\n\r\n");
            }
        });

        rig.refresh(backend);

        assertThat(backend.models().loaded()).containsExactly(ListingRig.A);
    }

    @Test
    void aBackendThatClosesBehindEachAnswerWithoutSayingSo() throws IOException {
        RawBackend raw = rig.raw(connection -> connection.answer(ListingRig.body(connection.readRequest())));
        Backend backend = rig.herd(raw.url()).get(0);

        rig.refresh(backend);

        assertThat(backend.models().loaded()).containsExactly(ListingRig.A);
        assertThat(raw.connectionsAccepted()).isEqualTo(2);
    }

    @Test
    void aBackendThatResetsTheConnectionItKept() throws IOException {
        RawBackend raw = rig.raw(connection -> {
            connection.answer(ListingRig.body(connection.readRequest()));
            if (connection.number() == 1) {
                connection.readRequest();
                connection.reset();
            }
        });
        Backend backend = rig.herd(raw.url()).get(0);

        rig.refresh(backend);

        assertThat(backend.models().loaded()).containsExactly(ListingRig.A);
        assertThat(raw.connectionsAccepted()).isEqualTo(2);
    }

    @Test
    void aBackendThatNeverAnswersTheSecondQuestionIsAskedOnceMoreOnly() throws IOException {
        RawBackend raw = rig.raw(connection -> {
            if (connection.readRequest().startLine().contains("/api/tags")) {
                connection.answer(ListingRig.TAGS);
                connection.readRequest();
            }
        });
        Backend backend = rig.herd(raw.url()).get(0);

        rig.refresh(backend);

        assertThat(backend.models().listed()).containsExactly(ListingRig.A);
        assertThat(backend.models().loaded()).isEmpty();
        assertThat(raw.requests())
                .extracting(RawBackend.Request::startLine)
                .containsExactly("GET /api/tags HTTP/1.1", "GET /api/ps HTTP/1.1", "GET /api/ps HTTP/1.1");
    }

    @Test
    void theRequestsNameTheBackendsOwnHostAndAuthorization(@TempDir Path dir) throws IOException, ConfigException {
        RawBackend raw = rig.raw(ListingRig.answering());
        Path file = Files.writeString(
                dir.resolve("drover.conf"),
                "drover.backends = [{ url = \"" + raw.url()
                        + "\", host = gpu.example, authorization = \"Bearer t\" }]");
        Herd herd = rig.start(new Herd(ConfigLoader.load(ConfigSource.of(file)).config()), Duration.ZERO);

        rig.refresh(herd.get(0));

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
        RawBackend raw = rig.raw(connection -> {
            while (connection.hasMore()) {
                String good = ListingRig.body(connection.readRequest());
                if (failing.get()) {
                    connection.send(bad);
                    return;
                }
                connection.answer(good);
            }
        });
        Herd herd = rig.herd(raw.url());
        rig.refresh(herd.get(0));
        Models last = herd.get(0).models();
        assertThat(last.loaded()).containsExactly(ListingRig.A);

        failing.set(true);
        rig.refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(last);
        assertThat(herd.state(0)).isEqualTo(BackendState.UNKNOWN);
        assertThat(herd.told).isEmpty();
    }

    @Test
    void memoryThatCannotBeListedLeavesTheDiskListed() throws IOException {
        Backend backend = rig.backend(connection -> {
            while (connection.hasMore()) {
                if (connection.readRequest().startLine().contains("/api/ps")) {
                    connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                } else {
                    connection.answer(ListingRig.TAGS);
                }
            }
        });

        rig.refresh(backend);

        assertThat(backend.models().lists(ListingRig.A)).isTrue();
        assertThat(backend.models().loaded()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"})
    void aListingWithoutEndIsCutOff(String head) throws IOException {
        byte[] spaces = " ".repeat(64 << 10).getBytes(StandardCharsets.US_ASCII);
        CountDownLatch cut = new CountDownLatch(1);
        Backend backend = rig.backend(connection -> {
            connection.readRequest();
            connection.send(head);
            if (connection.sendUntilClosed(spaces, 4096) < 4096) {
                cut.countDown();
            }
        });

        rig.refresh(backend);

        assertThat(backend.models()).isSameAs(Models.UNKNOWN);
        Await.until("the connection closed", SOON, () -> cut.getCount() == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{\"models\":["})
    void aBackendThatStallsIsLeftWhenTheTimeIsUp(String beginning) throws IOException {
        CountDownLatch left = new CountDownLatch(1);
        RawBackend raw = rig.raw(connection -> {
            connection.readRequest();
            connection.send(beginning);
            connection.awaitClientClose();
            left.countDown();
        });
        Herd herd = rig.start(Herd.of(ListingRig.keys("5m", "100ms"), raw.url().toString()), Duration.ZERO);

        rig.refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
        assertThat(herd.told).isEmpty();
        Await.until("the connection closed", SOON, () -> left.getCount() == 0);
    }

    @Test
    void oneDeadlineIsOverBothQuestions() throws IOException {
        RawBackend raw = rig.raw(connection -> {
            connection.readRequest();
            connection.answer(ListingRig.TAGS);
            connection.awaitClientClose();
        });
        Herd herd = rig.start(Herd.of(ListingRig.keys("5m", "150ms"), raw.url().toString()), Duration.ZERO);

        rig.refresh(herd.get(0));

        assertThat(herd.get(0).models().lists(ListingRig.A)).isTrue();
    }

    @Test
    void nobodyListens() {
        SimulatedOllama ollama = rig.ollama("a");
        ollama.refuse();
        Herd herd = rig.herd(ollama.url());

        rig.refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
        assertThat(herd.told).isEmpty();
    }

    @Test
    void noSocketIsLeft() {
        SimulatedOllama ollama = rig.ollama("a");
        Herd herd = Herd.of(ListingRig.keys("5m", "10s"), ollama.url().toString());
        herd.resolveNumeric();
        ModelListings listings = rig.with(new ModelListings(
                herd.config, rig.loop, NoSocketLeft.class, new BackendContexts(TlsProvider.AUTO), Duration.ZERO));

        ListingRig.join(listings.refreshNow(herd.get(0)));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    @Test
    void aNameThatIsNotResolved() {
        Herd herd = rig.herd(URI.create("http://gpu.invalid:11434"));

        rig.refresh(herd.get(0));

        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    /** What Netty's channels do when the process has no descriptor left. */
    public static final class NoSocketLeft extends NioSocketChannel {
        public NoSocketLeft() {
            throw new ChannelException("Failed to open a socket.");
        }
    }
}
