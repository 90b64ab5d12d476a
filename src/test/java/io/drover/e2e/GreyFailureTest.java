package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.BackendState;
import io.drover.demo.SimulatedOllama;
import io.drover.ollama.ModelName;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Backends that answer probes, and yet are not well: slow ones, silent ones, answers without an end. */
class GreyFailureTest {
    private static final String MODEL = "llama3.2";
    private static final String STREAM = head("application/x-ndjson");
    private static final String LINE = "{\"done\":false}\n";
    private static final String LAST = "{\"done\":true}\n";
    private static final String END = "0\r\n\r\n";

    private static String head(String type) {
        return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    }

    private static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }

    private static BackendState state(Drover drover, String name) {
        return drover.backend(name).state(System.nanoTime());
    }

    private static String chat(Drover drover) {
        RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
        assertThat(response.status()).isEqualTo(200);
        return response.header("X-Drover-Backend");
    }

    private static String backends(Drover drover) {
        try (RawClient client = RawClient.connect(drover.adminAddress())) {
            return client.send("GET /api/backends HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .readResponse()
                    .body();
        }
    }

    @Test
    void oneThatLosesItsGpuGetsLittleUntilItIsFastAgain() {
        SimulatedOllama.Settings settings =
                SimulatedOllama.Settings.defaults().withTokensPerSecond(200).withTokens(10);
        try (SimulatedOllama a = SimulatedOllama.start(settings);
                SimulatedOllama b = SimulatedOllama.start(settings);
                Drover drover = Drover.over(a.url(), b.url())
                        .set("health.slow-start", "500ms")
                        .start()) {
            for (int i = 0; i < 20; i++) {
                chat(drover);
            }
            long before = a.requests() + b.requests();
            a.pace(20);
            while (state(drover, "a") != BackendState.DEGRADED) {
                chat(drover);
                assertThat(a.requests() + b.requests() - before).isLessThanOrEqualTo(10);
            }
            assertThat(backends(drover))
                    .contains("\"state\":\"degraded\",\"up\":true,\"drained\":false,\"reason\":\"slow: " + MODEL
                            + " at 2")
                    .contains("\"models\":[{\"name\":\"" + MODEL + "\",\"tokens_per_second\":")
                    .contains("\"slow\":true}]");
            assertThat(drover.metric("drover_backend_state{backend=\"a\",state=\"degraded\",}"))
                    .isEqualTo(1);
            assertThat(drover.metric("drover_backend_degradations_total{backend=\"a\",reason=\"slow\",}"))
                    .isEqualTo(1);

            long little = a.requests();
            for (int i = 0; i < 22; i++) {
                chat(drover);
            }
            assertThat(a.requests() - little).as("one in eleven").isBetween(1L, 3L);

            a.pace(200);
            for (int i = 0; state(drover, "a") == BackendState.DEGRADED; i++) {
                chat(drover);
                assertThat(i).isLessThan(66);
            }
            Drover.await("back in full", () -> state(drover, "a") == BackendState.UNKNOWN);
            long again = a.requests();
            for (int i = 0; i < 20; i++) {
                chat(drover);
            }
            assertThat(a.requests() - again).isEqualTo(10);
            assertThat(state(drover, "b")).isEqualTo(BackendState.UNKNOWN);
        }
    }

    /** Answers probes and listings; of a chat it sends a line, if it is the first one, and nothing until the gate opens. */
    private static RawBackend wedged(CountDownLatch gate) throws IOException {
        CountDownLatch begun = new CountDownLatch(1);
        return RawBackend.start(connection -> {
            while (connection.hasMore()) {
                String line = connection.readRequest().startLine();
                if (line.startsWith("GET /api/version")) {
                    connection.answer("{\"version\":\"0.32.15\"}");
                } else if (line.startsWith("GET")) {
                    connection.answer("{\"models\":[{\"name\":\"" + MODEL + ":latest\",\"model\":\"" + MODEL
                            + ":latest\",\"digest\":\"d\"}]}");
                } else if (begun.getCount() > 0) {
                    begun.countDown();
                    connection.send(STREAM);
                    connection.sendChunk(LINE);
                    connection.await(gate);
                    connection.sendChunk(LAST);
                    connection.send(END);
                } else {
                    connection.awaitClientClose();
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void oneThatFallsSilentIsLeftAndWhatWaitsThereGoesToAnother(Engine engine) throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        try (RawBackend a = wedged(gate);
                SimulatedOllama b = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.first(a.url(), b.url())
                        .set("health.active.interval", "100ms")
                        .set("health.wedged-after", "1s")
                        .on(engine)
                        .start();
                RawClient streaming = drover.connect();
                RawClient waiting = drover.connect()) {
            Drover.await("listed", () -> drover.backend("a")
                    .models()
                    .isLoaded(ModelName.of(MODEL).key()));
            streaming.request("POST", "/api/chat", Route.BODY);
            streaming.readHead();
            assertThat(streaming.readChunk()).isEqualTo(LINE);
            waiting.request("POST", "/api/chat", Route.BODY);

            RawClient.Response response = waiting.readResponse();
            assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
            assertThat(state(drover, "a")).isEqualTo(BackendState.WEDGED);
            assertThat(backends(drover))
                    .contains(
                            "\"state\":\"wedged\",\"up\":false,\"drained\":false,\"reason\":\"it owes bytes and sends none\"");
            assertThat(drover.metric("drover_backend_state{backend=\"a\",state=\"wedged\",}"))
                    .isEqualTo(1);
            LogLine line = drover.logged();
            assertThat(line.attempts()).isEqualTo(2);
            assertThat(chat(drover)).isEqualTo("b");

            gate.countDown();
            assertThat(streaming.readChunks()).containsExactly(LAST);
            Drover.await("back", () -> state(drover, "a") == BackendState.SLOW_START);
            drover.log(3);
        }
    }

    /** The first request is for a model that may have to be loaded, or for a whole answer; one for a stream waits behind. */
    @ParameterizedTest
    @ValueSource(strings = {"{\"model\":\"other\"}", "{\"model\":\"" + MODEL + "\",\"stream\":false}"})
    void oneThatHasItsReasonsIsNotWedged(String body) throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        try (RawBackend a = RawBackend.start(connection -> {
                    while (connection.hasMore()) {
                        String line = connection.readRequest().startLine();
                        if (line.startsWith("POST")) {
                            connection.await(gate);
                            connection.answer(LAST);
                        } else {
                            String other = line.contains("tags") ? ",{\"name\":\"other:latest\",\"digest\":\"e\"}" : "";
                            connection.answer(
                                    "{\"models\":[{\"name\":\"" + MODEL + ":latest\",\"digest\":\"d\"}" + other + "]}");
                        }
                    }
                });
                Drover drover = Drover.over(a.url())
                        .set("health.active.interval", "100ms")
                        .set("health.wedged-after", "1s")
                        .start();
                RawClient client = drover.connect();
                RawClient behind = drover.connect()) {
            Drover.await("listed", () -> drover.backend("a")
                    .models()
                    .isLoaded(ModelName.of(MODEL).key()));
            client.request("POST", "/api/chat", body);
            Drover.await("asked", () -> drover.backend("a").inFlight() == 1);
            behind.request("POST", "/api/chat", Route.BODY);
            stays(drover, BackendState.UP);
            gate.countDown();
            assertThat(client.readResponse().status()).isEqualTo(200);
            assertThat(behind.readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void oneIsNotWedgedByAClientThatDoesNotRead() throws Exception {
        byte[] much = chunk("{\"x\":\"" + "x".repeat(60_000) + "\"}\n").getBytes(StandardCharsets.US_ASCII);
        try (RawBackend a = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(STREAM);
                    connection.sendUntilClosed(much, 1000);
                });
                Drover drover =
                        Drover.over(a.url()).set("health.wedged-after", "1s").start()) {
            try (RawClient client = drover.connect().request("POST", "/api/chat", Route.BODY)) {
                client.readHead();
                stays(drover, BackendState.UNKNOWN);
            }
        }
    }

    private static void stays(Drover drover, BackendState expected) {
        long start = System.nanoTime();
        Drover.await("three seconds", () -> {
            assertThat(state(drover, "a")).isEqualTo(expected);
            return System.nanoTime() - start > 3_000_000_000L;
        });
    }

    @Test
    void anAnswerWithoutItsOwnEndIsPassedOnAsItIsAndCounted() throws Exception {
        String wire = STREAM + chunk(LINE) + END;
        try (RawBackend a = RawBackend.answering(wire);
                Drover drover = Drover.over(a.url()).start()) {
            for (int i = 0; i < 20; i++) {
                RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.body()).isEqualTo(LINE);
            }
            assertThat(drover.log(20)).allSatisfy(line -> {
                assertThat(line.get("unfinished")).isEqualTo("true");
                assertThat(line.outcome()).isEqualTo("ok");
            });
            assertThat(drover.metric("drover_unfinished_answers_total{backend=\"a\",}"))
                    .isEqualTo(20);
            assertThat(state(drover, "a")).isEqualTo(BackendState.DEGRADED);
            assertThat(backends(drover)).contains("\"reason\":\"unfinished: 20 of the last 20 answers\"");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRunnerThatDiesInMidStreamAndABodyThatIsCutAreFailuresInARow(boolean told) throws Exception {
        String error = "{\"error\":\"an error was encountered while running the model: EOF\"}\n";
        String wire = STREAM + chunk(LINE) + (told ? chunk(error) + END : "");
        try (RawBackend a = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(wire);
                });
                Drover drover =
                        Drover.over(a.url()).set("health.passive.failures", "3").start()) {
            for (int i = 0; i < 3; i++) {
                assertThat(state(drover, "a")).isEqualTo(BackendState.UNKNOWN);
                drover.exchange("POST", "/api/chat", Route.BODY);
                drover.log(i + 1);
            }
            assertThat(state(drover, "a")).isEqualTo(BackendState.EJECTED);
            assertThat(drover.metric("drover_unfinished_answers_total{backend=\"a\",}"))
                    .isZero();
        }
    }
}
