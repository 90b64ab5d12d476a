package io.drover.cache;

import static io.drover.cache.Answers.kept;
import static io.drover.cache.Answers.steady;
import static io.drover.cache.Answers.text;
import static io.drover.cache.Answers.told;
import static io.drover.cache.Answers.tried;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /v1/messages} and {@code /v1/responses}, whose events have names: what is kept, and both forms. */
class EventFormsTest {
    private static final String ID = "msg_0123456789abcdef01234567";

    private static final String WHOLE =
            "{\"id\":\"msg_N\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":["
                    + "{\"type\":\"thinking\",\"thinking\":\"Hm \\\"so\\\"\"},{\"type\":\"text\",\"text\":\"Let me \\u003csee\\u003e\"},"
                    + "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{\"z\":1.50,\"a\":\"\\u003c \\\"é\\\" \\n\"}},"
                    + "{\"type\":\"tool_use\",\"id\":\"toolu_2\",\"name\":\"g\",\"input\":{}}],"
                    + "\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":31,\"output_tokens\":4}}\n";

    private static final String START = event(
            "message_start",
            "\"message\":{\"id\":\"msg_N\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],"
                    + "\"usage\":{\"input_tokens\":31,\"output_tokens\":0}}");
    private static final String TOOLS = block(2, "\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{}")
            + delta(
                    2,
                    "\"input_json_delta\",\"partial_json\":\"{\\\"z\\\":1.50,\\\"a\\\":\\\"\\\\u003c \\\\\\\"é\\\\\\\" \\\\n\\\"}\"")
            + stop(2)
            + block(3, "\"tool_use\",\"id\":\"toolu_2\",\"name\":\"g\",\"input\":{}")
            + delta(3, "\"input_json_delta\",\"partial_json\":\"{}\"")
            + stop(3);
    private static final String END = event(
                    "message_delta",
                    "\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"input_tokens\":31,\"output_tokens\":4}")
            + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

    private static final String STREAM = START.replace("31", "28")
            + block(0, "\"thinking\",\"thinking\":\"\"")
            + delta(0, "\"thinking_delta\",\"thinking\":\"Hm \"")
            + delta(0, "\"thinking_delta\",\"thinking\":\"\\\"so\\\"\"")
            + stop(0)
            + block(1, "\"text\",\"text\":\"\"")
            + delta(1, "\"text_delta\",\"text\":\"Let me \"")
            + delta(1, "\"text_delta\",\"text\":\"\\u003csee\\u003e\"")
            + stop(1)
            + TOOLS
            + END;

    private static final String RESPONSE =
            "{\"background\":false,\"completed_at\":\"S\",\"created_at\":\"S\",\"id\":\"resp_N\","
                    + "\"object\":\"response\",\"output\":[{\"content\":[{\"text\":\"hi\"}],\"id\":\"msg_4711\"}],\"status\":\"completed\","
                    + "\"top_p\":0.10,\"usage\":{\"input_tokens\":3,\"output_tokens\":4,\"total_tokens\":7}}";
    private static final String RESPONSES =
            "event: response.created\ndata: {\"response\":{\"completed_at\":null,\"created_at\":\"S\","
                    + "\"id\":\"resp_N\",\"status\":\"in_progress\"},\"sequence_number\":0,\"type\":\"response.created\"}\n\n"
                    + "event: response.output_text.delta\ndata: {\"delta\":\"hi\",\"item_id\":\"msg_4711\",\"created_at\":1,"
                    + "\"sequence_number\":1,\"type\":\"response.output_text.delta\"}\n\n"
                    + "event: response.completed\ndata: {\"response\":" + RESPONSE
                    + ",\"sequence_number\":2,\"type\":\"response.completed\"}\n\n";

    private static String event(String type, String rest) {
        return "event: " + type + "\ndata: {\"type\":\"" + type + "\"," + rest + "}\n\n";
    }

    private static String block(int index, String content) {
        return event("content_block_start", "\"index\":" + index + ",\"content_block\":{\"type\":" + content + "}");
    }

    private static String delta(int index, String delta) {
        return event("content_block_delta", "\"index\":" + index + ",\"delta\":{\"type\":" + delta + "}");
    }

    private static String stop(int index) {
        return event("content_block_stop", "\"index\":" + index);
    }

    private static String raw(String text) {
        return text.replace("msg_N", ID).replace("resp_N", "resp_17").replace("\"S\"", "1755827302");
    }

    @Test
    void messagesAreReplayedUnderAnotherId() {
        CachedAnswer answer = kept(Endpoint.V1_MESSAGES, Form.STREAM, raw(STREAM));

        String replay = text(answer);

        assertThat(replay).doesNotContain(ID).containsPattern("\"id\":\"msg_[0-9a-f]{24}\"");
        assertThat(steady(replay)).isEqualTo(STREAM);
        assertThat(answer.tokens()).isEqualTo(35);
        assertThat(steady(text(kept(Endpoint.V1_MESSAGES, Form.WHOLE, raw(WHOLE)))))
                .isEqualTo(WHOLE);
    }

    @Test
    void eventsOfMessagesBecomeOneObject() {
        assertThat(told(Endpoint.V1_MESSAGES, Form.STREAM, raw(STREAM), Form.WHOLE))
                .isEqualTo(WHOLE);
    }

    @Test
    void aMessageBecomesEventsWithABlockInOnePiece() {
        assertThat(told(Endpoint.V1_MESSAGES, Form.WHOLE, raw(WHOLE), Form.STREAM))
                .isEqualTo(START
                        + block(0, "\"thinking\",\"thinking\":\"\"")
                        + delta(0, "\"thinking_delta\",\"thinking\":\"Hm \\\"so\\\"\"")
                        + stop(0)
                        + block(1, "\"text\",\"text\":\"\"")
                        + delta(1, "\"text_delta\",\"text\":\"Let me \\u003csee\\u003e\"")
                        + stop(1)
                        + TOOLS
                        + END);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"text_delta\" | \"citations_delta\"",
                "\"index\":3 | \"index\":4",
                "\"name\":\"f\" | \"name\":\"f\",\"caller\":{}",
                "{\"stop_reason\":\"tool_use\"} | {\"stop_reason\":\"tool_use\",\"stop_sequence\":\"x\"}",
                "\\\"z\\\":1.50 | \\\"z\\\":1.50,\\\"z\\\":2",
                "\"partial_json\":\"{}\" | \"partial_json\":\"{}{}\"",
                "\"partial_json\":\"{}\" | \"partial_json\":\"{},\\\"x\\\":1\"",
                "\"type\":\"thinking\",\"thinking\":\"\" | \"type\":\"redacted_thinking\",\"data\":\"\"",
                "\"type\":\"content_block_stop\",\"index\":0 | \"type\":\"ping\",\"index\":0",
            })
    void eventsThatAreNotKnownForSureAreNotTold(String part, String other) {
        String changed = raw(STREAM).replace(part, other);

        assertThat(changed).isNotEqualTo(raw(STREAM));
        assertThat(told(Endpoint.V1_MESSAGES, Form.STREAM, changed, Form.WHOLE)).isNull();
    }

    /** In one piece, Ollama has all the text in one block and the calls behind it. */
    @Test
    void textBehindACallIsNotTold() {
        String text = block(0, "\"text\",\"text\":\"\"") + delta(0, "\"text_delta\",\"text\":\"a\"") + stop(0);
        String stream = START
                + TOOLS.replace("\"index\":2", "\"index\":0").replace("\"index\":3", "\"index\":1")
                + text.replace("\"index\":0", "\"index\":2")
                + END;
        String twice = START + text + text.replace("\"index\":0", "\"index\":1") + END;

        assertThat(told(Endpoint.V1_MESSAGES, Form.STREAM, raw(stream), Form.WHOLE))
                .isNull();
        assertThat(told(Endpoint.V1_MESSAGES, Form.STREAM, raw(twice), Form.WHOLE))
                .isNull();
        assertThat(told(Endpoint.V1_MESSAGES, Form.STREAM, raw(START + text + END), Form.WHOLE))
                .isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"},\"request_id\":\"req_1\"}",
                "{\"id\":\"msg_1\",\"type\":\"message\",\"content\":[],\"usage\":{}}",
                "{\"id\":\"msg_1\",\"type\":\"message\",\"stop_reason\":null,\"usage\":{}}",
                "{\"id\":\"msg_1\",\"type\":\"message\",\"stop_reason\":\"\",\"usage\":{}}",
                "{\"id\":\"msg_1\",\"type\":\"message\",\"stop_reason\":\"stop_sequence\",\"usage\":{}}",
            })
    void aMessageWithoutAnEndIsNotKept(String body) {
        assertThat(tried(Endpoint.V1_MESSAGES, Form.WHOLE, body)).isNull();
    }

    @Test
    void eventsOfMessagesWithoutAnEndAreNotKept() {
        String stream = raw(STREAM);
        int end = stream.indexOf("event: message_delta");
        int stop = stream.indexOf("event: message_stop");

        assertThat(tried(Endpoint.V1_MESSAGES, Form.STREAM, stream.substring(0, end)))
                .isNull();
        assertThat(tried(Endpoint.V1_MESSAGES, Form.STREAM, stream.substring(0, stop)))
                .isNull();
        assertThat(tried(Endpoint.V1_MESSAGES, Form.STREAM, stream.substring(0, end) + stream.substring(stop)))
                .isNull();
        assertThat(tried(Endpoint.V1_MESSAGES, Form.STREAM, stream.substring(0, stream.length() - 1)))
                .isNull();
        assertThat(tried(
                        Endpoint.V1_MESSAGES,
                        Form.STREAM,
                        stream.replace("{\"stop_reason\":\"tool_use\"}", "{\"stop_reason\":\"stop_sequence\"}")))
                .isNull();
        assertThat(tried(
                        Endpoint.V1_MESSAGES,
                        Form.STREAM,
                        stream.substring(0, end) + event("error", "\"error\":{}") + stream.substring(end)))
                .isNull();
    }

    @Test
    void responsesAreReplayedWithTimesAndIdsInEachCopy() {
        CachedAnswer answer = kept(Endpoint.V1_RESPONSES, Form.STREAM, raw(RESPONSES));

        String replay = text(answer);

        assertThat(replay).doesNotContain("resp_17").containsPattern("\"id\":\"resp_[1-9]\\d{5}\"");
        assertThat(steady(replay).replace("msg_N", "msg_4711")).isEqualTo(RESPONSES);
        assertThat(answer.tokens()).isEqualTo(7);
    }

    @Test
    void responsesBecomeTheObjectOfTheirLastEvent() {
        assertThat(told(Endpoint.V1_RESPONSES, Form.STREAM, raw(RESPONSES), Form.WHOLE))
                .isEqualTo(RESPONSE.replace("msg_4711", "msg_N") + "\n");
        assertThat(told(Endpoint.V1_RESPONSES, Form.WHOLE, raw(RESPONSE), Form.STREAM))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "response.completed | response.failed",
                "response.completed | response.incomplete",
                "\"status\":\"completed\" | \"status\":\"failed\"",
                "\"input_tokens\":3,\"output_tokens\":4 | \"input_tokens\":0,\"output_tokens\":0",
                "\"delta\":\"hi\" | \"error\":{}",
                "\"type\":\"response.output_text.delta\" | \"type\":\"response.completed\"",
            })
    void responsesThatDidNotCompleteAreNotKept(String part, String other) {
        String changed = raw(RESPONSES).replace(part, other);

        assertThat(changed).isNotEqualTo(raw(RESPONSES));
        assertThat(tried(Endpoint.V1_RESPONSES, Form.STREAM, changed)).isNull();
        assertThat(tried(Endpoint.V1_RESPONSES, Form.WHOLE, "{\"error\":{\"message\":\"x\"}}"))
                .isNull();
    }
}
