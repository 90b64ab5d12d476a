package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedQuestionTest {
    private static final Asked ASKED = new Asked("d1", "0.32.15", "");

    private static @Nullable EmbedQuestion read(Endpoint endpoint, byte[] body) {
        return EmbedQuestion.read(endpoint, ASKED, new ByteArrayInputStream(body));
    }

    private static @Nullable EmbedQuestion read(Endpoint endpoint, String body) {
        return read(endpoint, body.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static EmbedQuestion question(Endpoint endpoint, String body) {
        return Objects.requireNonNull(read(endpoint, body), body);
    }

    private static CacheKey key(Endpoint endpoint, String body) {
        return question(endpoint, body).keys().get(0);
    }

    private static String inputOf(String inputs) {
        EmbedQuestion question = question(Endpoint.EMBED, "{'model':'m','input':" + inputs + "}");
        return question.plan(Map.of()).input();
    }

    @ParameterizedTest
    @EnumSource(names = {"EMBED", "V1_EMBEDDINGS"})
    void eachInputHasAKeyInItsPlaceAndEqualOnesHaveEqualKeys(Endpoint endpoint) {
        EmbedQuestion question = question(endpoint, "{'model':'m','input':['a','b','a','']}");

        assertThat(question.size()).isEqualTo(4);
        assertThat(question.model()).isEqualTo("m");
        assertThat(question.endpoint()).isEqualTo(endpoint);
        assertThat(question.keys().get(2)).isEqualTo(question.keys().get(0));
        assertThat(question.distinctKeys())
                .containsExactly(
                        question.keys().get(0),
                        question.keys().get(1),
                        question.keys().get(3));
        assertThat(question.keys().get(1)).isEqualTo(key(endpoint, "{'input':['b','x'],'model':'m'}"));
    }

    @Test
    void theValueOfInputIsFoundWhereverItStands() {
        for (String value :
                List.of("'a'", "[ 'a' , '\u00e9\ud83d\ude00' ]", "['\\u00e9']", "'" + "x".repeat(20_000) + "'")) {
            for (String before :
                    List.of("", "'note':'\u00e9\u20ac\ud83d\ude00', ", "'note':'" + "\u20ac".repeat(9_000) + "',")) {
                String text = ("\n{" + before + "'input' : " + value + " , 'model':'m'} ").replace('\'', '"');
                byte[] body = text.getBytes(StandardCharsets.UTF_8);

                EmbedQuestion question = Objects.requireNonNull(read(Endpoint.EMBED, body));

                assertThat(new String(
                                Arrays.copyOfRange(body, (int) question.from(), (int) question.to()),
                                StandardCharsets.UTF_8))
                        .isEqualTo(value.replace('\'', '"'));
            }
        }
    }

    @Test
    void whatIsNotAskedOfTheModelIsInNoKey() {
        CacheKey plain =
                key(Endpoint.EMBED, "{'model':'m','input':['a'],'options':{'num_ctx':8,'seed':1},'dimensions':4}");

        for (String same : List.of(
                "{'model':'m','input':'a','options':{'num_ctx':8,'seed':1},'dimensions':4}",
                "{'dimensions':4,'options':{'seed':1,'num_ctx':8},'input':['b','a'],'model':'m'}",
                "{'model':'m','input':['\\u0061'],'options':{'num_ctx':8,'seed':1},'dimensions':4,'keep_alive':'5m'}",
                "{'model':'m','input':['a'],'options':{'num_ctx':8,'seed':1},'dimensions':4,'truncate':null}",
                " { 'model' : 'm' , 'input' : [ 'a' ], 'options' : {'num_ctx' : 8,'seed':1},'dimensions':4 } ")) {
            assertThat(question(Endpoint.EMBED, same).keys()).as(same).contains(plain);
        }
    }

    @Test
    void whateverElseChangesMakesAnotherKey() {
        List<String> bodies = List.of(
                "{'model':'m','input':'a'}",
                "{'model':'m:latest','input':'a'}",
                "{'model':'M','input':'a'}",
                "{'model':'m','input':'A'}",
                "{'model':'m','input':'a '}",
                "{'model':'m','input':'e\u0301'}",
                "{'model':'m','input':'\u00e9'}",
                "{'model':'m','input':'a','truncate':true}",
                "{'model':'m','input':'a','truncate':false}",
                "{'model':'m','input':'a','dimensions':4}",
                "{'model':'m','input':'a','dimensions':5}",
                "{'model':'m','input':'a','options':{}}",
                "{'model':'m','input':'a','options':{'num_ctx':8}}",
                "{'model':'m','input':'a','options':{'num_ctx':9}}",
                "{'model':'m','input':'a','options':{'Num_ctx':8}}",
                "{'model':'m','input':'a','options':{'num_batch':8}}",
                "{'model':'m','input':'a','options':{'stop':['x','y']}}",
                "{'model':'m','input':'a','options':{'stop':['y','x']}}",
                "{'model':'m','input':'a','options':{'stop':['x,y']}}",
                "{'model':'m','input':'a','options':'null'}",
                "{'model':'m','input':'a','options':{'a':null}}",
                "{'model':'m','input':'a','encoding_format':'base64'}",
                "{'model':'m','input':'a','user':'u'}",
                "{'model':'m','input':'a','next_years':1}");
        Set<CacheKey> keys =
                bodies.stream().map(body -> key(Endpoint.EMBED, body)).collect(Collectors.toSet());

        assertThat(keys).hasSameSizeAs(bodies);
    }

    @Test
    void soDoesWhomItAsks() {
        byte[] body = "{\"model\":\"m\",\"input\":\"a\"}".getBytes(StandardCharsets.UTF_8);
        List<Asked> all = List.of(
                ASKED,
                new Asked("d2", "0.32.15", ""),
                new Asked("d1", "0.32.16", ""),
                new Asked("d1", "0.32.15", "t"),
                new Asked("d1", "0.32.1", "5"),
                new Asked("d", "10.32.15", ""));

        assertThat(all.stream().map(asked -> Objects.requireNonNull(
                                EmbedQuestion.read(Endpoint.EMBED, asked, new ByteArrayInputStream(body)))
                        .keys()
                        .get(0)))
                .doesNotHaveDuplicates();
    }

    @Test
    void bothEndpointsShareWhatIsTheSameInBoth() {
        CacheKey ollamas = key(Endpoint.EMBED, "{'model':'m','input':'a','dimensions':4}");

        for (String same : List.of(
                "{'model':'m','input':['a'],'dimensions':4}",
                "{'model':'m','input':'a','dimensions':4,'encoding_format':'float'}",
                "{'model':'m','input':'a','dimensions':4,'encoding_format':'FLOAT','user':'u'}",
                "{'model':'m','input':'a','dimensions':4,'encoding_format':null}")) {
            assertThat(key(Endpoint.V1_EMBEDDINGS, same)).as(same).isEqualTo(ollamas);
        }
        CacheKey base64 =
                key(Endpoint.V1_EMBEDDINGS, "{'model':'m','input':'a','dimensions':4,'encoding_format':'base64'}");
        assertThat(base64)
                .isNotEqualTo(ollamas)
                .isNotEqualTo(
                        key(Endpoint.EMBED, "{'model':'m','input':'a','dimensions':4,'encoding_format':'base64'}"))
                .isEqualTo(key(
                        Endpoint.V1_EMBEDDINGS, "{'model':'m','input':'a','dimensions':4,'encoding_format':'Base64'}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"'truncate':false", "'options':{'num_ctx':8}", "'next_years':1"})
    void whatOnlyOneEndpointHeedsIsNotShared(String member) {
        String body = "{'model':'m','input':'a'," + member + "}";

        assertThat(key(Endpoint.V1_EMBEDDINGS, body)).isNotEqualTo(key(Endpoint.EMBED, body));
    }

    @Test
    void halfAPairIsWhatGoReads() {
        assertThat(inputOf("['\\ud83dx\\ude00','\\ud83d\\ud83d\\ude00','\\ud83d']"))
                .isEqualTo("[\"\\ufffdx\\ufffd\",\"\\ufffd\\ud83d\\ude00\",\"\\ufffd\"]");
        assertThat(key(Endpoint.EMBED, "{'model':'m','input':'\\ud83d'}"))
                .isEqualTo(key(Endpoint.EMBED, "{'model':'m','input':'\ufffd'}"))
                .isNotEqualTo(key(Endpoint.EMBED, "{'model':'m','input':'?'}"));
    }

    @Test
    void theInputToABackendIsAscii() {
        assertThat(inputOf("['\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000<&>\u007f\u00e9\ud83d\ude00']"))
                .isEqualTo(
                        "[\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0000\\u003c\\u0026\\u003e\\u007f\\u00e9\\ud83d\\ude00\"]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "[]",
                "{}",
                "{'model':'m'}",
                "{'input':'a'}",
                "{'model':'','input':'a'}",
                "{'model':7,'input':'a'}",
                "{'model':'m','input':''}",
                "{'model':'m','input':[]}",
                "{'model':'m','input':null}",
                "{'model':'m','input':7}",
                "{'model':'m','input':[7]}",
                "{'model':'m','input':[[1,2]]}",
                "{'model':'m','input':['a',7]}",
                "{'model':'m','input':['a',null]}",
                "{'model':'m','input':['a',['b']]}",
                "{'model':'m','input':{'text':'a'}}",
                "{'model':'m','input':['a'],'input':['b']}",
                "{'model':'m','model':'n','input':'a'}",
                "{'model':'m','input':'a','options':{'seed':1,'seed':2}}",
                "{'model':'m','Input':'a'}",
                "{'model':'m','input':'a','INPUT':'b'}",
                "{'model':'m','input':'a','dimen\u017fions':4}",
                "{'model':'m','input':'a','Dimensions':4}",
                "{'model':'m','input':'a'",
                "{'model':'m','input':['a'",
                "{'model':'m','input':'a'} trailing",
                "{'model':'m','input':'a'} {}",
                "{'model':'m','input':'a',}",
                "{'model':'m','input':['a',]}",
                "{'model':'m','input':'a\n'}",
                "{'model':'m','input':'\\x'}",
                "{'model':'m','input':'a','dimensions':04}",
                "{'model':'m','input':'a','dimensions':NaN}",
                "/**/{'model':'m','input':'a'}",
                "\ufeff{'model':'m','input':'a'}",
                "{'model':'m','input':'a','options':[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}"
            })
    void whatMayBeReadInSeveralWaysIsNotTakenByInput(String body) {
        assertThat(read(Endpoint.EMBED, body)).isNull();
        assertThat(read(Endpoint.V1_EMBEDDINGS, body)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"7", "'hex'", "'ba\u017fe64'", "['float']", "true"})
    void norIsAFormatThatIsNone(String format) {
        String body = "{'model':'m','input':'a','encoding_format':" + format + "}";

        assertThat(read(Endpoint.V1_EMBEDDINGS, body)).isNull();
    }

    @Test
    void norAreBytesThatAreNoUtf8() {
        for (byte[] bytes : List.of(
                new byte[] {(byte) 0xff},
                new byte[] {(byte) 0xc0, (byte) 0xaf},
                new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
                new byte[] {(byte) 0xf5, (byte) 0x80, (byte) 0x80, (byte) 0x80},
                new byte[] {(byte) 0xe2, (byte) 0x82})) {
            String latin = new String(bytes, StandardCharsets.ISO_8859_1);
            String body = "{\"model\":\"m\",\"input\":\"" + latin + "\"}";

            assertThat(read(Endpoint.EMBED, body.getBytes(StandardCharsets.ISO_8859_1)))
                    .isNull();
        }
        String good = "{\"model\":\"m\",\"input\":\"a\"}";
        assertThat(read(Endpoint.EMBED, good.getBytes(StandardCharsets.UTF_16LE)))
                .isNull();
        assertThat(read(Endpoint.EMBED, good.getBytes(StandardCharsets.UTF_16))).isNull();
    }

    @Test
    void norIsAnyOtherEndpoint() {
        assertThat(Stream.of(Endpoint.values())
                        .filter(endpoint -> read(endpoint, "{'model':'m','input':'a','prompt':'a'}") != null))
                .containsExactly(Endpoint.EMBED, Endpoint.V1_EMBEDDINGS);
    }

    @Test
    void norAreMoreThanSomeThousands() {
        String most = IntStream.range(0, EmbedQuestion.MAX_INPUTS)
                .mapToObj(i -> "\"" + i + "\"")
                .collect(Collectors.joining(","));

        EmbedQuestion question = question(Endpoint.EMBED, "{'model':'m','input':[" + most + "]}");

        assertThat(new LinkedHashSet<>(question.keys())).hasSize(EmbedQuestion.MAX_INPUTS);
        assertThat(question.plan(Map.of()).input()).isEqualTo("[" + most + "]");
        assertThat(read(Endpoint.EMBED, "{'model':'m','input':[" + most + ",'x']}"))
                .isNull();
    }

    /** Each takes much more memory than it has in the body. */
    @Test
    void norAreThousandsOfOptions() {
        String options =
                IntStream.range(0, 20_000).mapToObj(i -> "'" + i + "':0").collect(Collectors.joining(","));

        assertThat(read(Endpoint.EMBED, "{'model':'m','input':'a','options':{" + options + "}}"))
                .isNull();
    }

    @Test
    void norIsABodyThatCannotBeRead() throws IOException {
        InputStream closed = InputStream.nullInputStream();
        closed.close();

        assertThat(EmbedQuestion.read(Endpoint.EMBED, ASKED, closed)).isNull();
    }

    @Test
    void nothingThatAClientSendsMakesItFail() {
        byte[] good = "{\"model\":\"m\",\"input\":[\"a\\ud83d\",\"\u00e9\"],\"options\":{\"seed\":1.5e3}}"
                .getBytes(StandardCharsets.UTF_8);
        Random random = new Random(20);
        int taken = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] body = good.clone();
            for (int change = random.nextInt(3); change >= 0; change--) {
                body[random.nextInt(body.length)] = (byte) random.nextInt(256);
            }
            EmbedQuestion question = read(Endpoint.EMBED, Arrays.copyOf(body, body.length - random.nextInt(2)));
            if (question != null) {
                taken++;
                assertThat(question.from()).isPositive().isLessThan(question.to());
            }
        }
        // Changes within a text leave a good body.
        assertThat(taken).isBetween(100, 10_000);
    }
}
