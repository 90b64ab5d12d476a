package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFieldScannerTest {

    @Test
    void findsModelAndStream() {
        JsonFieldScanner scanner = scan("{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\"}],\"stream\":false}");

        assertThat(scanner.model()).isEqualTo("llama3.2");
        assertThat(scanner.stream()).isFalse();
        assertThat(scanner.complete()).isTrue();
        assertThat(scanner.malformed()).isFalse();
    }

    @Test
    void findsTheNameThatStandsForTheModel() {
        // What "ollama run" asks for first.
        JsonFieldScanner scanner = scan("{\"model\":\"\",\"system\":\"\",\"template\":\"\",\"verbose\":false,"
                + "\"options\":null,\"name\":\"llama3.2\"}");

        assertThat(scanner.model()).isEmpty();
        assertThat(scanner.name()).isEqualTo("llama3.2");
        assertThat(scan("{\"x\":{\"name\":\"a\"}}").name()).isNull();
        assertThat(scan("{\"name\":\"" + "n".repeat(513) + "\"}").name()).isNull();
        scanner.reset();
        assertThat(scanner.name()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "{\"options\":{\"num_predict\":128}} | 128 | -1",
                "{\"OPTIONS\":{\"x\":{\"y\":1},\"num_predict\":7,\"z\":[]},\"max_tokens\":9} | 7 | 9",
                "{\"options\":{\"num_predict\":7,\"num_predict\":8}} | 8 | -1",
                "{\"options\":{\"num_predict\":7,\"num_predict\":-1}} | -1 | -1",
                "{\"options\":{\"num_predict\":[7],\"x\":{\"num_predict\":7}},\"num_predict\":7} | -1 | -1",
                "{\"options\":[{\"num_predict\":7}],\"x\":{\"num_predict\":7,\"max_tokens\":7}} | -1 | -1",
                "{\"options\":{\"num_predict\":1e3},\"max_tokens\":1.5} | -1 | -1",
                "{\"max_tokens\":5,\"Max_Completion_Token\u017f\":60,\"max_output_tokens\":7} | -1 | 60",
                "{\"max_tokens\":\"5\",\"max_tokenss\":5,\"max_token\":5} | -1 | -1",
                "{\"max_tokens\":99999999999999999999} | -1 | 2147483647",
                "{\"max_tokens\":0,\"max_output_tokens\":-3} | -1 | -1",
            })
    void findsTheBoundOfTheAnswer(String json, long numPredict, long maxTokens) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        ByteBuf buf = Unpooled.wrappedBuffer(bytes);
        JsonFieldScanner scanner = new JsonFieldScanner();
        for (int cut = 0; cut < bytes.length; cut++) {
            scanner.reset();
            scanner.feed(buf, 0, cut);
            scanner.feed(buf, cut, bytes.length);
            assertThat(scanner.numPredict()).as("cut at %s", cut).isEqualTo(numPredict);
            assertThat(scanner.maxTokens()).as("cut at %s", cut).isEqualTo(maxTokens);
        }
        scanner.reset();
        assertThat(scanner.numPredict()).isEqualTo(-1);
        assertThat(scanner.maxTokens()).isEqualTo(-1);
    }

    @Test
    void findsNothingWhereThereIsNothing() {
        JsonFieldScanner scanner = scan(" { } ");

        assertThat(scanner.model()).isNull();
        assertThat(scanner.stream()).isNull();
        assertThat(scanner.complete()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            nullValues = "null",
            value = {
                "{\"MODEL\":\"a\",\"Stream\":true} | a | true",
                "{\"mOdel\":\"a\",\"\\u017ftream\":true} | a | true",
                "{\"\\u006d\\u006Fdel\":\"a\"} | a | null",
                "{\"model\":\"a\",\"model\":\"b\",\"stream\":true,\"stream\":false} | b | false",
                "{\"model\":\"a\",\"Model\":null} | a | null",
                "{\"model\":\"a\",\"model\":5} | a | null",
                "{\"model\":\"a\",\"model\":{\"model\":\"c\"}} | a | null",
                "{\"model\":\"a\",\"model\":[\"c\"]} | a | null",
                "{\"stream\":true,\"stream\":null} | null | null",
                "{\"stream\":true,\"stream\":\"false\"} | null | true",
                "{\"stream\":true,\"stream\":[false]} | null | true",
                "{\"x\":{\"model\":\"a\",\"stream\":true}} | null | null",
                "{\"x\":[\"model\",{\"model\":\"a\"}],\"y\":\"model\"} | null | null",
                "[{\"model\":\"a\"}] | null | null",
                "[\"model\",\"a\"] | null | null",
                "{\"model\":\"a\"}{\"model\":\"b\"} | a | null",
                "{\"model\":\"a\"} garbage | a | null",
                "{\"model\":\"\"} | ^^ | null",
                "{\"models\":\"a\",\"mode\":\"b\",\"modelmodelmodelmodel\":\"c\"} | null | null",
            })
    void decidesAsGoDoes(String json, String model, Boolean stream) {
        JsonFieldScanner scanner = scan(json);

        assertThat(scanner.model()).isEqualTo(model);
        assertThat(scanner.stream()).isEqualTo(stream);
        assertThat(scanner.complete()).isTrue();
        assertThat(scanner.malformed()).isFalse();
    }

    @Test
    void decodesEscapes() {
        assertThat(scan("{\"model\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00ü€😀\"}")
                        .model())
                .isEqualTo("\"\\/\b\f\n\r\té€😀ü€😀");
    }

    @Test
    void halfASurrogatePairBecomesTheReplacementCharacter() {
        assertThat(scan("{\"model\":\"a\\ud83db\"}").model()).isEqualTo("a\uFFFDb");
        assertThat(scan("{\"model\":\"\\ude00\\ud83d\"}").model()).isEqualTo("\uFFFD\uFFFD");
        assertThat(scan("{\"model\":\"\\ud83d\\ud83d\\ude00\\n\"}").model()).isEqualTo("\uFFFD😀\n");
        assertThat(scan("{\"model\":\"\\ud83d\\u0041\"}").model()).isEqualTo("\uFFFDA");
        assertThat(scan("{\"model\":\"\\ud83d\\n\"}").model()).isEqualTo("\uFFFD\n");
    }

    @Test
    void aNameMayHave512CharsAndNoMore() {
        String longest = "m".repeat(512);
        String wide = "€".repeat(512);
        assertThat(scan("{\"model\":\"" + longest + "\"}").model()).isEqualTo(longest);
        assertThat(scan("{\"model\":\"" + wide + "\"}").model()).isEqualTo(wide);
        assertThat(scan("{\"model\":\"" + "\\u0041".repeat(512) + "\"}").model())
                .isEqualTo("A".repeat(512));
        assertThat(scan("{\"model\":\"" + longest + "m\"}").model()).isNull();
        assertThat(scan("{\"model\":\"" + "\\u0041".repeat(513) + "\"}").model())
                .isNull();
        JsonFieldScanner scanner = scan("{\"model\":\"a\",\"model\":\"" + "m".repeat(100_000) + "\",\"stream\":true}");
        assertThat(scanner.model()).as("the last one counts").isNull();
        assertThat(scanner.stream()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{]",
                "[}",
                "{\"a\"}",
                "{\"a\" 1}",
                "{\"a\":}",
                "{\"a\":1,}",
                "[1,]",
                "[,1]",
                "{,}",
                "{a:1}",
                "{'a':1}",
                "[01]",
                "[-]",
                "[-a]",
                "[+1]",
                "[.5]",
                "[1.]",
                "[1.e5]",
                "[1e]",
                "[1e+]",
                "[1ee5]",
                "[1a]",
                "[0x1]",
                "[1 2]",
                "[tru]",
                "[True]",
                "[nul]",
                "[nulll]",
                "[falsey]",
                "[NaN]",
                "[\"\\x\"]",
                "[\"\\u12g4\"]",
                "[\"\\u 123\"]",
                "[\"\n\"]",
                "[\"a\tb\"]",
                "[\"\u0000\"]",
                "[\"\u001f\"]",
                "}",
                "]",
                ",",
                ":",
                "\u00ef\u00bb\u00bf{}",
                "a",
                "/**/{}",
                "{\"a\":1 \"b\":2}",
                "{\"\\u00e\":1}"
            })
    void malformedJson(String json) {
        JsonFieldScanner scanner = scan(json);

        assertThat(scanner.malformed()).isTrue();
        assertThat(scanner.complete()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "-0",
                "5",
                "-12",
                "1.5",
                "1e5",
                "1E+5",
                "0.1e-7",
                "true",
                "false",
                "null",
                "\"\"",
                "\"a\"",
                "[]",
                "{}",
                " \t\r\n[ ]",
                "[[],{}]",
                "[0,-0,1.0,10e10,true,false,null,\"\"]",
                "5 x",
                "\"\u007f\"",
                "true!",
                "5,"
            })
    void completeJson(String json) {
        JsonFieldScanner scanner = scan(json);

        assertThat(scanner.complete()).isTrue();
        assertThat(scanner.malformed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "{\"",
                "{\"a",
                "{\"a\"",
                "{\"a\":",
                "{\"a\":1",
                "{\"a\":1,",
                "[",
                "[1",
                "[1.",
                "[1e",
                "-",
                "1.",
                "1e",
                "1e-",
                "tru",
                "\"",
                "\"\\",
                "\"\\u00"
            })
    void unfinishedJson(String json) {
        JsonFieldScanner scanner = scan(json);

        assertThat(scanner.complete()).isFalse();
        assertThat(scanner.malformed()).isFalse();
    }

    @Test
    void nestingIsBounded() {
        int most = JsonFieldScanner.MAX_DEPTH;
        assertThat(scan("[".repeat(most) + "]".repeat(most)).complete()).isTrue();
        assertThat(scan("{\"a\":".repeat(most) + "1" + "}".repeat(most)).complete())
                .isTrue();
        assertThat(scan("[".repeat(most + 1)).malformed()).isTrue();
        assertThat(scan("{\"a\":[".repeat(most)).malformed()).isTrue();
    }

    @Test
    void arraysAndObjectsAreToldApartAtEveryDepth() {
        Random random = new Random(3);
        for (int round = 0; round < 200; round++) {
            StringBuilder open = new StringBuilder();
            StringBuilder close = new StringBuilder();
            for (int depth = random.nextInt(JsonFieldScanner.MAX_DEPTH); depth >= 0; depth--) {
                boolean object = random.nextBoolean();
                open.append(object ? "{\"a\":" : "[");
                close.insert(0, object ? '}' : ']');
            }
            assertThat(scan(open + "1" + close).complete()).isTrue();
            int wrong = random.nextInt(close.length());
            close.setCharAt(wrong, close.charAt(wrong) == '}' ? ']' : '}');
            assertThat(scan(open + "1" + close).malformed()).isTrue();
        }
    }

    @Test
    void aQuoteIsFoundAtAnyPlaceAmongAnyBytes() {
        Random random = new Random(5);
        int[] nasty = {0x80, 0xa1, 0xa2, 0xa3, 0xdb, 0xdc, 0xdd, 0x9f, 0xa0, 0xff, 0x21, 0x23, 0x5b, 0x5d, 0x20, 0x7f};
        for (int length = 0; length < 40; length++) {
            for (int round = 0; round < 200; round++) {
                ByteBuf buf = Unpooled.buffer();
                buf.writeBytes("{\"p\":\"".getBytes(StandardCharsets.UTF_8));
                for (int i = 0; i < length; i++) {
                    buf.writeByte(nasty[random.nextInt(nasty.length)]);
                }
                buf.writeBytes((round % 2 == 0 ? "\\\"" : "").getBytes(StandardCharsets.UTF_8));
                buf.writeBytes("\",\"model\":\"x\"}".getBytes(StandardCharsets.UTF_8));
                JsonFieldScanner scanner = new JsonFieldScanner();
                scanner.feed(buf, 0, buf.writerIndex());
                assertThat(scanner.complete()).isTrue();
                assertThat(scanner.model()).isEqualTo("x");
            }
        }
    }

    @Test
    void aControlCharacterIsFoundAtAnyPlace() {
        for (int length = 0; length < 40; length++) {
            for (char control = 0; control < ' '; control++) {
                assertThat(scan("{\"p\":\"" + "ü".repeat(length) + control + "aaaaaaaaaa\"}")
                                .malformed())
                        .isTrue();
            }
        }
    }

    @Test
    void readsAnyKindOfBufferBetweenTheIndicesOnly() {
        byte[] json =
                "{\"prompt\":\"hello \\\"world\\\" and more\",\"model\":\"m:1\"}".getBytes(StandardCharsets.UTF_8);
        ByteBuf direct =
                Unpooled.directBuffer().writeBytes(new byte[3]).writeBytes(json).writeByte(']');
        ByteBuf composite = Unpooled.wrappedBuffer(
                Unpooled.copiedBuffer(json, 0, 11),
                Unpooled.copiedBuffer(json, 11, 9),
                Unpooled.copiedBuffer(json, 20, json.length - 20));
        try {
            JsonFieldScanner scanner = new JsonFieldScanner();
            scanner.feed(direct, 3, 3 + json.length);
            assertThat(scanner.model()).isEqualTo("m:1");
            assertThat(direct.readerIndex()).isZero();
            scanner.reset();
            scanner.feed(composite, 0, json.length);
            assertThat(scanner.model()).isEqualTo("m:1");
        } finally {
            direct.release();
            composite.release();
        }
    }

    @Test
    void resetForgetsEverything() {
        JsonFieldScanner scanner = new JsonFieldScanner();
        String[] broken = {
            "{\"model\":\"a\",\"stream\":true}",
            "{\"model\":\"abc",
            "[[[{\"a\":[",
            "{\"model\":x",
            "{\"mod",
            "{\"model\":\"a\\ud83d",
            "{\"model\":",
            "{\"a\":1"
        };
        for (String json : broken) {
            feed(scanner, json);
            scanner.reset();
            assertThat(scanner.model()).isNull();
            assertThat(scanner.stream()).isNull();
            assertThat(scanner.complete()).isFalse();
            assertThat(scanner.malformed()).isFalse();
            feed(scanner, "{\"model\":\"b\"}");
            assertThat(scanner.model()).isEqualTo("b");
            assertThat(scanner.stream()).isNull();
            assertThat(scanner.complete()).isTrue();
            scanner.reset();
        }
    }

    private static JsonFieldScanner scan(String json) {
        JsonFieldScanner scanner = new JsonFieldScanner();
        feed(scanner, json);
        return scanner;
    }

    private static void feed(JsonFieldScanner scanner, String json) {
        ByteBuf buf = Unpooled.copiedBuffer(json, StandardCharsets.UTF_8);
        scanner.feed(buf, 0, buf.writerIndex());
    }
}
