package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.RetryClass.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryClassTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "503 | server busy, please try again.  maximum pending requests exceeded | BUSY",
                "503 | no backend is up | NEXT_BACKEND",
                "404 | model 'x' not found | MISSING_MODEL",
                "404 | model \"x\" not found, try pulling it first | MISSING_MODEL",
                "404 | model '' not found | RELAY",
                "404 | page not found | RELAY",
                "500 | llama-server process has terminated: exit status 2 | NEXT_BACKEND",
                "500 | error starting llama-server: no such file | NEXT_BACKEND",
                "500 | runner: out-of-memory during startup on GPU 0 | NEXT_BACKEND",
                "500 | timed out waiting for llama-server to start - progress 0.50 | NEXT_BACKEND",
                "500 | model requires more system memory (9.1 GiB) than is available (4.0 GiB) | NEXT_BACKEND",
                "500 | llama runner process has terminated: signal: killed | NEXT_BACKEND",
                "500 | timed out waiting for llama runner to start: context canceled | NEXT_BACKEND",
                "500 | model runner has unexpectedly stopped, this may be due to resource limitations"
                        + " | NEXT_BACKEND_ONCE",
                "500 | unexpected server status: 1 | NEXT_BACKEND_ONCE",
                "500 | llama runner process no longer running: 2 | NEXT_BACKEND_ONCE",
                "500 | no slots available after 10 retries | NEXT_BACKEND_ONCE",
                "500 | an error was encountered while running the model: unexpected EOF | NEXT_BACKEND_ONCE",
                "500 | option \"num_ctx\" must be of type integer | RELAY",
                "500 | invalid format: \"no longer running\"; expected \"json\" | RELAY",
                "500 | template: :1: no slots available after | RELAY",
                "500 | something else | RELAY",
                "502 | x | NEXT_BACKEND",
                "504 | x | NEXT_BACKEND",
                "501 | x | RELAY",
                "400 | llama-server process has terminated | RELAY",
                "400 | the prompt is longer than the context length | RELAY",
                "401 | unauthorized | RELAY",
                "403 | ollama cloud is disabled: x | RELAY",
                "429 | slow down | RELAY",
                "499 | request canceled | RELAY",
                "200 | an error was encountered while running the model: EOF | NEXT_BACKEND_ONCE",
                "200 | pull model manifest: file does not exist | RELAY",
            })
    void judgesByStatusAndWords(int status, String message, Verdict expected) {
        for (ApiFamily family : ApiFamily.values()) {
            byte[] body = ErrorReplies.body(family, status, message, "req_1");
            assertThat(RetryClass.of(status, body, false)).as(family.name()).isEqualTo(expected);
        }
    }

    @Test
    void anEmpty403IsDroversOwnMistake() {
        assertThat(RetryClass.of(403, new byte[0], false)).isEqualTo(Verdict.MISCONFIGURED);
        assertThat(RetryClass.of(403, new byte[0], true)).isEqualTo(Verdict.MISCONFIGURED);
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404, 429, 500, 502, 503, 504})
    void aCloudModelsErrorsAreTheSameEverywhere(int status) {
        assertThat(RetryClass.of(status, bytes("{\"error\":\"model 'x' not found\"}"), true))
                .isEqualTo(Verdict.RELAY);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "404 page not found",
                "{",
                "{\"error\":",
                "{\"error\":\"model 'x' not fou",
                "{\"error\":5}",
                "{\"error\":null}",
                "{\"error\":{}}",
                "{\"error\":{\"message\":{\"message\":\"model 'x' not found\"}}}",
                "{\"message\":\"model 'x' not found\"}",
                "{\"detail\":{\"error\":\"model 'x' not found\"}}",
                "[\"error\",\"model 'x' not found\"]",
                "\u0000",
            })
    void aBodyWithoutAnErrorTextIsJudgedByStatusAlone(String body) {
        assertThat(RetryClass.of(404, bytes(body), false)).isEqualTo(Verdict.RELAY);
        assertThat(RetryClass.of(500, bytes(body), false)).isEqualTo(Verdict.RELAY);
        assertThat(RetryClass.of(503, bytes(body), false)).isEqualTo(Verdict.NEXT_BACKEND);
    }

    @Test
    void findsTheErrorAmongOtherMembers() {
        byte[] body = bytes("{\"a\":{\"error\":\"no\"},\"error\":{\"code\":[1],\"message\":\"model 'x' not found\"}}");

        assertThat(RetryClass.of(404, body, false)).isEqualTo(Verdict.MISSING_MODEL);
    }

    @Test
    void readsOnlyTheFirstLine() {
        byte[] body = bytes("{\"error\":\"unexpected server status: 1\"}\n{\"error\":");

        assertThat(RetryClass.of(200, body, false)).isEqualTo(Verdict.NEXT_BACKEND_ONCE);
    }

    @ParameterizedTest
    @EnumSource(Verdict.class)
    void everyVerdictIsReached(Verdict verdict) {
        assertThat(new Verdict[] {
                    RetryClass.of(400, bytes("{}"), false),
                    RetryClass.of(502, bytes("{}"), false),
                    RetryClass.of(500, bytes("{\"error\":\"unexpected server status: 1\"}"), false),
                    RetryClass.of(503, bytes("{\"error\":\"server busy, please try again.\"}"), false),
                    RetryClass.of(404, bytes("{\"error\":\"model 'x' not found\"}"), false),
                    RetryClass.of(403, bytes(""), false)
                })
                .contains(verdict);
    }

    @Test
    void anErrorLineIsKnownByItsFirstBytes() {
        assertThat(opensError("{\"error\":\"x\"}\n")).isTrue();
        assertThat(opensError("{\"error\"")).isTrue();
        assertThat(opensError("{\"error")).isFalse();
        assertThat(opensError("{\"model\":\"error\"}")).isFalse();
        assertThat(opensError("")).isFalse();
    }

    private static boolean opensError(String text) {
        ByteBuf buf = Unpooled.copiedBuffer("xx" + text + "yy\"", StandardCharsets.UTF_8);
        return RetryClass.opensError(buf, 2, buf.writerIndex() - 3);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
