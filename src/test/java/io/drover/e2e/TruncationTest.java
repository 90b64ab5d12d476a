package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * HTTP/1.0 clients see an answer's end as the connection's end, so one that is not whole must say so or end in a reset.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("io.drover.testing.Engine#all")
class TruncationTest {
    /** Ollama streams without being asked, the OpenAI API does not. */
    private static final String BODY = Route.BODY.replace("{\"model", "{\"stream\":true,\"model");

    /** One round in ten would hang. */
    private static final int ROUNDS = 100;

    private final Engine engine;

    TruncationTest(Engine engine) {
        this.engine = engine;
    }

    @ParameterizedTest
    @ValueSource(strings = {"die-mid-stream:2", "reset-mid-stream:2", "truncated-chunk:2", "bad-chunk:2", "stall:2"})
    void toHttp10ABrokenStreamOfLinesEndsInAnError(String fault) {
        try (SimulatedOllama ollama = slow(50);
                Drover drover = start(ollama);
                RawClient client = drover.connect()) {
            begin(client, "/api/chat", fault);
            assertThat(client.readLine()).contains("\"done\":false");
            String rest = new String(client.readUntilClose(), StandardCharsets.UTF_8);
            assertThat(rest.substring(rest.lastIndexOf('\n', rest.length() - 2) + 1))
                    .startsWith("{\"error\":\"the backend broke off the answer: ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"die-mid-stream:2", "reset-mid-stream:2", "truncated-chunk:2", "bad-chunk:2", "stall:2"})
    void toHttp10ABrokenStreamOfEventsEndsInAReset(String fault) {
        try (SimulatedOllama ollama = slow(50);
                Drover drover = start(ollama);
                RawClient client = drover.connect()) {
            begin(client, "/v1/chat/completions", fault);
            assertThat(client.readLine()).startsWith("data: ");
            client.readUntilReset();
        }
    }

    @Test
    void toHttp10AStreamOfLinesThatTheDrainCutsEndsInAnError() {
        try (SimulatedOllama ollama = slow(5);
                Drover drover = start(ollama);
                RawClient client = drover.connect()) {
            begin(client, "/api/chat", "none");
            String line = client.readLine();
            assertThat(line).contains("\"done\":false");
            drover.kill();
            while (!line.contains("error")) {
                line = client.readLine();
            }
            assertThat(line).isEqualTo("{\"error\":\"the proxy broke off the answer: the process ends\"}");
            client.expectClosed();
        }
    }

    @Test
    void toHttp10AStreamOfEventsThatTheDrainCutsEndsInAReset() {
        try (SimulatedOllama ollama = slow(5);
                Drover drover = start(ollama);
                RawClient client = drover.connect()) {
            begin(client, "/v1/chat/completions", "none");
            client.readLine();
            drover.kill();
            client.readUntilReset();
        }
    }

    private static SimulatedOllama slow(int tokensPerSecond) {
        return SimulatedOllama.start(SimulatedOllama.Settings.defaults().withTokensPerSecond(tokensPerSecond));
    }

    private Drover start(SimulatedOllama ollama) {
        return Drover.over(ollama.url())
                .on(engine)
                .set("timeouts.idle", "300ms")
                .start();
    }

    private static void begin(RawClient client, String path, String fault) {
        client.send("POST " + path + " HTTP/1.0\r\nContent-Length: " + BODY.length() + "\r\nX-Sim-Fault: " + fault
                + "\r\n\r\n" + BODY);
        RawClient.Head head = client.readHead();
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.isChunked()).isFalse();
        assertThat(head.header("Connection")).isEqualTo("close");
    }

    @Test
    void aRequestThatTheProcessEndsBeforeItsAnswerIsToldSo() {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.over(ollama.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Route.BODY, "X-Sim-Fault: stall-before-head");
            ollama.await("there", () -> ollama.requests() == 1);
            drover.kill();
            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(503);
            assertThat(response.header("Connection")).isEqualTo("close");
            assertThat(drover.logged().status()).isEqualTo(503);
        }
    }

    @Test
    void toHttp11ACloseDelimitedAnswerThatIsWholeGetsALastChunk() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\n\r\nhello");
                });
                Drover drover = Drover.over(backend.url()).on(engine).start();
                RawClient client = drover.connect()) {
            RawClient.Response response = client.exchange("GET", "/", "");
            assertThat(response.head().isChunked()).isTrue();
            assertThat(response.body()).isEqualTo("hello");
        }
    }

    /** On io_uring a reset that comes while Netty reads was lost; it is a race, so it is run often. */
    @Test
    void aResetRightBehindAHeadIsNeverMissed() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                    connection.reset();
                });
                Drover drover = Drover.over(backend.url()).on(engine).start()) {
            for (int round = 0; round < ROUNDS; round++) {
                try (RawClient client = drover.connect()) {
                    client.request("GET", "/", "");
                    assertThat(client.readHead().status()).isEqualTo(200);
                    assertThat(client.readUntilClose()).isEmpty();
                }
            }
            assertThat(drover.log(ROUNDS))
                    .allSatisfy(line -> assertThat(line.outcome()).isEqualTo("relay/upstream"));
        }
    }
}
