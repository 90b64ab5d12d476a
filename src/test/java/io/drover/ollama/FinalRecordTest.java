package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FinalRecordTest {
    private static final String METRICS = "\"total_duration\":5589157167,\"load_duration\":3013701500,"
            + "\"prompt_eval_count\":46,\"prompt_eval_duration\":1160282000,\"eval_count\":113,"
            + "\"eval_duration\":1325948000";
    private static final FinalRecord RECORD =
            new FinalRecord(46, 113, 3013701500L, 1160282000L, 1325948000L, 5589157167L, true);
    private static final String TOKEN_LINE =
            "{\"model\":\"m\",\"created_at\":\"2026-08-22T01:48:22Z\",\"message\":{\"role\":\"assistant\",\"content\":\" the\"},"
                    + "\"done\":false}\n";
    private static final String CHAT_END =
            "{\"model\":\"m\",\"created_at\":\"2026-08-22T01:48:22Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},"
                    + "\"done\":true,\"done_reason\":\"stop\"," + METRICS + "}\n";
    private static final String SSE_END =
            "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
                    + "data: {\"id\":\"chatcmpl-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":26,"
                    + "\"completion_tokens\":298,\"total_tokens\":324}}\n\ndata: [DONE]\n\n";
    private static final FinalRecord USAGE = usage(26, 298, true);

    @Test
    void lastLineOfAChat() {
        assertThat(parse(Endpoint.CHAT, TOKEN_LINE.repeat(30) + CHAT_END)).isEqualTo(RECORD);
        assertThat(parse(Endpoint.CHAT, CHAT_END.strip()))
                .as("not streamed: no newline")
                .isEqualTo(RECORD);
    }

    @Test
    void cutAtEveryByte() {
        for (int cut = 0; cut <= CHAT_END.length(); cut++) {
            assertThat(parse(Endpoint.CHAT, TOKEN_LINE + CHAT_END.substring(0, cut), CHAT_END.substring(cut)))
                    .isEqualTo(RECORD);
        }
        for (int cut = 0; cut <= SSE_END.length(); cut++) {
            assertThat(parse(Endpoint.V1_CHAT_COMPLETIONS, SSE_END.substring(0, cut), SSE_END.substring(cut)))
                    .isEqualTo(USAGE);
        }
    }

    @Test
    void wrappedAtEveryOffsetOfTheRing() {
        for (int offset = 0; offset <= 2 * TailRing.CAPACITY; offset++) {
            String before = "x".repeat(offset) + "\n";
            assertThat(parse(Endpoint.CHAT, before, CHAT_END)).isEqualTo(RECORD);
            assertThat(parse(Endpoint.V1_CHAT_COMPLETIONS, before, SSE_END)).isEqualTo(USAGE);
        }
    }

    @Test
    void aRecordThatItselfBeginsBeforeTheRing() {
        for (int length = TailRing.CAPACITY - METRICS.length() - 60; length < TailRing.CAPACITY + 10; length++) {
            String line =
                    "{\"model\":\"m\",\"response\":\"" + "y".repeat(length) + "\",\"done\":true," + METRICS + "}\n";
            assertThat(parse(Endpoint.GENERATE, line)).isEqualTo(RECORD);
        }
    }

    @Test
    void aContextOfTwoMegabytes() {
        String line = "{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"context\":["
                + "128006,".repeat(300_000) + "1]," + METRICS + "}\n";

        assertThat(parse(Endpoint.GENERATE, TOKEN_LINE, line)).isEqualTo(RECORD);
    }

    @Test
    void membersAfterTheMetrics() {
        String line = "{\"model\":\"m\",\"response\":\"\",\"done\":true," + METRICS
                + ",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"eval_count\":7,\"done\":false}}}],"
                + "\"logprobs\":[{\"token\":\"}\\\"\",\"logprob\":-1.5e-3,\"bytes\":[125,34]}]}\n";

        assertThat(parse(Endpoint.GENERATE, line)).isEqualTo(RECORD);
    }

    @Test
    void whatIsAbsentIsUnknown() {
        assertThat(parse(
                        Endpoint.EMBED,
                        "{\"model\":\"m\",\"embeddings\":[[0.1,-2e-3]],\"total_duration\":14143917,"
                                + "\"load_duration\":1019500,\"prompt_eval_count\":8}"))
                .isEqualTo(new FinalRecord(8, -1, 1019500, -1, -1, 14143917, true));
        assertThat(parse(
                        Endpoint.GENERATE,
                        "{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}"))
                .isEqualTo(new FinalRecord(-1, -1, -1, -1, -1, -1, true));
        assertThat(parse(Endpoint.CHAT, TOKEN_LINE)).isEqualTo(FinalRecord.UNKNOWN);
        assertThat(parse(Endpoint.CHAT, "")).isEqualTo(FinalRecord.UNKNOWN);
        assertThat(parse(Endpoint.CHAT, TOKEN_LINE + "{\"error\":\"an error was encountered\"}\n"))
                .isEqualTo(FinalRecord.UNKNOWN);
    }

    @Test
    void whiteSpaceIsAllowed() {
        String line = CHAT_END.strip().replace(",\"", " ,\n\t\"").replace("\":", "\" : ");

        assertThat(parse(Endpoint.CHAT, line + "\r\n")).isEqualTo(RECORD);
    }

    @Test
    void theLastOfTwoMembersCounts() {
        assertThat(parse(Endpoint.CHAT, "{\"eval_count\":1,\"eval_count\":2,\"done\":true}")
                        .generatedTokens())
                .isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.5", "-1", "1e3", "\"7\"", "null", "[7]", "{\"eval_count\":7}", "12345678901234567890"})
    void aCountThatIsNoPlainNumberIsUnknown(String value) {
        FinalRecord record =
                parse(Endpoint.CHAT, "{\"done\":true,\"prompt_eval_count\":3,\"eval_count\":" + value + "}");

        assertThat(record.generatedTokens()).isEqualTo(-1);
        assertThat(record.promptTokens()).isEqualTo(3);
    }

    @Test
    void toolArgumentsAreNotMembers() {
        String line =
                "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
                        + "\"arguments\":{\"eval_count\":5,\"total_duration\":6}}}],\"eval_count\":7},\"done\":false}\n";

        assertThat(parse(Endpoint.CHAT, line)).isEqualTo(FinalRecord.UNKNOWN);
    }

    @Test
    void textOfTheModelIsNeverTakenForAMember() {
        String[] parts = {
            "\"",
            "\\",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\n",
            "\"eval_count\":5",
            ",\"total_duration\":6}",
            "data: [DONE]",
            "\n\ndata: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n",
            "\"usage\":{\"output_tokens\":9}}",
            " "
        };
        Random random = new Random(11);
        for (int round = 0; round < 3000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(12); i >= 0; i--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            String json = new String(JsonStringEncoder.getInstance().quoteAsString(text.toString()));
            String line = "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"" + json
                    + "\"},\"done\":false}";
            assertNothingFound(Endpoint.CHAT, line, round);
            String event = "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"" + json + "\"}}]}\n\n";
            assertNothingFound(Endpoint.V1_CHAT_COMPLETIONS, event, round);
            String delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\""
                    + json + "\"}}\n\n";
            assertNothingFound(Endpoint.V1_MESSAGES, delta, round);
        }
    }

    /** Whole, and cut at any place as a dying backend leaves it. */
    private static void assertNothingFound(Endpoint endpoint, String line, int round) {
        assertThat(parse(endpoint, line)).as(line).isEqualTo(FinalRecord.UNKNOWN);
        int step = 1 + round % 5;
        for (int cut = 0; cut < line.length(); cut += step) {
            assertThat(parse(endpoint, line.substring(0, cut)))
                    .as(line.substring(0, cut))
                    .isEqualTo(FinalRecord.UNKNOWN);
        }
    }

    @Test
    void openAiStreamWithoutUsage() {
        String stream = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";

        assertThat(parse(Endpoint.V1_CHAT_COMPLETIONS, stream.repeat(50) + "data: [DONE]\n\n"))
                .isEqualTo(usage(-1, -1, true));
        assertThat(parse(Endpoint.V1_CHAT_COMPLETIONS, stream.repeat(50)))
                .as("cut before its end")
                .isEqualTo(usage(-1, -1, false));
    }

    @Test
    void completionsSendZerosWithEveryChunk() {
        String zeros =
                "data: {\"choices\":[{\"text\":\"a\"}],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}\n\n";
        String last = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";

        assertThat(parse(Endpoint.V1_COMPLETIONS, zeros.repeat(40) + last + "data: [DONE]\n\n"))
                .isEqualTo(usage(3, 4, true));
        String long0 = zeros.replace("\"a\"", "\"" + "a".repeat(3000) + "\"");
        assertThat(parse(Endpoint.V1_COMPLETIONS, long0))
                .as("a long chunk of a stream that was cut is no answer of one object")
                .isEqualTo(usage(0, 0, false));
    }

    @Test
    void aUsageOfNullIsPassedOver() {
        String usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";
        String none = "data: {\"choices\":[],\"usage\":null}\n\n";

        assertThat(parse(Endpoint.V1_CHAT_COMPLETIONS, usage + none + ": ping\n\ndata: [DONE]\n\n"))
                .isEqualTo(usage(3, 4, true));
    }

    @Test
    void openAiAnswersOfOneObject() {
        String text = "z".repeat(5000);
        assertThat(parse(
                        Endpoint.V1_CHAT_COMPLETIONS,
                        "{\"id\":\"c\",\"choices\":[{\"message\":{\"content\":\"" + text + "\"}}],"
                                + "\"usage\":{\"prompt_tokens\":26,\"completion_tokens\":298,\"total_tokens\":324}}\n"))
                .isEqualTo(USAGE);
        assertThat(parse(
                        Endpoint.V1_EMBEDDINGS,
                        "{\"object\":\"list\",\"data\":[{\"embedding\":[0.1]}],\"model\":\"m\","
                                + "\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8}}\n"))
                .isEqualTo(usage(8, -1, true));
        assertThat(parse(Endpoint.V1_CHAT_COMPLETIONS, "{\"error\":{\"message\":\"x\",\"type\":\"api_error\"}}\n"))
                .isEqualTo(FinalRecord.UNKNOWN);
    }

    @Test
    void detailsInsideTheUsageAreNotItsCounts() {
        assertThat(parse(
                        Endpoint.V1_CHAT_COMPLETIONS,
                        "{\"usage\":{\"completion_tokens\":2,\"prompt_tokens_details\":{\"prompt_tokens\":99},"
                                + "\"prompt_tokens\":1,\"x\":{\"completion_tokens\":98}}}"))
                .isEqualTo(usage(1, 2, true));
    }

    @Test
    void anthropicStream() {
        String start =
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"content\":[],"
                        + "\"usage\":{\"input_tokens\":12,\"output_tokens\":0}}}\n\n";
        String delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
                + "\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n";
        String end = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
                + "\"usage\":{\"output_tokens\":34}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

        assertThat(parse(Endpoint.V1_MESSAGES, start + delta + end)).isEqualTo(usage(12, 34, true));
        assertThat(parse(Endpoint.V1_MESSAGES, start + delta.repeat(100) + end)).isEqualTo(usage(-1, 34, true));
        assertThat(parse(Endpoint.V1_MESSAGES, start + delta)).isEqualTo(usage(12, 0, false));
        assertThat(parse(
                        Endpoint.V1_MESSAGES,
                        "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],\"stop_reason\":\"end_turn\","
                                + "\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}\n"))
                .isEqualTo(usage(5, 6, true));
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 1500, 100_000})
    void responsesStreamWhoseLastEventHoldsTheWholeText(int length) {
        String completed =
                "event: response.completed\ndata: {\"response\":{\"created_at\":1,\"metadata\":{\"usage\":\"x\"},"
                        + "\"output\":[{\"content\":[{\"text\":\"" + "t".repeat(length) + "\"}]}],"
                        + "\"usage\":{\"input_tokens\":7,\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens\":9,"
                        + "\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":16},\"user\":null},"
                        + "\"sequence_number\":12,\"type\":\"response.completed\"}\n\n";

        assertThat(parse(Endpoint.V1_RESPONSES, completed)).isEqualTo(usage(7, 9, true));
        assertThat(parse(Endpoint.V1_RESPONSES, completed.replace(",\"type\":\"response.completed\"", "")))
                .as("the type may stand at the beginning")
                .isEqualTo(usage(7, 9, true));
    }

    @Test
    void responsesAnswerOfOneObject() {
        assertThat(parse(
                        Endpoint.V1_RESPONSES,
                        "{\"id\":\"resp_1\",\"output\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":9},"
                                + "\"max_output_tokens\":null,\"store\":false,\"metadata\":{}}\n"))
                .isEqualTo(usage(7, 9, true));
    }

    @Test
    void aUsageInAnotherMemberDoesNotCount() {
        assertThat(parse(
                        Endpoint.V1_CHAT_COMPLETIONS, "{\"timings\":{\"usage\":{\"prompt_tokens\":1}},\"id\":\"c\"}\n"))
                .isEqualTo(FinalRecord.UNKNOWN);
    }

    @Test
    void transcriptionsAndManagementTellNothing() {
        assertThat(parse(Endpoint.V1_TRANSCRIPTIONS, "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}"))
                .isEqualTo(FinalRecord.UNKNOWN);
        assertThat(parse(Endpoint.PULL, "{" + METRICS + "}")).isEqualTo(FinalRecord.UNKNOWN);
    }

    @ParameterizedTest
    @EnumSource(
            value = Endpoint.class,
            names = {"CHAT", "V1_CHAT_COMPLETIONS", "V1_MESSAGES", "V1_RESPONSES"})
    void garbageIsNeverAnError(Endpoint endpoint) {
        String alphabet = "{}[]\":,\\ \n\rdata: 0123456789eval_countusage-+.";
        Random random = new Random(endpoint.ordinal());
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? CHAT_END : SSE_END);
            for (int i = random.nextInt(6); i >= 0; i--) {
                int at = random.nextInt(text.length());
                char c = alphabet.charAt(random.nextInt(alphabet.length()));
                switch (random.nextInt(3)) {
                    case 0 -> text.setCharAt(at, c);
                    case 1 -> text.insert(at, c);
                    default -> text.setLength(at + 1);
                }
            }
            FinalRecord record = parse(endpoint, text.toString());
            assertThat(record.promptTokens()).isGreaterThanOrEqualTo(-1);
        }
        assertThat(parse(endpoint, "}".repeat(5000))).isEqualTo(FinalRecord.UNKNOWN);
        assertThat(parse(endpoint, "]}".repeat(5000))).isEqualTo(FinalRecord.UNKNOWN);
        assertThat(parse(endpoint, "\\\"".repeat(5000) + "}")).isEqualTo(FinalRecord.UNKNOWN);
    }

    private static FinalRecord usage(long prompt, long generated, boolean done) {
        return new FinalRecord(prompt, generated, -1, -1, -1, -1, done);
    }

    private static FinalRecord parse(Endpoint endpoint, String... pieces) {
        TailRing ring = new TailRing();
        for (String piece : pieces) {
            ByteBuf buf = Unpooled.wrappedBuffer(piece.getBytes(StandardCharsets.UTF_8));
            ring.append(buf, 0, buf.readableBytes());
        }
        return FinalRecord.parse(ring, endpoint);
    }
}
