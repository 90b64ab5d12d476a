package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** What is too slow ends in time; what is slow but alive never does. */
class TimeLimitsTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /** The pace of a scripted peer. */
    static void pause(long millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    @Test
    void aHeadThatDripsIs408HoweverSteadilyItDrips() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.request-head", "300ms")
                        .start();
                RawClient client = drover.connect()) {
            long start = System.nanoTime();
            client.send("GET /api/tags HTTP/1.1\r\nHost: a\r\nX: ");
            Thread drip = new Thread(() -> {
                while (System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(250)) {
                    client.send("x");
                    pause(20);
                }
            });
            drip.start();
            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(408);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(250), Duration.ofSeconds(2));
            client.expectClosed();
            drip.join();
            assertThat(backend.connectionsAccepted()).isZero();
            assertThat(drover.logged().outcome()).isEqualTo("read_head/client");
        }
    }

    @Test
    void aSecondHeadThatDripsIs408Too() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.request-head", "200ms")
                        .start();
                RawClient client = drover.connect()) {
            client.exchange("GET", "/api/tags", "");
            client.send("GET /");
            assertThat(client.readResponse().status()).isEqualTo(408);
            client.expectClosed();
        }
    }

    @Test
    void aConnectionWithoutARequestIsClosedSilently() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.request-head", "200ms")
                        .set("timeouts.keep-alive", "200ms")
                        .start();
                RawClient fresh = drover.connect();
                RawClient kept = drover.connect()) {
            kept.exchange("GET", "/api/tags", "");
            fresh.expectClosed();
            kept.expectClosed();
            drover.drained(1);
        }
    }

    @Test
    void aGapInABodyIs408OnBothKindsOfRoute() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    connection.awaitClientClose();
                });
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.request-body", "200ms")
                        .start()) {
            for (Route route : new Route[] {Route.CHAT, Route.COPY}) {
                try (RawClient client = drover.connect()) {
                    client.send(
                            route.method + " " + route.path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{");
                    assertThat(client.readResponse().status()).isEqualTo(408);
                    client.expectClosed();
                }
            }
            assertThat(drover.log(2))
                    .allSatisfy(line -> assertThat(line.get("side")).isEqualTo("client"));
        }
    }

    @Test
    void aSlowButSteadyUploadIsNeverCut() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.answer("ok");
                });
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.request-body", "300ms")
                        .set("timeouts.upstream-write", "300ms")
                        .set("timeouts.first-byte", "300ms")
                        .start();
                RawClient client = drover.connect()) {
            client.send("PUT /next HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n");
            for (int i = 0; i < 12; i++) {
                pause(80);
                client.send("x");
            }
            assertThat(client.readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void aStreamThatOutlivesEveryTimeoutButKeepsProducingIsNeverCut() {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                        .withTokensPerSecond(10)
                        .withTokens(15));
                Drover drover = allAt(Drover.over(ollama.url()), "400ms").start()) {
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
            assertThat(response.body()).contains("\"done\":true");
            assertThat(drover.logged().outcome()).isEqualTo("ok");
        }
    }

    private static Drover.Setup allAt(Drover.Setup setup, String limit) {
        for (String name : new String[] {
            "connect",
            "request-head",
            "request-body",
            "first-byte",
            "idle",
            "client-write",
            "upstream-write",
            "keep-alive"
        }) {
            setup.set("timeouts." + name, limit);
        }
        return setup.set("upstream.idle-timeout", limit);
    }

    /** A listing or a pull may be silent for longer than any stream of tokens. */
    @Test
    void aRouteWithoutInferenceIsNotIdle() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                    connection.sendChunk("one");
                    pause(700);
                    connection.sendChunk("two");
                    connection.send("0\r\n\r\n");
                });
                Drover drover = allAt(Drover.over(backend.url()), "200ms").start()) {
            assertThat(drover.exchange("POST", "/api/pull", "{}").body()).isEqualTo("onetwo");
        }
    }

    @Test
    void aPullWaitsForItsFirstByteForAsLongAsItTakes() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    pause(700);
                    connection.answer("ok");
                });
                Drover drover = allAt(Drover.over(backend.url()), "200ms").start()) {
            assertThat(drover.exchange("POST", "/api/pull", "{}").body()).isEqualTo("ok");
        }
    }

    @Test
    void aClientThatReadsNothingCostsLittleMemoryAndIsClosed() {
        try (SimulatedOllama ollama = SimulatedOllama.start(
                        SimulatedOllama.Settings.defaults().withTokens(1_000_000));
                Drover drover = Drover.over(ollama.url())
                        .set("timeouts.client-write", "500ms")
                        .set("timeouts.idle", "300ms")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 4096)) {
            client.request("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"x\"}");
            Drover.await("slow", () -> drover.outboundBytes() > 0);
            assertThat(drover.outboundBytes()).isLessThanOrEqualTo(256 << 10);
            Drover.await("cut", Duration.ofSeconds(5), () -> drover.openClients() == 0);
            ollama.await("backend free", () -> ollama.active() == 0, Duration.ofSeconds(1));
            LogLine line = drover.logged();
            assertThat(line.outcome()).isEqualTo("relay/client");
            assertThat(line.get("cause")).isEqualTo("client takes no bytes");
        }
    }

    @Test
    void aClientThatReadsNothingIsClosedOnEveryRoute() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
                    assertThat(connection.sendUntilClosed(new byte[100_000], 1000))
                            .isLessThan(1000);
                });
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.client-write", "300ms")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 4096)) {
            client.request("GET", "/api/tags", "");
            Drover.await("asked", Duration.ofSeconds(5), () -> drover.openClients() == 1);
            Drover.await("cut", Duration.ofSeconds(5), () -> drover.openClients() == 0);
        }
    }

    /** The kernel tells of room only when a third of its buffer is free, so that progress comes in leaps. */
    @Test
    void aSlowButSteadyReaderIsNeverCut() {
        try (SimulatedOllama ollama = SimulatedOllama.start(
                        SimulatedOllama.Settings.defaults().withTokens(60_000));
                Drover drover = Drover.over(ollama.url())
                        .set("timeouts.client-write", "5s")
                        .set("timeouts.idle", "400ms")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 16 << 10)) {
            client.request("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"x\"}");
            client.readHead();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
            int lines = 0;
            while (System.nanoTime() < end) {
                // Enough for the window to open each time; far slower than the backend writes.
                for (int i = 0; i < 300; i++) {
                    client.readChunk();
                    lines++;
                }
                pause(50);
            }
            assertThat(drover.openClients()).isEqualTo(1);
            lines += client.readChunks().size();
            assertThat(lines).isEqualTo(60_001);
        }
    }

    /** Each answer is short, so that none of them is ever held up; together they would fill the memory. */
    @Test
    void aClientThatAsksAndAsksButNeverReadsIsNotRead() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.client-write", "500ms")
                        .set("timeouts.keep-alive", "500ms")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 4096)) {
            byte[] requests = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
                    .repeat(1000)
                    .getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            long sent = client.sendUntilStuck(requests, Duration.ofMillis(300), 256L << 20);
            assertThat(sent).isLessThan(64L << 20);
            client.hangUp();
        }
    }
}
