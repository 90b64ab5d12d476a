package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerLinesTest {
    private static final String LINES = """
            {"model":"m","created_at":"2026-08-22T01:48:22.1Z","message":{"role":"assistant","content":"a\\"}"},"done":false}
            {"model":"m","created_at":"2026-08-22T01:48:22.12Z","message":{"content":"","tool_calls":[{"id":"call_1","function":{"arguments":{"id":7}}}]}}
            {"model":"m","created_at":"x","done":true,"total_duration":5,"load_duration":6,"prompt_eval_count":7,"eval_count":3,"eval_duration":8}
            """;
    private static final String EVENTS = """
            data: {"id":"chatcmpl-1","object":"c","created":170,"choices":[{"delta":{"content":"a"}}]}

            data:{"id":"chatcmpl-1","created":170,"system_fingerprint":"fp","usage":[1,2],"choices":[]}

            data: [DONE]

            """;

    /** What is within the quotes of an incidental text: no digit of a number, since that must stay one. */
    private static final Pattern INCIDENTAL = Pattern.compile("\"(?:created_at|system_fingerprint|id)\":\"([^\"]+)");

    /** The same answer, made at another time. */
    private static String again(String answer) {
        return answer.replace("22.1Z", "59.987654321Z")
                .replace("call_1", "call_x7k2m9qa")
                .replaceAll("(duration|prompt_eval_count)\":\\d", "$1\":12345")
                .replace("chatcmpl-1", "chatcmpl-998")
                .replace("170", "99999")
                .replace("\"fp\"", "null")
                .replace("[1,2]", "{\"id\":{}}");
    }

    private static AnswerLines of(String answer) {
        AnswerLines lines = new AnswerLines(1000);
        assertThat(feed(lines, answer)).isEqualTo(answer);
        return lines;
    }

    /** What comes out of it. */
    private static String feed(AnswerLines lines, String piece) {
        ByteBuf buf = Unpooled.copiedBuffer(piece, StandardCharsets.UTF_8);
        ByteBuf out = Unpooled.buffer();
        for (int at = 0; at < buf.writerIndex(); ) {
            at = lines.read(buf, at, buf.writerIndex(), out);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {LINES, EVENTS})
    void whateverTheCutsTheSameAnswerSaysTheSame(String answer) {
        AnswerLines whole = of(answer);
        String other = again(answer);
        assertThat(other).isNotEqualTo(answer);
        for (int first = 0; first <= other.length(); first++) {
            for (int second = first; second <= other.length(); second += 17) {
                AnswerLines cut = new AnswerLines(1000);
                String out = feed(cut, other.substring(0, first)) + feed(cut, other.substring(first, second));
                assertThat(out).isEqualTo(other.substring(0, other.lastIndexOf('\n', second - 1) + 1));
                assertThat(out + feed(cut, other.substring(second))).isEqualTo(other);
                assertThat(cut.count()).isEqualTo(whole.count());
                assertThat(cut.saysTheSame(whole)).as("%d %d", first, second).isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LINES, EVENTS})
    void anythingElseIsADifference(String answer) {
        AnswerLines whole = of(answer);
        for (int i = 0; i < answer.length(); i++) {
            int at = i;
            AnswerLines lines = new AnswerLines(1000);
            feed(lines, answer.substring(0, at) + '~' + answer.substring(at + 1));
            boolean same =
                    INCIDENTAL.matcher(answer).results().anyMatch(found -> found.start(1) <= at && at < found.end(1));
            assertThat(lines.saysTheSame(whole))
                    .as("%d: %s", at, answer.substring(at))
                    .isEqualTo(same);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"response\":\"a\"}                     | {\"response\":\"b\"}",
                "{\"message\":{\"id\":1}}                 | {\"message\":{\"id\":2}}",
                "{\"message\":{\"created_at\":1}}         | {\"message\":{\"created_at\":2}}",
                "{\"tool_calls\":[{\"f\":{\"id\":1}}]}    | {\"tool_calls\":[{\"f\":{\"id\":2}}]}",
                "{\"created_at\":1,\"a\":{\"b\":1}}       | {\"created_at\":1,\"a\":{\"b\":2}}",
                "{\"created_at\":1                        | {\"created_at\":1,",
                "[{\"created_at\":1}]                     | [{\"created_at\":2}]",
                "event: a                                 | event: b",
                "data: [DONE]                             | data: [DONE] "
            })
    void oneLineDiffersFromAnother(String one, String other) {
        assertThat(of(one + "\n").saysTheSame(of(other + " \n"))).isFalse();
        assertThat(of(one + "\n").saysTheSame(of(one + "\n"))).isTrue();
    }

    @Test
    void theNumberOfLinesCounts() {
        assertThat(of("{}\n").saysTheSame(of("{}\n\n"))).isFalse();
        assertThat(of("{}\n\n").saysTheSame(of("\n{}\n"))).isFalse();
        assertThat(of("").saysTheSame(of(""))).isTrue();
    }

    @Test
    void theRepeatGoesOnWithTheIdsOfTheFirstAnswer() {
        AnswerLines lines = new AnswerLines(1000);
        String first = "data: {\"id\":\"one\",\"created\":1,\"n\":1}\n\n";
        assertThat(feed(lines, first + "data: {\"id")).isEqualTo(first);
        lines.onBroken();
        assertThat(feed(lines, "data: {\"created\":29,\"id\":\"other\",\"x\":{\"id\":3},\"n\":2}\n\ndata: [DONE]\n\n"))
                .isEqualTo("data: {\"created\":1,\"id\":\"one\",\"x\":{\"id\":3},\"n\":2}\n\ndata: [DONE]\n\n");
        assertThat(lines.count()).isEqualTo(6);
    }

    @Test
    void anEndWithoutALineEndIsNotLost() {
        AnswerLines lines = new AnswerLines(1000);
        assertThat(feed(lines, "{}\nhalf")).isEqualTo("{}\n");
        ByteBuf rest = Unpooled.buffer();
        lines.writeRest(rest);
        lines.writeRest(rest);
        assertThat(rest.toString(StandardCharsets.UTF_8)).isEqualTo("half");
    }

    @Test
    void fromALineOnThatIsTooLongEverythingPasses() {
        AnswerLines lines = new AnswerLines(8);
        assertThat(feed(lines, "1234567\n1234")).isEqualTo("1234567\n");
        assertThat(lines.isLost()).isFalse();
        assertThat(feed(lines, "56789")).isEqualTo("123456789");
        assertThat(lines.isLost()).isTrue();
        assertThat(feed(lines, "0\na")).isEqualTo("0\na");
        assertThat(lines.saysTheSame(lines)).isFalse();
    }
}
