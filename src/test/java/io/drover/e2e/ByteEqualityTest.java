package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawClient;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The bytes of an answer's body are the backend's own, however they are framed and cut; and the tokens are counted. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ByteEqualityTest {
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hello herd\"}]";

    private static final List<String> FRAMINGS = List.of(
            "none",
            "split-writes",
            "chunk-extensions",
            "trailers",
            "close-delimited",
            "http-10",
            "big-context",
            "surplus-bytes",
            "informational");

    private SimulatedOllama ollama;
    private Drover drover;
    private int logged;

    @BeforeAll
    void start() {
        ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withFixedClock(true)
                .withTokens(30)
                .withSlots(8));
        drover = Drover.over(ollama.url()).start();
    }

    @AfterAll
    void stop() {
        drover.close();
        ollama.close();
    }

    private record Ask(String path, String body, boolean counts) {
        @Override
        public String toString() {
            return path + (body.contains("\"stream\":false") ? " whole" : "");
        }
    }

    private static final List<Ask> ASKS = List.of(
            new Ask("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"hello herd\"}", true),
            new Ask("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"hello herd\",\"stream\":false}", true),
            new Ask("/api/chat", "{\"model\":\"llama3.2\"," + MESSAGES + "}", true),
            new Ask("/api/chat", "{\"model\":\"llama3.2\"," + MESSAGES + ",\"stream\":false}", true),
            new Ask(
                    "/api/embed",
                    "{\"model\":\"nomic-embed-text\",\"input\":[\"a b\",\"c d e\"],\"stream\":false}",
                    false),
            new Ask(
                    "/v1/chat/completions",
                    "{\"model\":\"llama3.2\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," + MESSAGES
                            + "}",
                    true),
            new Ask("/v1/chat/completions", "{\"model\":\"llama3.2\",\"stream\":false," + MESSAGES + "}", true),
            new Ask(
                    "/v1/messages",
                    "{\"model\":\"llama3.2\",\"max_tokens\":30,\"stream\":true," + MESSAGES + "}",
                    true),
            new Ask(
                    "/v1/messages",
                    "{\"model\":\"llama3.2\",\"max_tokens\":30,\"stream\":false," + MESSAGES + "}",
                    true));

    static Stream<Arguments> asks() {
        return ASKS.stream().flatMap(ask -> FRAMINGS.stream().map(framing -> Arguments.of(ask, framing)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("asks")
    void theBodyIsTheBackendsOwn(Ask ask, String framing) {
        String fault = "X-Sim-Fault: " + framing;
        RawClient.Response direct;
        try (RawClient client = RawClient.connect(ollama.address())) {
            direct = client.exchange("POST", ask.path, ask.body, fault);
        }
        RawClient.Response proxied = drover.exchange("POST", ask.path, ask.body, fault);
        logged++;

        assertThat(proxied.status()).isEqualTo(200).isEqualTo(direct.status());
        assertThat(proxied.body()).isEqualTo(direct.body()).isNotEmpty();
        assertThat(proxied.header("Content-Type")).isEqualTo(direct.header("Content-Type"));
        assertThat(proxied.head().has("X-Sim-Trailer")).isFalse();
        LogLine line = drover.log(logged).get(logged - 1);
        assertThat(line.outcome()).isEqualTo("ok");
        assertThat(Integer.parseInt(line.get("prompt_tokens"))).isPositive();
        if (ask.counts) {
            assertThat(line.get("generated_tokens")).isEqualTo("30");
        }
    }
}
