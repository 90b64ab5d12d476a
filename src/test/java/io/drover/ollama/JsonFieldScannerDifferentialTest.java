package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The scanner against jackson-core: same verdict, same fields, wherever the input is cut. */
class JsonFieldScannerDifferentialTest {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String[] NAMES = {
        "model",
        "stream",
        "Model",
        "STREAM",
        "mod\\u0065l",
        "\\u017ftream",
        "name",
        "nAme",
        "n\\u0061me",
        "ſtream",
        "a",
        "",
        "prompt",
        "messages",
        "model ",
        "ü"
    };
    private static final String[] SCALARS = {
        "true",
        "false",
        "null",
        "0",
        "-0",
        "12",
        "-3.25",
        "1e9",
        "0.5E-3",
        "1E+2",
        "\"llama3.2\"",
        "\"\"",
        "\"b:1\"",
        "\"a\\\\\"",
        "\"\\\"model\\\":\\\"x\\\"\"",
        "\"ü€😀\"",
        "\"\\ud83d\\ude00\\u00e9\"",
        "\"\\ud83dx\"",
        "\"\\ude00\"",
        "\"{[,:]}\"",
        "\"0123456789abcdef0123456789\"",
        "\"\\/\\b\\f\\n\\r\\t\""
    };
    private static final Pattern LEADING_PLUS = Pattern.compile("(^|[^eE])\\+");
    private static final String INSERTS = "{}[]\",:\\ tfnue0123456789-+.E\u0001\n\u007fxü";

    @Test
    void validDocumentsAtEverySplit() {
        Random random = new Random(20260822);
        for (int round = 0; round < 1500; round++) {
            String json = document(random);
            Reading expected = jackson(json);
            assertThat(expected.complete).as(json).isTrue();
            assertSameAtEverySplit(json, expected);
        }
    }

    @Test
    void brokenDocumentsAtEverySplit() {
        Random random = new Random(4711);
        int broken = 0;
        int rounds = 4000;
        for (int round = 0; round < rounds; round++) {
            String json = mutated(document(random), random);
            if (json.isBlank() || "-0123456789tfn".indexOf(json.strip().charAt(0)) >= 0) {
                continue; // jackson looks at what follows a bare number or literal, Go does not
            }
            Reading expected = jackson(json);
            broken += expected.complete ? 0 : 1;
            assertSameAtEverySplit(json, expected);
        }
        assertThat(broken).as("the mutations must bite").isBetween(rounds / 4, rounds);
    }

    @Test
    void everyPrefixOfADocumentIsUnfinished() {
        Random random = new Random(99);
        for (int round = 0; round < 500; round++) {
            String json = value(random);
            byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
            ByteBuf buf = Unpooled.wrappedBuffer(bytes);
            JsonFieldScanner scanner = new JsonFieldScanner();
            for (int i = 0; i < bytes.length; i++) {
                assertThat(scanner.complete() || scanner.malformed()).as(json).isFalse();
                scanner.feed(buf, i, i + 1);
            }
            assertThat(scanner.complete()).as(json).isTrue();
        }
    }

    private static void assertSameAtEverySplit(String json, Reading expected) {
        ByteBuf buf = Unpooled.copiedBuffer(json, StandardCharsets.UTF_8);
        int end = buf.writerIndex();
        JsonFieldScanner scanner = new JsonFieldScanner();
        for (int split = 0; split < end; split++) {
            scanner.reset();
            scanner.feed(buf, 0, split);
            scanner.feed(buf, split, end);
            assertSame(json, scanner, expected);
        }
        scanner.reset();
        for (int i = 0; i < end; i++) {
            scanner.feed(buf, i, i + 1);
        }
        assertSame(json, scanner, expected);
    }

    private static void assertSame(String json, JsonFieldScanner scanner, Reading expected) {
        if (scanner.complete() != expected.complete
                || (expected.unfinished && scanner.malformed())
                || (expected.complete && scanner.malformed())) {
            throw new AssertionError(json + ": complete " + scanner.complete() + ", malformed " + scanner.malformed()
                    + ", but jackson: " + expected);
        }
        if (expected.complete) {
            assertThat(scanner.model()).as(json).isEqualTo(expected.model);
            assertThat(scanner.name()).as(json).isEqualTo(expected.name);
            assertThat(scanner.stream()).as(json).isEqualTo(expected.stream);
        }
    }

    /** @param unfinished whether only the end of the input was missed */
    private record Reading(
            boolean complete,
            boolean unfinished,
            @Nullable String model,
            @Nullable String name,
            @Nullable Boolean stream) {}

    private static Reading jackson(String json) {
        String model = null;
        String kept = null;
        Boolean stream = null;
        try (JsonParser parser = JSON.createParser(json.getBytes(StandardCharsets.UTF_8))) {
            JsonToken root = parser.nextToken();
            if (root == null) {
                return new Reading(false, true, null, null, null);
            }
            if (root != JsonToken.START_OBJECT) {
                parser.skipChildren();
                parser.getText();
                return new Reading(true, false, null, null, null);
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName().toLowerCase(Locale.ROOT).replace('ſ', 's');
                JsonToken value = parser.nextToken();
                if (name.equals("model") && value == JsonToken.VALUE_STRING) {
                    model = withoutHalfPairs(parser.getText());
                } else if (name.equals("name") && value == JsonToken.VALUE_STRING) {
                    kept = withoutHalfPairs(parser.getText());
                } else if (name.equals("stream") && (value.isBoolean() || value == JsonToken.VALUE_NULL)) {
                    stream = value.isBoolean() ? parser.getBooleanValue() : null;
                }
                parser.skipChildren();
            }
            return new Reading(true, false, model, kept, stream);
        } catch (JsonEOFException e) {
            // Of a number that begins with a plus sign jackson wants to see more before it refuses it.
            return new Reading(false, !LEADING_PLUS.matcher(json).find(), null, null, null);
        } catch (IOException e) {
            return new Reading(false, false, null, null, null);
        }
    }

    private static String withoutHalfPairs(String text) {
        StringBuilder clean = new StringBuilder();
        text.codePoints()
                .forEach(c -> clean.appendCodePoint(
                        c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c));
        return clean.toString();
    }

    private static String document(Random random) {
        StringBuilder json = new StringBuilder();
        json.append(value(random));
        if (random.nextInt(5) == 0) {
            json.append(random.nextBoolean() ? "{\"model\":\"after\"}" : " !");
        }
        return json.toString();
    }

    private static String value(Random random) {
        StringBuilder json = new StringBuilder();
        if (random.nextInt(20) == 0) {
            array(json, random, 0);
        } else {
            object(json, random, 0);
        }
        return json.toString();
    }

    private static void object(StringBuilder json, Random random, int depth) {
        json.append('{');
        int members = random.nextInt(depth == 0 ? 6 : 3);
        for (int i = 0; i < members; i++) {
            json.append(i == 0 ? "" : ",").append(space(random)).append('"');
            json.append(NAMES[random.nextInt(NAMES.length)])
                    .append('"')
                    .append(space(random))
                    .append(':');
            value(json, random, depth + 1);
        }
        json.append(space(random)).append('}');
    }

    private static void array(StringBuilder json, Random random, int depth) {
        json.append('[');
        int elements = random.nextInt(4);
        for (int i = 0; i < elements; i++) {
            json.append(i == 0 ? "" : ",");
            value(json, random, depth + 1);
        }
        json.append(space(random)).append(']');
    }

    private static void value(StringBuilder json, Random random, int depth) {
        json.append(space(random));
        int kind = random.nextInt(depth > 4 ? 4 : 6);
        if (kind == 4) {
            object(json, random, depth);
        } else if (kind == 5) {
            array(json, random, depth);
        } else {
            json.append(SCALARS[random.nextInt(SCALARS.length)]);
        }
        json.append(space(random));
    }

    private static String space(Random random) {
        return random.nextInt(6) == 0 ? " \t\r\n".substring(random.nextInt(4)) : "";
    }

    private static String mutated(String json, Random random) {
        StringBuilder text = new StringBuilder(json);
        for (int i = random.nextInt(2); i >= 0 && !text.isEmpty(); i--) {
            int at = random.nextInt(text.length());
            char c = INSERTS.charAt(random.nextInt(INSERTS.length()));
            switch (random.nextInt(4)) {
                case 0 -> text.setCharAt(at, c);
                case 1 -> text.insert(at, c);
                case 2 -> text.deleteCharAt(at);
                default -> text.setLength(at);
            }
        }
        return text.toString();
    }
}
