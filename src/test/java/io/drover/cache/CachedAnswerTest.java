package io.drover.cache;

import static io.drover.cache.Answers.kept;
import static io.drover.cache.Answers.text;
import static io.drover.cache.Answers.tried;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.Charset;
import java.time.Instant;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept and what is not, and what is new in each replay. */
class CachedAnswerTest {
    private static final String HEAD = "{\"model\":\"m\",\"created_at\":\"2025-01-01T00:00:00.5Z\",";
    private static final String LINE = HEAD + "\"response\":\"hi\",\"done\":false}\n";
    private static final String LAST = HEAD + "\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"}\n";
    private static final String CHUNK_HEAD =
            "data: {\"id\":\"chatcmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                    + "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{";
    private static final String CHUNK = CHUNK_HEAD + "\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";
    private static final String ENDED = CHUNK_HEAD + "},\"finish_reason\":";
    private static final String END = ENDED + "\"stop\"}]}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

    @Test
    void aStreamThatReachedDoneIsKept() {
        CachedAnswer answer = kept(Endpoint.GENERATE, Form.STREAM, LINE + LAST);

        assertThat(answer.endpoint()).isEqualTo(Endpoint.GENERATE);
        assertThat(answer.form()).isEqualTo(Form.STREAM);
        assertThat(answer.contentType()).isEqualTo("application/x-ndjson");
        assertThat(answer.origin()).isEqualTo(Answers.ORIGIN);
        assertThat(answer.tokens()).isEqualTo(-1);
        assertThat(answer.weight()).isGreaterThan(answer.body().length);
        assertThat(answer.as(Form.STREAM)).isSameAs(answer);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                LINE,
                LINE + "{\"error\":\"llama runner terminated\"}\n",
                LAST + "{\"error\":\"x\"}\n",
                LAST + LAST,
                LINE + "\n" + LAST,
                LINE + HEAD + "\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"",
                HEAD + "\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}\n",
                HEAD + "\"response\":\"\",\"done\":true,\"done_reason\":\"unload\"}\n",
                "{\"model\":\"m\",\"remote_host\":\"https://ollama.com:443\",\"created_at\":\"2025-01-01T00:00:00Z\","
                        + "\"response\":\"\",\"done\":true}\n",
                HEAD + "\"response\":\"\",\"done\":true,\"_debug_info\":{}}\n",
                HEAD + "\"response\":\"\",\"done\":true,\"done\":true}\n",
                "{\"model\":\"m\",\"response\":\"\",\"done\":true}\n",
                "{\"model\":\"m\",\"created_at\":1,\"response\":\"\",\"done\":true}\n",
                HEAD + "\"response\":\"\",\"done\":true}\n",
                HEAD + "\"response\":\"\",\"done\":true,\"done_reason\":\"\"}\n",
                LAST + LINE,
                "[" + LINE + "]",
                LINE + LAST + "x"
            })
    void anyOtherStreamOfGenerateIsNot(String body) {
        assertThat(tried(Endpoint.GENERATE, Form.STREAM, body)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"error\":\"x\"}",
                HEAD + "\"response\":\"x\",\"done\":false}",
                HEAD + "\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}",
                HEAD + "\"response\":\"\",\"done\":true} {}",
                HEAD + "\"response\":\"\",\"done\":true",
            })
    void anObjectThatIsNoAnswerIsNotKept(String body) {
        assertThat(tried(Endpoint.GENERATE, Form.WHOLE, body)).isNull();
    }

    /** Jackson takes them, with places that mean nothing here; no client of Ollama's does. */
    @ParameterizedTest
    @ValueSource(strings = {"UTF-16BE", "UTF-16LE", "UTF-16", "UTF-32BE"})
    void anAnswerInAnotherEncodingIsNotKept(Charset encoding) {
        assertThat(tried(Endpoint.GENERATE, Form.WHOLE, LAST.strip().getBytes(encoding)))
                .isNull();
        assertThat(tried(Endpoint.GENERATE, Form.STREAM, LAST.getBytes(encoding)))
                .isNull();
        assertThat(tried(Endpoint.EMBEDDINGS, Form.WHOLE, "{\"embedding\":[0.5]}".getBytes(encoding)))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "GENERATE, WHOLE, application/x-ndjson",
        "GENERATE, STREAM, application/json",
        "GENERATE, STREAM_WITH_USAGE, text/event-stream",
        "TAGS, WHOLE, application/json",
        "EMBED, STREAM, application/x-ndjson",
        "GENERATE, WHOLE, text/html",
        "GENERATE, WHOLE, ''",
    })
    void whatDoesNotFitTheFormIsNotKept(Endpoint endpoint, Form form, String type) {
        assertThat(CachedAnswer.of(endpoint, form, type, LAST.getBytes(UTF_8), Answers.ORIGIN))
                .isNull();
    }

    @Test
    void theContentTypeMayBeSpelledAnyWay() {
        assertThat(CachedAnswer.of(
                        Endpoint.GENERATE,
                        Form.WHOLE,
                        "Application/JSON ; charset=utf-8",
                        LAST.getBytes(UTF_8),
                        Answers.ORIGIN))
                .isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                CHUNK,
                CHUNK + DONE,
                CHUNK + ENDED + "\"load\"}]}\n\n" + DONE,
                CHUNK + ENDED + "\"unload\"}]}\n\n" + DONE,
                CHUNK + ENDED + "\"\"}]}\n\n" + DONE,
                CHUNK + END + "data: [DONE]",
                CHUNK + END + "data: [DONE]\n",
                DONE,
                CHUNK + END + DONE + CHUNK,
                CHUNK + END + DONE + DONE,
                DONE + CHUNK + END + DONE,
                "data: {\"error\":{\"message\":\"x\"}}\n\n" + END + DONE,
                "data: {}\n\n" + END + DONE,
                "data: {\"id\":\"\",\"created\":1,\"choices\":[]}\n\n" + END + DONE,
                "data: {\"id\":\"chatcmpl-\\u0031\",\"created\":1,\"choices\":[]}\n\n" + END + DONE,
                "data: {\"id\":\"chatcmpl-1\",\n\n" + END + DONE,
                // A line's end within a string, made by joining lines of data.
                "data: {\"id\":\"chatcmpl-1\",\"created\":1,\"choices\":[],\"a\":\"b\ndata: c\"}\n\n" + END + DONE,
            })
    void anOpenAiStreamWithoutItsEndIsNotKept(String body) {
        assertThat(tried(Endpoint.V1_CHAT_COMPLETIONS, Form.STREAM, body)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"error\":{\"message\":\"x\"}}",
                "{\"id\":\"chatcmpl-1\",\"created\":1,\"choices\":[]}",
                "{\"id\":\"chatcmpl-1\",\"created\":1,\"choices\":[{\"finish_reason\":null}]}",
                "{\"id\":\"cmpl-1\",\"created\":1,\"choices\":[{\"text\":\"\",\"finish_reason\":\"load\"}]}",
            })
    void anOpenAiObjectWithoutItsEndIsNotKept(String body) {
        assertThat(tried(Endpoint.V1_CHAT_COMPLETIONS, Form.WHOLE, body)).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "EMBED | {\"model\":\"m\",\"embeddings\":[[0.1,-2e-3]],\"prompt_eval_count\":5} | 5",
                "EMBED | {\"model\":\"m\",\"embeddings\":[[0.1],[1]]} | -1",
                "EMBEDDINGS | {\"embedding\":[0.1,2]} | -1",
                "V1_EMBEDDINGS | {\"data\":[{\"embedding\":[1],\"index\":0}],\"usage\":{\"prompt_tokens\":4,\"x\":[]}} | 4",
                "V1_EMBEDDINGS | {\"data\":[{\"embedding\":\"AAAA\",\"index\":0}]} | -1",
                "V1_TRANSCRIPTIONS | {\"text\":\"hello\"} | -1",
            })
    void vectorsAndTranscriptionsAreKeptAsTheyAre(Endpoint endpoint, String body, long tokens) {
        CachedAnswer answer = kept(endpoint, Form.WHOLE, body);

        assertThat(text(answer)).isEqualTo(body);
        assertThat(answer.tokens()).isEqualTo(tokens);
        assertThat(answer.as(Form.STREAM)).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "EMBED | {\"model\":\"m\",\"embeddings\":[]}",
                "EMBED | {\"model\":\"m\",\"embeddings\":[[0.1],[]]}",
                "EMBED | {\"model\":\"m\",\"embeddings\":[[0.1],[null]]}",
                "EMBED | {\"model\":\"m\",\"embeddings\":[0.1]}",
                "EMBED | {\"model\":\"m\",\"embeddings\":[[0.1]]",
                "EMBED | {\"model\":\"m\",\"embeddings\":[[0.1]]} {}",
                "EMBED | {\"model\":\"m\",\"data\":[[0.1]]}",
                "EMBED | {\"error\":\"x\",\"embeddings\":[[0.1]]}",
                "EMBED | [[0.1]]",
                "EMBEDDINGS | {\"embedding\":[]}",
                "EMBEDDINGS | {}",
                "V1_EMBEDDINGS | {\"data\":[{\"embedding\":[]}]}",
                "V1_EMBEDDINGS | {\"data\":[{\"embedding\":\"\"}]}",
                "V1_EMBEDDINGS | {\"data\":[{\"index\":0}]}",
                "V1_EMBEDDINGS | {\"data\":null}",
                "V1_TRANSCRIPTIONS | {\"error\":\"x\"}",
            })
    void withoutVectorsTheyAreNot(Endpoint endpoint, String body) {
        assertThat(tried(endpoint, Form.WHOLE, body)).isNull();
    }

    @Test
    void eachLineIsToldAtTheTimeOfTheReplay() {
        String replay = text(kept(Endpoint.GENERATE, Form.STREAM, LINE + LAST));

        Matcher times = Pattern.compile("\"created_at\":\"(2026-08-22T01:48:22\\.125\\d{6}Z)\"")
                .matcher(replay);
        assertThat(times.results().map(found -> found.group(1)).distinct()).hasSize(1);
        assertThat(replay).doesNotContain("2025-01-01");
        assertThat(replay.replaceAll("\"2026-[^\"]*\"", "\"2025-01-01T00:00:00.5Z\""))
                .isEqualTo(LINE + LAST);
    }

    @Test
    void theTimeIsOneThatGoWouldWrite() {
        Random random = new Random(3);
        for (int i = 0; i < 500; i++) {
            long millis = random.nextLong(1_000_000_000_000L, 9_999_999_999_999L);
            String time = new String(FreshValues.time(millis, random), UTF_8);

            assertThat(time).hasSize(30).doesNotEndWith("0Z");
            assertThat(Instant.parse(time).toEpochMilli()).isEqualTo(millis);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 999_999_999_999L, 10_000_000_000_000L, Long.MAX_VALUE})
    void aClockThatIsWrongChangesNoWidth(long millis) {
        assertThat(FreshValues.time(millis, new Random(1))).hasSize(30);
        assertThat(new String(FreshValues.seconds10(millis), UTF_8)).matches("[1-9]\\d{9}");
    }

    @Test
    void allChunksGetTheSameFreshIdAndTime() {
        CachedAnswer answer = kept(Endpoint.V1_CHAT_COMPLETIONS, Form.STREAM, CHUNK + END + DONE);

        String replay = text(answer);

        Matcher heads = Pattern.compile("\"id\":\"chatcmpl-([1-9]\\d\\d)\",.{1,60}\"created\":1787363302,")
                .matcher(replay);
        assertThat(heads.results().map(found -> found.group(1)).toList())
                .hasSize(2)
                .allMatch(id -> replay.contains("chatcmpl-" + id));
        assertThat(replay.split("chatcmpl-\\d{3}", -1)).hasSize(3);
        assertThat(Pattern.compile("chatcmpl-\\d+")
                        .matcher(replay)
                        .results()
                        .map(m -> m.group())
                        .distinct())
                .hasSize(1);
    }

    @Test
    void anIdKeepsItsShapeAndIsAnotherEachTime() {
        Random random = new Random(5);
        for (int i = 0; i < 200; i++) {
            assertThat(id("123", random)).matches("[1-9]\\d\\d");
            assertThat(id("0123456789abcdef01234567", random)).matches("[0-9a-f]{24}");
            assertThat(id("68a0-Zq", random)).matches("[0-9a-z]{4}-[0-9a-z]{2}");
        }
        assertThat(id("0123456789abcdef01234567", random)).isNotEqualTo(id("0123456789abcdef01234567", random));
        assertThat(new String(FreshValues.idPattern("resp_", "12"), UTF_8)).hasSize(6);
        assertThat(new String(FreshValues.idPattern("chatcmpl-", "12"), UTF_8)).hasSize(3);
        assertThat(new String(FreshValues.idPattern("msg_", "abc123"), UTF_8)).isEqualTo("abc123");
    }

    private static String id(String pattern, Random random) {
        return new String(FreshValues.id(pattern.getBytes(UTF_8), random), UTF_8);
    }

    @Test
    void textThatLooksLikeAPlaceStays() {
        String content =
                "\\\"created_at\\\":\\\"2020-01-01T00:00:00Z\\\" \\\"id\\\":\\\"chatcmpl-1\\\" \\u00e9\\ud83d\\ude00 é";
        String line =
                "{\"model\":\"m\",\"created_at\":\"2025-01-01T00:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":\""
                        + content
                        + "\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"created_at\":\"x\",\"id\":\"y\"}}}]},"
                        + "\"done\":true,\"done_reason\":\"stop\"}\n";

        String replay = text(kept(Endpoint.CHAT, Form.STREAM, line));

        assertThat(Answers.steady(replay)).isEqualTo(line.replace("2025-01-01T00:00:00Z", "T"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 29, 30, 31, 64, 1000})
    void aReplayInPiecesIsTheSame(int piece) {
        String chunks = CHUNK.replace("hi", "é \\u003c \\n\\\"").repeat(9) + END + DONE;
        CachedAnswer stream = kept(Endpoint.GENERATE, Form.STREAM, LINE.repeat(9) + LAST);
        CachedAnswer events = kept(Endpoint.V1_CHAT_COMPLETIONS, Form.STREAM, chunks);

        assertThat(text(stream, piece)).isEqualTo(text(stream));
        assertThat(text(events, piece)).isEqualTo(text(events));
    }

    @Test
    void aReplayGoesBehindWhatABufferHasAlready() {
        CachedAnswer answer = kept(Endpoint.GENERATE, Form.STREAM, LINE + LAST);
        ByteBuf out = Unpooled.buffer(16, 4096).writeBytes(new byte[10]);
        Rendering rendering = answer.rendering(Answers.WALL_MILLIS, new Random(1));

        rendering.writeTo(out);

        assertThat(out.capacity()).isEqualTo(16);
        assertThat(out.toString(10, 6, UTF_8)).isEqualTo("{\"mode");
        assertThat(rendering.isDone()).isFalse();
    }

    @Test
    void eventsMayBeFramedInAnyWayThatTheStandardHas() {
        String chunk = END.substring("data: ".length()).strip();
        int comma = chunk.indexOf("\"model\"");
        String odd = ": a comment\r\n\r\nid: 1\r\ndata:" + chunk + "\r\n\r\n"
                + "data: " + chunk.substring(0, comma) + "\nevent: x\ndata:" + chunk.substring(comma) + "\n: y\n\n"
                + "data:[DONE]\r\n\r\n";

        CachedAnswer answer = kept(Endpoint.V1_CHAT_COMPLETIONS, Form.STREAM, odd);

        assertThat(answer.patches().count()).isEqualTo(4);
        assertThat(text(answer).replaceAll("chatcmpl-\\d+", "chatcmpl-7").replaceAll("1787363302", "1"))
                .isEqualTo(odd);
    }
}
