package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.TransportKind;
import io.drover.demo.SimulatedOllama;
import io.drover.server.Transport;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A client that Drover has stopped reading leaves, its end behind bytes that nobody reads: its backend must be freed
 * by that end, and not by a timeout. NIO is told nothing of a socket that it does not read, and has the timeouts only.
 */
class UnreadClientTest {
    private static final String BLOB = "POST /api/blobs/sha256:" + "0".repeat(64) + " HTTP/1.1\r\nHost: a\r\n";

    private static final long BLOB_BYTES = 1L << 30;

    /** Well below every timeout that could free the backend instead. */
    private static final Duration SOON = Duration.ofSeconds(5);

    /** So long a sender is stuck before nobody can be reading it any more. */
    private static final Duration STUCK = Duration.ofMillis(300);

    /** Takes more than a read or two, and leaves room for a FIN in the smallest window. */
    private static final int SOME = 70_000;

    enum Way {
        FIN,
        RESET,
        HALF_CLOSE
    }

    private static Stream<TransportKind> tellingOfLeaving() {
        return Transport.available().stream().filter(kind -> kind != TransportKind.NIO);
    }

    static Stream<Arguments> waysAndTransports() {
        return tellingOfLeaving().flatMap(kind -> Stream.of(Way.values()).map(way -> Arguments.of(kind, way)));
    }

    private static void leave(RawClient client, Way way) {
        switch (way) {
            case FIN -> client.hangUp();
            case RESET -> client.reset();
            case HALF_CLOSE -> client.finish();
        }
    }

    private static Drover.Setup over(TransportKind kind, RawBackend backend) {
        return Drover.over(backend.url())
                .set("timeouts.upstream-write", "60s")
                .set("timeouts.request-body", "60s")
                .on(new Engine(kind, 1));
    }

    /** Resets only: behind a full window a FIN stays with the client's kernel, and nobody here can know of it. */
    @ParameterizedTest
    @MethodSource("tellingOfLeaving")
    void anUploadThatItsBackendDoesNotTake(TransportKind kind) throws Exception {
        CountDownLatch freed = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    connection.await(freed);
                });
                Drover drover = over(kind, backend).start()) {
            RawClient client = drover.connect().send(BLOB + "Content-Length: " + BLOB_BYTES + "\r\n\r\n");
            assertThat(client.sendUntilStuck(new byte[65_536], STUCK, BLOB_BYTES))
                    .isLessThan(BLOB_BYTES);
            leave(client, Way.RESET);
            Drover.await("backend freed", SOON, () -> drover.openUpstreams() == 0);
            freed.countDown();
            LogLine line = drover.logged();
            assertThat(line.outcome()).isEqualTo("send/client");
            assertThat(line.status()).isEqualTo(499);
        }
    }

    @ParameterizedTest
    @MethodSource("waysAndTransports")
    void anUploadWhoseBackendIsBeingConnectedTo(TransportKind kind, Way way) throws Exception {
        try (Blackhole hole = Blackhole.open();
                Drover drover = Drover.over(hole.url())
                        .set("timeouts.connect", "30s")
                        .set("timeouts.request-body", "60s")
                        .set("buffers.stream-high", "16KiB")
                        .set("buffers.stream-low", "8KiB")
                        .on(new Engine(kind, 1))
                        .start();
                RawClient client = drover.connect()) {
            client.send(BLOB + "Content-Length: " + BLOB_BYTES + "\r\n\r\n" + "x".repeat(17_000));
            Drover.await("connecting", () -> drover.backend("a").inFlight() == 1);
            client.send(new byte[SOME]);
            leave(client, way);
            Drover.await("slot free", SOON, () -> drover.backend("a").inFlight() == 0);
            assertThat(drover.logged().outcome()).isEqualTo("connect/client");
        }
    }

    @ParameterizedTest
    @MethodSource("waysAndTransports")
    void requestsBehindAnAnswerThatHangs(TransportKind kind, Way way) throws Exception {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.over(ollama.url())
                        .set("timeouts.idle", "60s")
                        .on(new Engine(kind, 1))
                        .start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Route.BODY, "X-Sim-Fault: stall:1");
            client.readHead();
            client.send("GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n".repeat(SOME / 35));
            leave(client, way);
            ollama.await("cancelled", () -> ollama.cancelled() == 1, SOON);
            assertThat(drover.logged().outcome()).isEqualTo("relay/client");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void onNioTheBackendIsFreedByItsTimeout(Way way) throws Exception {
        CountDownLatch freed = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    connection.await(freed);
                });
                Drover drover = over(TransportKind.NIO, backend)
                        .set("timeouts.upstream-write", "500ms")
                        .start();
                RawClient client = drover.connect()) {
            client.send(BLOB + "Content-Length: " + BLOB_BYTES + "\r\n\r\n");
            client.sendUntilStuck(new byte[65_536], STUCK, BLOB_BYTES);
            leave(client, way);
            Drover.await("backend freed", SOON, () -> drover.openUpstreams() == 0);
            freed.countDown();
        }
    }

    /** Not to be read is no reason to be taken for gone. */
    @ParameterizedTest
    @MethodSource("tellingOfLeaving")
    void aClientThatStaysIsServedOnceItsBackendTakesTheUpload(TransportKind kind) throws Exception {
        int size = 16 << 20;
        CountDownLatch stuck = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    connection.await(stuck);
                    connection.readExactly(size);
                    connection.answer("ok");
                });
                Drover drover = over(kind, backend).start();
                RawClient client = drover.connect()) {
            client.send(BLOB + "Content-Length: " + size + "\r\n\r\n");
            assertThat(client.sendUntilStuck(new byte[65_536], STUCK, size)).isLessThan(size);
            stuck.countDown();
            assertThat(client.readResponse().body()).isEqualTo("ok");
        }
    }
}
