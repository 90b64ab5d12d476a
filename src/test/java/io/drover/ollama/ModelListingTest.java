package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelListingTest {
    private static final String LLAMA = "registry.ollama.ai/library/llama3.2:latest";
    private static final String LLAMA_DIGEST = "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72";

    private static final String TAGS = """
            {"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","modified_at":"2026-08-22T01:48:22.123456789+02:00",\
            "size":2019393189,"digest":"a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72","details":\
            {"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"3.2B",\
            "quantization_level":"Q4_K_M","context_length":131072,"embedding_length":3072},"capabilities":["completion",\
            "tools"]},{"name":"hf.co/User/Repo:Q4_K_M","model":"hf.co/User/Repo:Q4_K_M","modified_at":"2026-08-21T00:00:00Z",\
            "size":1,"digest":"00ff","details":{"name":"a trap","digest":"another","families":null}},\
            {"name":"gpt-oss:120b-cloud","model":"gpt-oss:120b-cloud","remote_model":"gpt-oss:120b",\
            "remote_host":"https://ollama.com:443","modified_at":"2026-08-20T00:00:00Z","size":384,"digest":"c10d",\
            "details":{"format":"","families":null}},{"name":"m\\u00fcller/\\u6a21\\ud83e\\udd99:1b","digest":"é"}]}""";

    private static final Map<String, String> OF_TAGS = Map.of(
            LLAMA,
            LLAMA_DIGEST,
            "hf.co/user/repo:q4_k_m",
            "00ff",
            "registry.ollama.ai/library/gpt-oss:120b@cloud",
            "c10d",
            "registry.ollama.ai/müller/模🦙:1b",
            "é");

    private static final String PS = """
            {"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":3461644288,"digest":\
            "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72","details":{"parent_model":"",\
            "format":"gguf","family":"llama","families":["llama"],"parameter_size":"3.2B","quantization_level":"Q4_K_M"},\
            "expires_at":"2318-11-23T01:48:22.123456789+01:00","size_vram":3461644288,"context_length":4096}]}""";

    @Test
    void whatIsOnTheDisk() throws IOException {
        assertThat(read(TAGS)).isEqualTo(OF_TAGS);
    }

    @Test
    void whatIsInMemory() throws IOException {
        assertThat(read(PS)).isEqualTo(Map.of(LLAMA, LLAMA_DIGEST));
    }

    @Test
    void theContextIsToldOfWhatIsInMemory() throws IOException {
        assertThat(contextLengths(PS)).isEqualTo(Map.of(LLAMA, 4096));
        assertThat(contextLengths(TAGS))
                .as("those on the disk have it in their details")
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "4096.5", "\"4096\"", "null", "true", "[4096]", "2147483648", "1e3"})
    void whatIsNoContextIsNone(String value) throws IOException {
        assertThat(contextLengths("{\"models\":[{\"name\":\"a\",\"context_length\":" + value + "}]}"))
                .isEmpty();
    }

    @Test
    void noContextIsTakenFromAnotherModel() throws IOException {
        assertThat(contextLengths("{\"models\":[{\"name\":\"a\",\"context_length\":1},{\"name\":\"b\"},"
                        + "{\"name\":\"llama3.2\",\"context_length\":3},"
                        + "{\"name\":\"LLAMA3.2\",\"context_length\":4}]}"))
                .isEqualTo(Map.of("registry.ollama.ai/library/a:latest", 1, LLAMA, 3));
    }

    @Test
    void anySplitIsTheSame() throws IOException {
        ByteBuf bytes = bytes(TAGS);
        for (int split = 0; split <= bytes.writerIndex(); split++) {
            ModelListing listing = new ModelListing();
            listing.read(bytes, 0, split);
            listing.read(bytes, split, bytes.writerIndex());
            assertThat(listing.end()).as("split at " + split).isEqualTo(OF_TAGS);
        }
    }

    @Test
    void byteByByteIsTheSame() throws IOException {
        ByteBuf bytes = bytes(TAGS);
        ModelListing listing = new ModelListing();
        for (int at = 0; at < bytes.writerIndex(); at++) {
            listing.read(bytes, at, at + 1);
        }
        assertThat(listing.end()).isEqualTo(OF_TAGS);
    }

    @Test
    void everyBeginningIsNoListing() {
        ByteBuf bytes = bytes(PS);
        for (int end = 0; end < bytes.writerIndex(); end++) {
            ByteBuf beginning = bytes.slice(0, end);
            assertThatThrownBy(() -> read(beginning))
                    .as("of " + end + " bytes")
                    .isInstanceOf(IOException.class)
                    .hasMessageMatching("no listing of models: (its JSON is cut short|no \"models\" in the answer)");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"models\":[]}",
                "{\"models\":null}",
                " \n{ \"models\" : [ ] }\n ",
                "{\"more\":{\"models\":[{\"name\":\"x\"}]},\"models\":[],\"next\":[[{\"name\":\"x\"}]]}",
                "{\"models\":[null,1,true,\"x\",[{\"name\":\"x\"}],{}]}",
                "{\"models\":[{\"digest\":\"d\"},{\"name\":\"\"},{\"name\":null,\"model\":7}]}",
                "{\"models\":[{\"details\":{\"name\":\"x\",\"inner\":[{\"model\":\"x\"}]}}]}",
            })
    void nothingListed(String answer) throws IOException {
        assertThat(read(answer)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "{\"name\":\"llama3.2\"} | ^^",
                "{\"model\":\"llama3.2\",\"digest\":\"d\"} | d",
                "{\"name\":\"\",\"model\":\"LLAMA3.2:latest\",\"digest\":\"d\"} | d",
                "{\"name\":\"llama3.2\",\"model\":\"other\",\"digest\":\"d\"} | d",
                "{\"digest\":\"d\",\"model\":\"other\",\"name\":\"library/llama3.2\"} | d",
                "{\"name\":\"llama3.2\",\"digest\":null} | ^^",
                "{\"name\":\"llama3.2\",\"digest\":5,\"new\":[1,{\"digest\":\"x\"}]} | ^^",
                "{\"name\":\"llama3.2\",\"digest\":\"d\"},{\"name\":\"Llama3.2:LATEST\",\"digest\":\"e\"} | d",
                "{\"name\":\"x\",\"digest\":\"d\",\"name\":\"llama3.2\"} | d",
            })
    void oneModel(String entries, String digest) throws IOException {
        assertThat(read("{\"models\":[" + entries + "]}")).isEqualTo(Map.of(LLAMA, digest));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "^^ | no \"models\" in the answer",
                "{} | no \"models\" in the answer",
                "{\"error\":\"unauthorized\"} | no \"models\" in the answer",
                "{\"models\":{}} | \"models\" is START_OBJECT (expected: an array)",
                "{\"models\":\"none\"} | \"models\" is VALUE_STRING (expected: an array)",
                "[] | START_ARRAY (expected: one object)",
                "null | VALUE_NULL (expected: one object)",
                "{\"models\":[]}{\"models\":[]} | START_OBJECT (expected: one object)",
                "{\"models\":[]} 1 | VALUE_NUMBER_INT (expected: one object)",
                "{\"models\":[]]} | Unexpected character",
                "<html> | Unexpected character",
                "{'models':[]} | Unexpected character",
                "{\"models\":[],} | Unexpected character",
            })
    void noListing(String answer, String why) {
        assertThatThrownBy(() -> read(answer))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("no listing of models: ")
                .hasMessageContaining(why);
    }

    @Test
    void asManyModelsAsAllowedAndOneMore() throws IOException {
        assertThat(read(models(ModelListing.MAX_MODELS))).hasSize(ModelListing.MAX_MODELS);

        assertThatThrownBy(() -> read(models(ModelListing.MAX_MODELS + 1)))
                .isInstanceOf(IOException.class)
                .hasMessage("a listing of more than 10000 models");
    }

    @Test
    void nestingWithoutEndIsRefused() {
        assertThatThrownBy(() -> read("{\"models\":" + "[".repeat(100_000)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("nesting depth");
    }

    private static String models(int count) {
        StringBuilder text = new StringBuilder("{\"models\":[");
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : ",").append("{\"name\":\"m").append(i).append("\"}");
        }
        return text.append("]}").toString();
    }

    private static Map<String, String> read(String answer) throws IOException {
        return read(bytes(answer));
    }

    private static Map<String, Integer> contextLengths(String answer) throws IOException {
        ByteBuf bytes = bytes(answer);
        ModelListing listing = new ModelListing();
        for (int at = 0; at < bytes.writerIndex(); at++) {
            listing.read(bytes, at, at + 1);
        }
        listing.end();
        return listing.contextLengths();
    }

    private static Map<String, String> read(ByteBuf bytes) throws IOException {
        ModelListing listing = new ModelListing();
        listing.read(bytes, bytes.readerIndex(), bytes.writerIndex());
        return listing.end();
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8));
    }
}
