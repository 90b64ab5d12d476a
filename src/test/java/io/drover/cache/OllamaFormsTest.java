package io.drover.cache;

import static io.drover.cache.Answers.told;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /api/generate} and {@code /api/chat} in both forms, byte for byte as Ollama's types have them. */
class OllamaFormsTest {
    private static final String METRICS = "\"total_duration\":5000,\"load_duration\":1,\"prompt_eval_count\":3,"
            + "\"prompt_eval_duration\":2,\"eval_count\":4,\"eval_duration\":9";

    private static final String CHAT_LINES = """
            {"model":"m","created_at":"T","message":{"role":"assistant","content":"","thinking":"Let \\"me\\""},"done":false,"logprobs":[{"token":"Let","logprob":-0.10}]}
            {"model":"m","created_at":"T","message":{"role":"assistant","content":"","thinking":" see\\u003c"},"done":false}
            {"model":"m","created_at":"T","message":{"role":"assistant","content":"Hel\\n"},"done":false,"logprobs":[{"token":"Hel","logprob":-1e-07,"bytes":[72]}]}
            {"model":"m","created_at":"T","message":{"role":"assistant","content":"lo é"},"done":false}
            {"model":"m","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"index":0,"name":"f","arguments":{"z":1.50,"a":"]"}}}]},"done":false}
            {"model":"m","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_2","function":{"index":1,"name":"g","arguments":{}}}]},"done":false}
            {"model":"m","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",%s}
            """.formatted(METRICS);

    private static final String CHAT_SAID =
            "{\"role\":\"assistant\",\"content\":\"Hel\\nlo é\",\"thinking\":\"Let \\\"me\\\" see\\u003c\","
                    + "\"tool_calls\":[{\"id\":\"call_1\",\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"z\":1.50,\"a\":\"]\"}}},"
                    + "{\"id\":\"call_2\",\"function\":{\"index\":1,\"name\":\"g\",\"arguments\":{}}}]}";
    private static final String CHAT_LOGPROBS =
            "\"logprobs\":[{\"token\":\"Let\",\"logprob\":-0.10},{\"token\":\"Hel\",\"logprob\":-1e-07,\"bytes\":[72]}]";
    private static final String CHAT_WHOLE = "{\"model\":\"m\",\"created_at\":\"T\",\"message\":" + CHAT_SAID
            + ",\"done\":true,\"done_reason\":\"stop\"," + CHAT_LOGPROBS + "," + METRICS + "}";

    private static final String GENERATE_LINES = """
            {"model":"m","created_at":"T","response":"","thinking":"Hm","done":false}
            {"model":"m","created_at":"T","response":"a","done":false,"logprobs":[{"token":"a","logprob":-0.5}]}
            {"model":"m","created_at":"T","response":" \\\\b","done":false}
            {"model":"m","created_at":"T","response":"","done":true,"done_reason":"length","context":[1,2,3],%s,"tool_calls":[{"function":{"index":0,"name":"f","arguments":{}}}]}
            """.formatted(METRICS);
    private static final String GENERATE_WHOLE =
            "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"a \\\\b\",\"thinking\":\"Hm\",\"done\":true,"
                    + "\"done_reason\":\"length\",\"context\":[1,2,3]," + METRICS
                    + ",\"tool_calls\":[{\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{}}}],"
                    + "\"logprobs\":[{\"token\":\"a\",\"logprob\":-0.5}]}";

    @Test
    void chatLinesBecomeOneObject() {
        assertThat(told(Endpoint.CHAT, Form.STREAM, CHAT_LINES, Form.WHOLE)).isEqualTo(CHAT_WHOLE);
    }

    @Test
    void aChatObjectBecomesOneLineAndTheFinalRecord() {
        assertThat(told(Endpoint.CHAT, Form.WHOLE, CHAT_WHOLE, Form.STREAM))
                .isEqualTo("{\"model\":\"m\",\"created_at\":\"T\",\"message\":" + CHAT_SAID + ",\"done\":false,"
                        + CHAT_LOGPROBS
                        + "}\n{\"model\":\"m\",\"created_at\":\"T\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},"
                        + "\"done\":true,\"done_reason\":\"stop\"," + METRICS + "}\n");
    }

    @Test
    void generateLinesBecomeOneObject() {
        assertThat(told(Endpoint.GENERATE, Form.STREAM, GENERATE_LINES, Form.WHOLE))
                .isEqualTo(GENERATE_WHOLE);
    }

    @Test
    void aGenerateObjectBecomesOneLineAndTheFinalRecord() {
        String stream = told(Endpoint.GENERATE, Form.WHOLE, GENERATE_WHOLE, Form.STREAM);

        assertThat(stream)
                .isEqualTo(
                        "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"a \\\\b\",\"thinking\":\"Hm\",\"done\":false,"
                                + "\"logprobs\":[{\"token\":\"a\",\"logprob\":-0.5}]}\n"
                                + GENERATE_LINES.lines().skip(3).findFirst().orElseThrow() + "\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "\\ud83d\\ude00", "\\\"created_at\\\":\\\"x\\\"", "é€\uD83D\uDE00", "\\u2028"})
    void thereAndBackIsTheSame(String text) {
        String whole = "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"" + text
                + "\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":1}";
        CachedAnswer answer = Answers.kept(Endpoint.GENERATE, Form.WHOLE, whole);

        CachedAnswer stream = answer.as(Form.STREAM);
        assertThat(stream).isNotNull();
        CachedAnswer back = stream.as(Form.WHOLE);

        assertThat(back).isNotNull();
        assertThat(Answers.steady(Answers.text(back))).isEqualTo(whole);
        assertThat(stream.contentType()).isEqualTo("application/x-ndjson");
        assertThat(back.contentType()).isEqualTo("application/json; charset=utf-8");
        assertThat(back.origin()).isEqualTo(answer.origin());
        assertThat(back.tokens()).isEqualTo(1);
    }

    @Test
    void anAnswerThatSaysNothingIsTheFinalRecordAlone() {
        String whole =
                "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"}";

        assertThat(told(Endpoint.GENERATE, Form.WHOLE, whole, Form.STREAM)).isEqualTo(whole + "\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"a\",\"done\":false,\"novelty\":1}\n",
                "{\"model\":\"other\",\"created_at\":\"T\",\"response\":\"a\",\"done\":false}\n",
                "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"a\",\"done\":false,\"thinking\":[]}\n",
                "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"a\",\"done\":false,\"eval_count\":4}\n",
                "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"a\",\"done\":false,\"logprobs\":{}}\n"
            })
    void whatCannotBeJoinedForSureIsNot(String line) {
        String last =
                "{\"model\":\"m\",\"created_at\":\"T\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"}\n";

        assertThat(told(Endpoint.GENERATE, Form.STREAM, line + last, Form.WHOLE))
                .isNull();
    }

    @Test
    void messagesOfSeveralRolesAreNotJoined() {
        String lines = CHAT_LINES.replaceFirst("assistant", "tool");

        assertThat(told(Endpoint.CHAT, Form.STREAM, lines, Form.WHOLE)).isNull();
    }

    @Test
    void jsonOfSeveralLinesBecomesNoStream() {
        String whole = GENERATE_WHOLE.replace("[1,2,3]", "[1,\n2,3]");

        assertThat(told(Endpoint.GENERATE, Form.WHOLE, whole, Form.STREAM)).isNull();
    }
}
