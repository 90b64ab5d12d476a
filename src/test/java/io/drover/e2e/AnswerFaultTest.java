package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The matrix of what a backend says of itself before it has answered, by the API that was called. */
class AnswerFaultTest {
    private static final String WELL = "{\"done\":true}\n";

    /** One row: a status and Ollama's words. */
    private enum Says {
        LOAD_FAILED(500, "llama runner process has terminated: exit status 2"),
        LOAD_TIMED_OUT(500, "timed out waiting for llama runner to start - progress 0.00"),
        NOT_STARTED(500, "error starting llama-server: no such file"),
        OUT_OF_MEMORY(500, "llama-server: out-of-memory during startup"),
        NO_ROOM(500, "model requires more system memory (9.1 GiB) than is available (4.0 GiB)"),
        CUDA_OUT_OF_MEMORY(500, "llama runner process has terminated: cudaMalloc failed: out of memory"),
        RUNNER_DIED(500, "model runner has unexpectedly stopped, this may be due to resource limitations"),
        OUT_OF_MEMORY_LINE(200, "an error was encountered while running the model: CUDA error: out of memory"),
        BUSY(503, "server busy, please try again.  maximum pending requests exceeded"),
        UNAVAILABLE(503, "upstream connect error"),
        BAD_GATEWAY(502, "bad gateway"),
        GATEWAY_TIMED_OUT(504, "gateway timeout");

        private final int status;
        private final String words;

        Says(int status, String words) {
            this.status = status;
            this.words = words;
        }

        String body(String path) {
            boolean plain = path.startsWith("/api/") || status == 200;
            return plain ? "{\"error\":\"" + words + "\"}\n" : "{\"error\":{\"message\":\"" + words + "\"}}\n";
        }

        String answer(String path) {
            String body = body(path);
            String type = status == 200 ? "application/x-ndjson" : "application/json";
            return "HTTP/1.1 " + status + " X\r\nContent-Type: " + type + "\r\nContent-Length: " + body.length()
                    + "\r\n\r\n" + body;
        }
    }

    static Stream<Arguments> cells() {
        return Stream.of(Says.values()).flatMap(says -> Stream.of(
                        "/api/chat", "/api/generate", "/api/embed", "/v1/chat/completions", "/v1/messages")
                // The other families tell an error by its status.
                .filter(path -> says.status != 200 || path.equals("/api/chat") || path.equals("/api/generate"))
                .flatMap(path -> Stream.of(true, false).map(alone -> Arguments.of(says, path, alone))));
    }

    @ParameterizedTest(name = "{0} {1} alone: {2}")
    @MethodSource("cells")
    void anotherIsAskedAndWhereThereIsNoneTheClientIsTold(Says says, String path, boolean alone) throws Exception {
        try (RawBackend a = RawBackend.answering(says.answer(path));
                RawBackend b = RawBackend.answering(
                        "HTTP/1.1 200 OK\r\nContent-Length: " + WELL.length() + "\r\n\r\n" + WELL);
                Drover drover = (alone ? Drover.over(a.url()) : Drover.first(a.url(), b.url())).start()) {
            RawClient.Response response = drover.exchange("POST", path, Route.BODY);

            assertThat(response.status()).isEqualTo(alone ? says.status : 200);
            assertThat(response.body()).isEqualTo(alone ? says.body(path) : WELL);
            assertThat(response.header("X-Drover-Backend")).isEqualTo(alone ? "a" : "b");
            LogLine line = drover.logged();
            assertThat(line.attempts()).isEqualTo(alone ? 1 : 2);
        }
    }
}
