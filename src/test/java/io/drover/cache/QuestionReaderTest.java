package io.drover.cache;

import static io.drover.ollama.Endpoint.CHAT;
import static io.drover.ollama.Endpoint.GENERATE;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.drover.ollama.Endpoint;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuestionReaderTest {
    private static final Asked ASKED = new Asked("d1", "0.32.15", "");

    private static final String PLAIN = "{'model':'m','prompt':'why?','options':{'seed':1}}";

    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "GENERATE; 'options':{'temperature':0}; true",
                "GENERATE; 'options':{'temperature':0.0}; true",
                "GENERATE; 'options':{'temperature':0e5}; true",
                "GENERATE; 'options':{'temperature':-0.0}; true",
                "GENERATE; 'options':{'temperature':0.00000000000000000000}; true",
                "GENERATE; 'options':{'temperature':0.1}; false",
                "GENERATE; 'options':{'temperature':-1}; false",
                "GENERATE; 'options':{'temperature':'0'}; false",
                "GENERATE; 'options':{'temperature':false}; false",
                "GENERATE; 'options':{'temperature':null}; false",
                "GENERATE; 'options':{'Temperature':0}; false",
                "GENERATE; 'temperature':0; false",
                "GENERATE; 'options':null; false",
                "GENERATE; 'options':[0]; false",
                "GENERATE; 'x':{'temperature':0}; false",
                "GENERATE; 'options':{'x':{'temperature':0}}; false",
                "GENERATE; 'options':{'seed':0}; true",
                "GENERATE; 'options':{'seed':42}; true",
                "GENERATE; 'options':{'seed':-2}; true",
                "GENERATE; 'options':{'seed':1.5}; true",
                "GENERATE; 'options':{'seed':-1}; false",
                "GENERATE; 'options':{'seed':-1.0}; false",
                "GENERATE; 'options':{'seed':-1.5}; false",
                "GENERATE; 'options':{'seed':4294967295}; false",
                "GENERATE; 'options':{'seed':1e300}; false",
                "GENERATE; 'options':{'seed':99999999999999999999999}; false",
                "GENERATE; 'options':{'seed':'42'}; false",
                "GENERATE; 'options':{'top_k':1}; true",
                "GENERATE; 'options':{'top_k':1.0}; true",
                "GENERATE; 'options':{'top_k':2}; false",
                "GENERATE; 'options':{'top_k':true}; false",
                "GENERATE; 'options':{'temperature':0.7,'seed':-1,'top_k':40}; false",
                "CHAT; 'options':{'temperature':0}; true",
                "CHAT; 'options':{}; false",
                "EMBED; 'x':1; true",
                "EMBEDDINGS; 'x':1; true",
                "V1_EMBEDDINGS; 'x':1; true",
                "V1_CHAT_COMPLETIONS; 'temperature':0; true",
                "V1_CHAT_COMPLETIONS; 'temperature':1; false",
                "V1_CHAT_COMPLETIONS; 'seed':7; true",
                "V1_CHAT_COMPLETIONS; 'seed':-1; false",
                "V1_CHAT_COMPLETIONS; 'seed':7.0; false",
                "V1_CHAT_COMPLETIONS; 'seed':'7'; false",
                "V1_CHAT_COMPLETIONS; 'seed':null; false",
                "V1_CHAT_COMPLETIONS; 'top_k':1; false",
                "V1_CHAT_COMPLETIONS; 'options':{'temperature':0}; false",
                "V1_COMPLETIONS; 'temperature':0; true",
                "V1_COMPLETIONS; 'seed':7; true",
                "V1_RESPONSES; 'temperature':0; true",
                "V1_RESPONSES; 'temperature':1.0; false",
                "V1_RESPONSES; 'seed':7; false",
                "V1_MESSAGES; 'temperature':0.0; true",
                "V1_MESSAGES; 'seed':7; false",
                "V1_MESSAGES; 'top_k':1; false",
            })
    void tellsWhetherTheRequestAsksForTheSameAnswerEveryTime(Endpoint endpoint, String field, boolean expected) {
        assertThat(question(endpoint, asking(endpoint, field)).deterministic()).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "GENERATE; 'x':1; STREAM",
                "GENERATE; 'stream':null; STREAM",
                "GENERATE; 'stream':true; STREAM",
                "GENERATE; 'stream':false; WHOLE",
                "CHAT; 'x':1; STREAM",
                "CHAT; 'stream':false; WHOLE",
                "CHAT; 'stream_options':{'include_usage':true}; STREAM",
                "EMBED; 'stream':true; WHOLE",
                "EMBEDDINGS; 'x':1; WHOLE",
                "V1_EMBEDDINGS; 'x':1; WHOLE",
                "V1_CHAT_COMPLETIONS; 'x':1; WHOLE",
                "V1_CHAT_COMPLETIONS; 'stream':true; STREAM",
                "V1_CHAT_COMPLETIONS; 'stream':true,'stream_options':null; STREAM",
                "V1_CHAT_COMPLETIONS; 'stream':true,'stream_options':{'include_usage':false}; STREAM",
                "V1_CHAT_COMPLETIONS; 'stream':true,'stream_options':{'include_usage':true}; STREAM_WITH_USAGE",
                "V1_CHAT_COMPLETIONS; 'stream_options':{'include_usage':true}; WHOLE",
                "V1_COMPLETIONS; 'stream':true,'stream_options':{'include_usage':true}; STREAM_WITH_USAGE",
                "V1_COMPLETIONS; 'stream':false; WHOLE",
                "V1_RESPONSES; 'x':1; WHOLE",
                "V1_RESPONSES; 'stream':true,'stream_options':{'include_usage':true}; STREAM",
                "V1_MESSAGES; 'x':1; WHOLE",
                "V1_MESSAGES; 'stream':true; STREAM",
            })
    void tellsHowTheClientWantsTheAnswer(Endpoint endpoint, String field, Form expected) {
        assertThat(question(endpoint, asking(endpoint, field)).form()).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "GENERATE; 'options':{'num_ctx':4096}; true",
                "GENERATE; 'options':{'num_ctx':null}; false",
                "GENERATE; 'options':{'num_ctx':'4096'}; false",
                "GENERATE; 'num_ctx':4096; false",
                "EMBED; 'options':{'num_ctx':4096}; true",
                "V1_CHAT_COMPLETIONS; 'options':{'num_ctx':4096}; false",
            })
    void tellsWhetherTheContextIsGiven(Endpoint endpoint, String field, boolean expected) {
        assertThat(question(endpoint, asking(endpoint, field)).contextGiven()).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "GENERATE; {'model':'m'}",
                "GENERATE; {}",
                "GENERATE; {'model':'m','prompt':''}",
                "GENERATE; {'model':'m','prompt':null,'keep_alive':0}",
                "GENERATE; {'model':'m','prompt':'','images':['aGk=']}",
                "CHAT; {'model':'m'}",
                "CHAT; {'model':'m','messages':null}",
                "CHAT; {'model':'m','messages':[]}",
                "EMBED; {'model':'m'}",
                "EMBED; {'model':'m','input':''}",
                "EMBED; {'model':'m','input':[]}",
                "EMBEDDINGS; {'model':'m','prompt':''}",
                "V1_COMPLETIONS; {'model':'m','prompt':''}",
                "V1_CHAT_COMPLETIONS; {'model':'m','messages':[]}",
                "V1_EMBEDDINGS; {'model':'m','input':''}",
                "V1_RESPONSES; {'model':'m','input':''}",
                "V1_RESPONSES; {'model':'m','input':[],'instructions':'be brief'}",
                "V1_MESSAGES; {'model':'m','messages':[{'role':'user','content':''}]}",
                "V1_MESSAGES; {'model':'m','messages':[{'role':'user','content':[{'type':'text','text':''}]}]}",
            })
    void aRequestThatLoadsOrUnloadsOnlyIsNoQuestion(Endpoint endpoint, String body) {
        assertThat(read(endpoint, body)).isEqualTo(Bypass.LOAD);
    }

    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "GENERATE; '_debug_render_only':true; DEBUG",
                "CHAT; '_debug_render_only':true; DEBUG",
                "V1_CHAT_COMPLETIONS; '_debug_render_only':true; DEBUG",
                "V1_COMPLETIONS; '_debug_render_only':true; DEBUG",
                "V1_RESPONSES; 'tools':[{'type':'web_search'}]; WEB_SEARCH",
                "V1_RESPONSES; 'tools':[{'name':'x'},{'Type':'web_search_preview'}]; WEB_SEARCH",
                "V1_RESPONSES; 'tools':[{'type':'namespace','tools':[{'type':'web_search'}]}]; WEB_SEARCH",
                "V1_MESSAGES; 'tools':[{'type':'web_search_20250305','name':'web_search','max_uses':5}]; WEB_SEARCH",
                "GENERATE; 'Prompt':'other'; UNUSUAL_NAMES",
                "GENERATE; 'prompt':'other'; UNUSUAL_NAMES",
                "GENERATE; 'model':null; UNUSUAL_NAMES",
                "GENERATE; 'stream':true,'stream':false; UNUSUAL_NAMES",
                "GENERATE; 'keep_alive':1,'keep_alive':2; UNUSUAL_NAMES",
                "GENERATE; 'unknown':1,'unknown':2; UNUSUAL_NAMES",
                "GENERATE; 'chatId':'7'; UNUSUAL_NAMES",
                "GENERATE; 'option\u017f':{'seed':1}; UNUSUAL_NAMES",
                "GENERATE; '\u212aeep_alive':1; UNUSUAL_NAMES",
                "GENERATE; 'options':{'seed':1,'seed':2}; UNUSUAL_NAMES",
                "GENERATE; 'options':{'seed':1},'options':{'seed':2}; UNUSUAL_NAMES",
                "V1_CHAT_COMPLETIONS; 'stream_options':{'Include_usage':true}; UNUSUAL_NAMES",
                "V1_CHAT_COMPLETIONS; 'stream_options':{'include_usage':true,'include_usage':false}; UNUSUAL_NAMES",
                "GENERATE; 'stream':'true'; UNPARSABLE",
                "GENERATE; 'stream':[true]; UNPARSABLE",
                "GENERATE; '_debug_render_only':1; UNPARSABLE",
                "V1_CHAT_COMPLETIONS; 'stream_options':{'include_usage':1}; UNPARSABLE",
            })
    void someFieldsMakeItNoQuestion(Endpoint endpoint, String field, Bypass expected) {
        assertThat(read(endpoint, asking(endpoint, field))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'role':'user','content':'a','Content':'b'}",
                "{'role':'user','content':'a','content':'b'}",
                "{'Role':'user','content':'a'}"
            })
    void aMessageWithUnusualNamesIsNoQuestion(String message) {
        assertThat(read(CHAT, "{'model':'m','messages':[" + message + "]}")).isEqualTo(Bypass.UNUSUAL_NAMES);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "GENERATE; '_debug_render_only':false",
                "V1_RESPONSES; 'tools':[{'type':'function','name':'web_search'}]",
                "V1_RESPONSES; 'tools':[{'type':'function','parameters':{'properties':{'type':{'const':'web_search'}}}}]",
                "CHAT; 'tools':[{'type':'web_search'}]",
                "GENERATE; 'options':{'Seed':1,'seed':2}",
                "GENERATE; 'format':{'properties':{'Name':{},'name':{}}}",
                "V1_COMPLETIONS; 'x':{'A':1,'A':2}",
            })
    void whatOnlyLooksLikeThemIsAQuestion(Endpoint endpoint, String field) {
        assertThat(read(endpoint, asking(endpoint, field))).isInstanceOf(Question.class);
    }

    @ParameterizedTest
    @EnumSource
    void onlyEndpointsThatInferFromJsonHaveQuestions(Endpoint endpoint) {
        Reading reading = read(endpoint, "{'prompt':'a','input':'a','messages':[{'content':'a'}]}");
        boolean expected = endpoint.inference() && endpoint != Endpoint.V1_TRANSCRIPTIONS;

        assertThat(reading instanceof Question).as("%s", reading).isEqualTo(expected);
        assertThat(reading == Bypass.ENDPOINT).isEqualTo(!expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "[]",
                "'{}'",
                "{",
                "{]",
                "{'model':'m','prompt':'a'}x",
                "{'model':'m','prompt':'a'}{}",
                "{'model':'m','prompt':'a'}]",
                "{'model':'m','prompt':'a'}\0",
                "{'model':'m','prompt':'a',}",
                "{'model':'m' 'prompt':'a'}",
                "{'model':'m','prompt':'a\nb'}",
                "{'model':'m','prompt':'a\\x'}",
                "{'model':'m','prompt':'a\\u00g0'}",
                "{'model':'m','prompt':'a','options':{'seed':01}}",
                "{'model':'m','prompt':'a','options':{'seed':+1}}",
                "{'model':'m','prompt':'a','options':{'seed':NaN}}",
                "{'model':'m','prompt':'a','options':{'seed':1.}}",
                "{'model':'m','prompt':'a' /* */}",
                "{model:'m','prompt':'a'}",
                "\ufeff{'model':'m','prompt':'a'}"
            })
    void whatGoWouldNotReadIsUnparsable(String body) {
        assertThat(read(GENERATE, body)).isEqualTo(Bypass.UNPARSABLE);
    }

    @Test
    void spaceAroundTheBodyIsNothing() {
        assertThat(question(GENERATE, "\t\r\n " + PLAIN + "\r\n\t ")).isEqualTo(question(GENERATE, PLAIN));
    }

    @Test
    void truncatedAnywhereItIsUnparsableAndTheNextIsReadAsEver() {
        byte[] body = json("{'model':'m','keep_alive':-1,'messages':[{'role':'user','content':'wh\\u00fc \u00fc\u20ac "
                + "\ud83d\ude00'}],'tools':[{'type':'function'}],'options':{'seed':1.5e2,'stop':['a']},'stream':false,"
                + "'think':true,'format':null}");
        Reading whole = read(CHAT, body);
        assertThat(whole).isInstanceOf(Question.class);
        for (int length = 0; length < body.length; length++) {
            assertThat(read(CHAT, Arrays.copyOf(body, length))).isEqualTo(Bypass.UNPARSABLE);
            assertThat(read(CHAT, body)).isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "c0af",
                "c1bf",
                "e080af",
                "f08080af",
                "eda080",
                "edbfbf",
                "f4908080",
                "ff",
                "80",
                "c3",
                "e282",
                "fe"
            })
    void whatIsNotUtf8IsUnparsable(String hex) {
        byte[] body = json("{'model':'m','prompt':'" + "~".repeat(hex.length() / 2) + "'}");
        byte[] bytes = HexFormat.of().parseHex(hex);
        for (int i = 0, at = 0; i < body.length; i++) {
            if (body[i] == '~') {
                body[i] = bytes[at++];
            }
        }
        assertThat(read(GENERATE, body)).isEqualTo(Bypass.UNPARSABLE);
    }

    @Test
    void loneSurrogatesAreTextsOfTheirOwn() {
        assertThat(Stream.of("?", "\\ud800", "\\ud801", "\\udc00", "\\ufffd", "\\ud800\\udc00", "\\udc00\\ud800")
                        .map(text ->
                                question(GENERATE, "{'prompt':'" + text + "'}").key()))
                .doesNotHaveDuplicates();
        assertThat(question(GENERATE, "{'prompt':'\\ud83d\\ude00'}"))
                .isEqualTo(question(GENERATE, "{'prompt':'\ud83d\ude00'}"));
    }

    @Test
    void nestsAsDeepAsTheScannerOfFieldsDoesAndNoDeeper() {
        assertThat(read(GENERATE, "{'prompt':'a','x':" + "[".repeat(511) + "]".repeat(511) + "}"))
                .isInstanceOf(Question.class);
        assertThat(read(GENERATE, "{'prompt':'a','x':" + "[".repeat(512) + "]".repeat(512) + "}"))
                .isEqualTo(Bypass.UNPARSABLE);
        assertThat(read(GENERATE, "{'prompt':'a','x':" + "{'a':".repeat(100_000)))
                .isEqualTo(Bypass.UNPARSABLE);
    }

    @Test
    void manyMembersAndNumbersAndLongNamesAreRead() {
        StringBuilder body =
                new StringBuilder("{'prompt':'a','").append("n".repeat(20_000)).append("':1");
        for (int i = 0; i < 100_000; i++) {
            body.append(",'f").append(i).append("':").append(i);
        }
        Question question = question(GENERATE, body + "}");
        assertThat(question(GENERATE, body + ",'f':1}").key()).isNotEqualTo(question.key());
        assertThat(question(GENERATE, body + "}")).isEqualTo(question);
        assertThat(read(GENERATE, body + ",'f77':1}")).isEqualTo(Bypass.UNUSUAL_NAMES);
    }

    @Test
    void aStreamThatFailsIsUnparsable() throws IOException {
        InputStream broken = InputStream.nullInputStream();
        broken.close();
        assertThat(QuestionReader.read(GENERATE, broken, ASKED)).isEqualTo(Bypass.UNPARSABLE);
    }

    @Test
    void doesNotCloseTheBody() {
        ByteArrayInputStream body = new ByteArrayInputStream(json(PLAIN)) {
            @Override
            public void close() {
                throw new UncheckedIOException(new IOException("closed"));
            }
        };
        assertThat(QuestionReader.read(GENERATE, body, ASKED)).isEqualTo(read(GENERATE, PLAIN));
    }

    @Test
    void anImageOf16MiBIsReadInNoMoreMemoryThanItsText() {
        int size = 16 << 20;
        byte[] body = json("{'model':'m','prompt':'what is it?','images':['" + "A".repeat(size) + "'],'stream':false}");
        byte[] other = body.clone();
        other[body.length - 30] = 'B';
        Reading first = read(GENERATE, body);
        assertThat(first).isInstanceOf(Question.class);
        assertThat(read(GENERATE, other)).isInstanceOf(Question.class).isNotEqualTo(first);

        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThat(read(GENERATE, body)).isEqualTo(first);
        // Jackson keeps two bytes for each character until the end of the string.
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(2L * size + (1 << 20));
    }

    @Test
    void labelsAreForMetrics() {
        assertThat(Bypass.values())
                .allSatisfy(bypass -> assertThat(bypass.label()).matches("[a-z]+(-[a-z]+)*"));
        assertThat(Bypass.DIGESTS_DIFFER.label()).isEqualTo("digests-differ");
    }

    /** A request that asks for something, with more fields. */
    /** Small bodies are decoded in memory that is there, others as they are read. */
    @Test
    void aBodyHasOneKeyWhateverItsLengthAndWhereverItIsCut() {
        String said = "\u00e4\u20ac\ud83d\ude00".repeat(3000);
        String body = "{'model':'m','prompt':'" + said + "','options':{'seed':1}}";
        CacheKey key = question(Endpoint.GENERATE, body).key();
        for (int blanks = 0; blanks < 10; blanks++) {
            String cut = " ".repeat(blanks) + body;
            assertThat(question(Endpoint.GENERATE, cut).key()).isEqualTo(key);
        }
        CacheKey small = question(Endpoint.GENERATE, PLAIN).key();
        for (int size = 16 * 1024 - 2; size < 16 * 1024 + 3; size++) {
            String padded = PLAIN + " ".repeat(size - PLAIN.length());
            assertThat(question(Endpoint.GENERATE, padded).key())
                    .as("%d bytes", size)
                    .isEqualTo(small);
        }
    }

    /** In memory a field takes a hundred bytes and a number six, in a body five and two. */
    @Test
    void aBodyOfTooManyPiecesIsNotRead() {
        String fields =
                IntStream.range(0, 200_000).mapToObj(i -> "'" + i + "':0").collect(Collectors.joining(","));
        assertThat(read(Endpoint.GENERATE, "{'model':'m','prompt':'why'," + fields + "}"))
                .isEqualTo(Bypass.UNPARSABLE);
        String context = "{'model':'m','prompt':'why','context':[%s1]}";
        assertThat(read(Endpoint.GENERATE, context.formatted("1,".repeat(200_000))))
                .isInstanceOf(Question.class);
        assertThat(read(Endpoint.GENERATE, context.formatted("1,".repeat(300_000))))
                .isEqualTo(Bypass.UNPARSABLE);
    }

    private static String asking(Endpoint endpoint, String more) {
        String subject =
                switch (endpoint) {
                    case GENERATE, EMBEDDINGS, V1_COMPLETIONS -> "'prompt':'why?'";
                    case EMBED, V1_EMBEDDINGS, V1_RESPONSES -> "'input':'why?'";
                    default -> "'messages':[{'role':'user','content':'why?'}]";
                };
        return "{'model':'m'," + subject + "," + more + "}";
    }

    private static Question question(Endpoint endpoint, String body) {
        Reading reading = read(endpoint, body);
        assertThat(reading).as(body.length() > 1000 ? "long" : body).isInstanceOf(Question.class);
        return (Question) reading;
    }

    private static Reading read(Endpoint endpoint, String body) {
        return read(endpoint, json(body));
    }

    private static Reading read(Endpoint endpoint, byte[] body) {
        return QuestionReader.read(endpoint, new ByteArrayInputStream(body), ASKED);
    }

    private static byte[] json(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }
}
