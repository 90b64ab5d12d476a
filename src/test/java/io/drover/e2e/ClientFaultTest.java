package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The matrix's other side: the client leaves, in any phase and in either way, and its backend must stop at once. */
@ParameterizedClass(name = "{0}")
@MethodSource("io.drover.testing.Engine#all")
class ClientFaultTest {
    private static final long AT_ONCE_MILLIS = 100;

    /** A machine may be busy; what is slow by design is slow every time. */
    private static final int ROUNDS = 5;

    private static final String STREAM = "{\"model\":\"llama3.2\",\"prompt\":\"hi\"}";

    private final Engine engine;

    ClientFaultTest(Engine engine) {
        this.engine = engine;
    }

    private static void leave(RawClient client, boolean reset) {
        if (reset) {
            client.reset();
        } else {
            client.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void inItsHeadNobodyIsTold(boolean reset) throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 204 No Content\r\n\r\n");
                Drover drover = Drover.over(backend.url()).on(engine).start()) {
            RawClient client = drover.connect().send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Le");
            Drover.await("connected", () -> drover.openClients() == 1);
            leave(client, reset);
            drover.drained(0);
            assertThat(backend.connectionsAccepted()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void inABodyThatIsKeptNoBackendHearsOfIt(boolean reset) throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 204 No Content\r\n\r\n");
                Drover drover = Drover.over(backend.url()).on(engine).start()) {
            RawClient client = drover.connect()
                    .send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
                            + "x".repeat(50_000).replace('x', ' '));
            Drover.await("body kept", () -> drover.server().proxy().retainedBodyBytes() > 0);
            leave(client, reset);
            LogLine line = drover.logged();
            assertThat(line.status()).isEqualTo(499);
            assertThat(line.outcome()).isEqualTo("read_body/client");
            assertThat(backend.connectionsAccepted()).isZero();
        }
    }

    /** Cut off, never ended: neither a last chunk nor the missing bytes may be invented. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 100\r\n\r\nhello",
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                "Transfer-Encoding: chunked\r\n\r\n10\r\nhello"
            })
    void aTruncatedUploadNeverLooksWhole(String upload) throws Exception {
        for (boolean reset : List.of(true, false)) {
            CountDownLatch came = new CountDownLatch(1);
            CountDownLatch judged = new CountDownLatch(1);
            try (RawBackend backend = RawBackend.start(connection -> {
                        connection.readHead();
                        came.countDown();
                        assertThat(connection.readUntilClose())
                                .contains("hello")
                                .doesNotContain("0\r\n\r\n");
                        judged.countDown();
                    });
                    Drover drover = Drover.over(backend.url()).on(engine).start()) {
                RawClient client = drover.connect().send("PUT /api/next HTTP/1.1\r\nHost: a\r\n" + upload);
                assertThat(came.await(5, TimeUnit.SECONDS)).isTrue();
                leave(client, reset);
                assertThat(judged.await(5, TimeUnit.SECONDS)).isTrue();
                LogLine line = drover.logged();
                assertThat(line.status()).isEqualTo(499);
                assertThat(line.get("side")).isEqualTo("client");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whileABackendIsBeingConnectedTo(boolean reset) throws Exception {
        try (Blackhole hole = Blackhole.open();
                Drover drover = Drover.over(hole.url())
                        .on(engine)
                        .set("timeouts.connect", "300ms")
                        .start()) {
            RawClient client = drover.connect().request("GET", "/api/tags", "");
            Drover.await("connecting", () -> drover.backend("a").inFlight() == 1);
            leave(client, reset);
            drover.drained(1);
            assertThat(drover.logged().outcome()).isEqualTo("connect/client");
        }
    }

    /** While its upload has no room the client is not read, so its leaving may be told by no more than the timeouts. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whileTheBackendTakesNothingOfItsUpload(boolean reset) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    connection.await(done);
                });
                Drover drover = Drover.over(backend.url())
                        .on(engine)
                        .set("timeouts.upstream-write", "1s")
                        .set("timeouts.request-body", "1s")
                        .start()) {
            RawClient client = drover.connect();
            Thread sender = new Thread(() -> {
                try {
                    client.request("PUT", "/next", "x".repeat(24 << 20));
                } catch (UncheckedIOException e) {
                    assertThat(e).hasMessageNotContaining("timed out");
                }
            });
            sender.start();
            Drover.await("uploading", () -> backend.requests().size() == 1);
            leave(client, reset);
            sender.join();
            drover.drained(1);
            done.countDown();
        }
    }

    /** @param fault where the answer hangs when the client leaves */
    @ParameterizedTest
    @ValueSource(strings = {"stall-before-head", "stall:0", "stall:1", "stall:7"})
    void whileItWaitsForAnAnswerOrForMoreOfIt(String fault) throws Exception {
        SimulatedOllama.Settings settings =
                SimulatedOllama.Settings.defaults().withTokens(20).withSlots(4);
        try (SimulatedOllama ollama = SimulatedOllama.start(settings);
                SimulatedOllama second = SimulatedOllama.start(settings);
                Drover drover =
                        Drover.first(ollama.url(), second.url()).on(engine).start()) {
            leaves(drover, ollama, fault, false);
            leaves(drover, ollama, fault, true);
            assertThat(second.requests()).isZero();
        }
    }

    private static void leaves(Drover drover, SimulatedOllama ollama, String fault, boolean reset) {
        long best = Long.MAX_VALUE;
        int before = drover.logLines().size();
        for (int round = 0; round < ROUNDS; round++) {
            long cancelled = ollama.cancelled();
            long requests = ollama.received().size();
            RawClient client = drover.connect().request("POST", "/api/generate", STREAM, "X-Sim-Fault: " + fault);
            ollama.await("request there", () -> ollama.received().size() > requests);
            boolean started = fault.startsWith("stall:") && !fault.equals("stall:0");
            if (started) {
                client.readHead();
                client.readChunk();
            }
            long start = System.nanoTime();
            leave(client, reset);
            ollama.await("cancelled", () -> ollama.cancelled() == cancelled + 1, Duration.ofSeconds(5));
            best = Math.min(best, System.nanoTime() - start);
        }
        assertThat(TimeUnit.NANOSECONDS.toMillis(best)).isLessThan(AT_ONCE_MILLIS);
        ollama.await("slots free", () -> ollama.active() == 0);
        drover.drained();
        List<LogLine> lines = drover.log(before + ROUNDS).subList(before, before + ROUNDS);
        assertThat(lines).allSatisfy(line -> {
            switch (fault) {
                case "stall-before-head" -> assertThat(line.outcome()).isEqualTo("await_head/client");
                // Whether the head has arrived when the client leaves is chance.
                case "stall:0" -> assertThat(line.outcome()).isIn("await_head/client", "relay/client");
                default -> assertThat(line.outcome()).isEqualTo("relay/client");
            }
            assertThat(line.attempts()).isEqualTo(1);
        });
    }

    @Test
    void halfClosingCountsAsLeaving() throws Exception {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.over(ollama.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", STREAM, "X-Sim-Fault: stall:1");
            client.readHead();
            client.finish();
            ollama.await("cancelled", () -> ollama.cancelled() == 1);
            assertThat(drover.logged().get("side")).isEqualTo("client");
        }
    }

    @Test
    void garbageBehindARequestEndsTheConnectionAndReachesNobody() throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                Drover drover = Drover.over(backend.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("GET", "/api/tags", "").send("\0\0\0 garbage\r\n\r\n");
            assertThat(client.readResponse().body()).isEqualTo("ok");
            RawClient.Response refused = client.readResponse();
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.header("Connection")).isEqualTo("close");
            client.expectClosed();
            client.hangUp();
            assertThat(backend.requests()).hasSize(1);
            assertThat(drover.log(2).get(1).outcome()).isEqualTo("read_head/client");
        }
    }

    @Test
    void aMalformedChunkInAnUploadIs400AndTheBackendSeesAnUnfinishedRequest() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    assertThat(connection.readUntilClose()).doesNotContain("0\r\n\r\n");
                });
                Drover drover = Drover.over(backend.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.send("PUT /next HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            Drover.await("forwarded", () -> backend.requests().size() == 1);
            client.send("xyz\r\n");
            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(400);
            client.expectClosed();
            client.hangUp();
            assertThat(drover.logged().get("side")).isEqualTo("client");
        }
    }
}
