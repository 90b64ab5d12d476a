package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ErrorRepliesTest {

    @Test
    void ollamasShape() {
        assertThat(body(ApiFamily.OLLAMA, 503, "no backend is up")).isEqualTo("{\"error\":\"no backend is up\"}");
    }

    @Test
    void openAisShape() {
        assertThat(body(ApiFamily.OPENAI, 404, "model 'x' not found"))
                .isEqualTo("{\"error\":{\"message\":\"model 'x' not found\",\"type\":\"not_found_error\","
                        + "\"param\":null,\"code\":null}}");
    }

    @Test
    void anthropicsShape() {
        assertThat(body(ApiFamily.ANTHROPIC, 503, "queue full"))
                .isEqualTo("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"queue full\"},"
                        + "\"request_id\":\"req_1\"}");
    }

    @ParameterizedTest
    @CsvSource({
        "400, invalid_request_error, invalid_request_error",
        "401, invalid_request_error, authentication_error",
        "403, invalid_request_error, permission_error",
        "404, not_found_error, not_found_error",
        "408, invalid_request_error, invalid_request_error",
        "413, invalid_request_error, request_too_large",
        "429, rate_limit_error, rate_limit_error",
        "431, invalid_request_error, invalid_request_error",
        "500, api_error, api_error",
        "502, api_error, api_error",
        "503, api_error, overloaded_error",
        "504, api_error, api_error",
    })
    void typesFollowTheStatus(int status, String openAi, String anthropic) {
        assertThat(body(ApiFamily.OPENAI, status, "m")).contains("\"type\":\"" + openAi + "\"");
        assertThat(body(ApiFamily.ANTHROPIC, status, "m")).contains("{\"type\":\"" + anthropic + "\"");
    }

    @Test
    void messagesAreEscaped() {
        assertThat(body(ApiFamily.OLLAMA, 400, "\"\\\n\u0001 ü 😀"))
                .isEqualTo("{\"error\":\"\\\"\\\\\\n\\u0001 ü \\uD83D\\uDE00\"}");
    }

    @Test
    void embeddingHasWordsOfItsOwnForAMissingModel() {
        assertThat(missing(Endpoint.EMBED))
                .isEqualTo("{\"error\":\"model \\\"X:1\\\" not found, try pulling it first\"}");
        assertThat(missing(Endpoint.V1_EMBEDDINGS))
                .contains("\"model \\\"X:1\\\" not found, try pulling it first\"")
                .endsWith("}\n");
        assertThat(missing(Endpoint.SHOW)).isEqualTo("{\"error\":\"model 'X:1' not found\"}");
        assertThat(missing(Endpoint.V1_MESSAGES))
                .contains("\"model 'X:1' not found\"")
                .endsWith("\"req_1\"}\n");
    }

    private static String missing(Endpoint endpoint) {
        return new String(ErrorReplies.missingModel(endpoint, "X:1", "req_1"), StandardCharsets.UTF_8);
    }

    @Test
    void theTextOfA401StandsWhereverTheCommandLineLooksForIt() {
        assertThat(new String(ErrorReplies.unauthorized(ApiFamily.OLLAMA, "no key", "req_1"), StandardCharsets.UTF_8))
                .isEqualTo("{\"error\":\"no key\"\n,\"status\":\"no key\",\"signin_url\":\"no key\"}");
        assertThat(ErrorReplies.unauthorized(ApiFamily.OPENAI, "no key", "req_1"))
                .isEqualTo(ErrorReplies.body(ApiFamily.OPENAI, 401, "no key", "req_1"));
    }

    @Test
    void aLineEndsWithANewline() {
        assertThat(new String(ErrorReplies.line("gone"), StandardCharsets.UTF_8))
                .isEqualTo("{\"error\":\"gone\"}\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "V1_CHAT_COMPLETIONS | `data: {\"error\":{\"message\":\"gone\",\"type\":\"api_error\",\"param\":null,\"code\":null}}`",
                "V1_COMPLETIONS      | `data: {\"error\":{\"message\":\"gone\",\"type\":\"api_error\",\"param\":null,\"code\":null}}`",
                "V1_RESPONSES        | `event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"gone\",\"param\":null}`",
                "V1_MESSAGES         | `event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"gone\"}}`"
            })
    void anEventHasItsApisShapeAndEndsWithAnEmptyLine(Endpoint endpoint, String event) {
        assertThat(new String(ErrorReplies.event(endpoint, "gone"), StandardCharsets.UTF_8))
                .isEqualTo(event + "\n\n");
    }

    private static String body(ApiFamily family, int status, String message) {
        return new String(ErrorReplies.body(family, status, message, "req_1"), StandardCharsets.UTF_8);
    }
}
