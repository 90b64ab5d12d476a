package io.drover.cache;

import static io.drover.cache.Answers.told;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /v1/chat/completions} and {@code /v1/completions} in their three forms. */
class OpenAiFormsTest {
    private static final String USAGE = "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}";
    private static final String HEAD =
            "data: {\"id\":\"chatcmpl-N\",\"object\":\"chat.completion.chunk\",\"created\":\"S\","
                    + "\"model\":\"m\",\"system_fingerprint\":\"fp_ollama\",\"choices\":[";
    private static final String DONE = "data: [DONE]\n\n";
    private static final String CALL_1 =
            "{\"id\":\"call_1\",\"index\":0,\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1.50}\"}}";
    private static final String CALL_2 =
            "{\"id\":\"call_2\",\"index\":1,\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}";

    private static final String CHAT_WHOLE = "{\"id\":\"chatcmpl-N\",\"object\":\"chat.completion\",\"created\":\"S\","
            + "\"model\":\"m\",\"system_fingerprint\":\"fp_ollama\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
            + "\"content\":\"He\\\"llo\",\"reasoning\":\"Hm, ok\",\"tool_calls\":[" + CALL_1 + "," + CALL_2
            + "]},\"finish_reason\":\"tool_calls\",\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":-1e-07},{\"token\":\"b\",\"logprob\":-0.50}]}}],"
            + USAGE + "}\n";

    private static final String FINISH = HEAD + "{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n";
    private static final String COUNTED = HEAD + "]," + USAGE + "}\n\n";
    private static final String CHAT_STREAM = HEAD
            + "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"Hm,\"},\"finish_reason\":null,\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":-1e-07}]}}]}\n\n"
            + HEAD + "{\"index\":0,\"delta\":{\"content\":\"\",\"reasoning\":\" ok\"},\"finish_reason\":null}]}\n\n"
            + HEAD
            + "{\"index\":0,\"delta\":{\"content\":\"He\\\"\"},\"finish_reason\":null,\"logprobs\":{\"content\":[{\"token\":\"b\",\"logprob\":-0.50}]}}]}\n\n"
            + HEAD + "{\"index\":0,\"delta\":{\"content\":\"llo\"},\"finish_reason\":null}]}\n\n"
            + HEAD + "{\"index\":0,\"delta\":{\"content\":\"\",\"tool_calls\":[" + CALL_1
            + "]},\"finish_reason\":null}]}\n\n"
            + HEAD + "{\"index\":0,\"delta\":{\"content\":\"\",\"tool_calls\":[" + CALL_2
            + "]},\"finish_reason\":null}]}\n\n"
            + FINISH;

    private static final String COMPLETION_WHOLE =
            "{\"id\":\"cmpl-N\",\"object\":\"text_completion\",\"created\":\"S\",\"model\":\"m\","
                    + "\"system_fingerprint\":\"fp_ollama\",\"choices\":[{\"text\":\"one two\",\"index\":0,\"finish_reason\":\"stop\"}],"
                    + USAGE + "}\n";
    private static final String ZEROS = ",\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}";

    private static String raw(String text) {
        return text.replace("\"S\"", "1755827302")
                .replace("chatcmpl-N", "chatcmpl-42")
                .replace("cmpl-N", "cmpl-42");
    }

    private static String completion(String text, String reason, String usage) {
        return "data: {\"id\":\"cmpl-N\",\"object\":\"text_completion\",\"created\":\"S\",\"choices\":[{\"text\":\""
                + text
                + "\",\"index\":0,\"finish_reason\":" + reason
                + "}],\"model\":\"m\",\"system_fingerprint\":\"fp_ollama\""
                + usage + "}\n\n";
    }

    private static String completionCounted() {
        return "data: {\"id\":\"cmpl-N\",\"object\":\"text_completion\",\"created\":\"S\",\"choices\":[],\"model\":\"m\","
                + "\"system_fingerprint\":\"fp_ollama\"," + USAGE + "}\n\n" + DONE;
    }

    private static @Nullable String chat(Form from, String body, Form to) {
        return told(Endpoint.V1_CHAT_COMPLETIONS, from, raw(body), to);
    }

    private static @Nullable String completions(Form from, String body, Form to) {
        return told(Endpoint.V1_COMPLETIONS, from, raw(body), to);
    }

    @Test
    void chatChunksBecomeOneObject() {
        assertThat(chat(Form.STREAM_WITH_USAGE, CHAT_STREAM + COUNTED + DONE, Form.WHOLE))
                .isEqualTo(CHAT_WHOLE);
    }

    @Test
    void theOlderChunksBecomeOneObjectToo() {
        String stream =
                HEAD + "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"a\"},\"finish_reason\":null}]}\n\n"
                        + HEAD
                        + "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\n"
                        + COUNTED + DONE;

        assertThat(chat(Form.STREAM_WITH_USAGE, stream, Form.WHOLE))
                .contains("\"message\":{\"role\":\"assistant\",\"content\":\"ab\"},\"finish_reason\":\"stop\"}],"
                        + USAGE);
    }

    @Test
    void aChatObjectBecomesAChunkOfReasoningAndOneOfTheRest() {
        String reasoning = HEAD
                + "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"reasoning\":\"Hm, ok\"},\"finish_reason\":null,"
                + "\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":-1e-07},{\"token\":\"b\",\"logprob\":-0.50}]}}]}\n\n";
        String rest = HEAD + "{\"index\":0,\"delta\":{\"content\":\"He\\\"llo\",\"tool_calls\":[" + CALL_1 + ","
                + CALL_2 + "]},\"finish_reason\":null}]}\n\n";

        assertThat(chat(Form.WHOLE, CHAT_WHOLE, Form.STREAM)).isEqualTo(reasoning + rest + FINISH + DONE);
        assertThat(chat(Form.WHOLE, CHAT_WHOLE, Form.STREAM_WITH_USAGE))
                .isEqualTo(reasoning + rest + FINISH + COUNTED + DONE);
    }

    @Test
    void aPlainChatObjectBecomesOneChunkWithItsRole() {
        String whole = CHAT_WHOLE.replaceFirst(
                ",\"reasoning\".*?\"finish_reason\":\"tool_calls\",\"logprobs\".*?]}}]",
                "},\"finish_reason\":\"stop\"}]");

        assertThat(chat(Form.WHOLE, whole, Form.STREAM))
                .isEqualTo(HEAD
                        + "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"He\\\"llo\"},\"finish_reason\":null}]}\n\n"
                        + FINISH.replace("tool_calls", "stop") + DONE);
    }

    @Test
    void aStreamLosesItsUsage() {
        assertThat(chat(Form.STREAM_WITH_USAGE, CHAT_STREAM + COUNTED + DONE, Form.STREAM))
                .isEqualTo(CHAT_STREAM + DONE);
    }

    @Test
    void aStreamWithoutUsageCannotTellIt() {
        CachedAnswer stream = Answers.kept(Endpoint.V1_CHAT_COMPLETIONS, Form.STREAM, raw(CHAT_STREAM + DONE));

        assertThat(stream.tokens()).isEqualTo(-1);
        assertThat(stream.as(Form.WHOLE)).isNull();
        assertThat(stream.as(Form.STREAM_WITH_USAGE)).isNull();
        assertThat(Answers.kept(Endpoint.V1_CHAT_COMPLETIONS, Form.STREAM_WITH_USAGE, raw(CHAT_STREAM + COUNTED + DONE))
                        .tokens())
                .isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"index\":1,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}",
                "{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null},{\"index\":1,\"delta\":{},\"finish_reason\":null}",
                "{\"index\":0,\"delta\":{\"content\":\"a\",\"refusal\":\"x\"},\"finish_reason\":null}",
                "{\"index\":0,\"delta\":{\"content\":\"a\",\"role\":\"tool\"},\"finish_reason\":null}",
                "{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}",
                "{\"index\":0,\"delta\":{\"content\":[]},\"finish_reason\":null}",
                "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]},\"finish_reason\":null}",
                "{\"index\":0,\"delta\":{\"tool_calls\":[{\"id\":\"call_1\",\"index\":0,\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":null}",
                "{\"index\":0,\"delta\":{},\"finish_reason\":null,\"logprobs\":{\"content\":[],\"refusal\":[]}}",
                ""
            })
    void whatCannotBeJoinedForSureIsNot(String choice) {
        String stream = HEAD + choice + "]}\n\n" + CHAT_STREAM + COUNTED + DONE;

        assertThat(chat(Form.STREAM_WITH_USAGE, stream, Form.WHOLE)).isNull();
    }

    @Test
    void completionChunksBecomeOneObject() {
        String stream = completion("one", "null", ZEROS)
                + completion(" two", "null", ZEROS)
                + completion("", "\"stop\"", ZEROS)
                + completionCounted();

        assertThat(completions(Form.STREAM_WITH_USAGE, stream, Form.WHOLE)).isEqualTo(COMPLETION_WHOLE);
        assertThat(completions(Form.STREAM_WITH_USAGE, stream, Form.STREAM))
                .isEqualTo(completion("one", "null", "")
                        + completion(" two", "null", "")
                        + completion("", "\"stop\"", "")
                        + DONE);
    }

    @Test
    void aCompletionObjectBecomesChunks() {
        assertThat(completions(Form.WHOLE, COMPLETION_WHOLE, Form.STREAM))
                .isEqualTo(completion("one two", "null", "") + completion("", "\"stop\"", "") + DONE);
        assertThat(completions(Form.WHOLE, COMPLETION_WHOLE, Form.STREAM_WITH_USAGE))
                .isEqualTo(
                        completion("one two", "null", ZEROS) + completion("", "\"stop\"", ZEROS) + completionCounted());
    }

    @Test
    void aCompletionWithAnUnknownMemberIsNotTold() {
        String whole = COMPLETION_WHOLE.replace("\"index\":0", "\"index\":0,\"logprobs\":{}");

        assertThat(completions(Form.WHOLE, whole, Form.STREAM)).isNull();
    }
}
