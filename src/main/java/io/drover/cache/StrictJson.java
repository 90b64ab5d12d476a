package io.drover.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * JSON of which there is one reading only: whatever Go and Jackson might take differently is refused. Strings that come
 * out of it may have halves of surrogate pairs, from escapes.
 */
final class StrictJson {
    /** Levels; {@code options} has two. It also bounds how often {@link #canonical} copies a value. */
    private static final int MAX_DEPTH = 16;

    /** Of a request: names and values take much more memory as they are than in its body. */
    private static final int MAX_TOKENS = 1 << 14;

    private static final JsonFactory REQUESTS = factory(StreamReadConstraints.builder()
            .maxNestingDepth(MAX_DEPTH)
            .maxTokenCount(MAX_TOKENS)
            .build());
    private static final JsonFactory ANSWERS =
            factory(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build());

    private static final String HEX = "0123456789abcdef";

    private StrictJson() {}

    private static JsonFactory factory(StreamReadConstraints constraints) {
        return JsonFactory.builder()
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .disable(JsonFactory.Feature.CHARSET_DETECTION)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(constraints)
                .build();
    }

    /**
     * A parser within an object, before its first name.
     *
     * @throws IOException if the text does not begin with an object, is no UTF-8, or has too many names and values
     */
    static JsonParser openRequest(byte[] text) throws IOException {
        return open(REQUESTS, text);
    }

    /** As {@link #openRequest}, with as many numbers as there are. */
    static JsonParser openAnswer(byte[] text) throws IOException {
        return open(ANSWERS, text);
    }

    private static JsonParser open(JsonFactory factory, byte[] text) throws IOException {
        requireUtf8(text);
        JsonParser json = factory.createParser(text);
        if (json.nextToken() != JsonToken.START_OBJECT) {
            throw new JsonParseException(json, "no object");
        }
        return json;
    }

    /** Jackson takes overlong forms and halves of pairs; Go replaces them. */
    private static void requireUtf8(byte[] text) throws CharacterCodingException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(text);
        CharBuffer out = CharBuffer.allocate(Math.min(text.length + 1, 8192));
        CoderResult result;
        do {
            out.clear();
            result = decoder.decode(in, out, true);
        } while (result.isOverflow());
        if (result.isError()) {
            result.throwException();
        }
    }

    /**
     * The value at which the parser stands, as ASCII: objects with their names sorted, no white space, numbers as they are
     * spelled. The parser stands at its end afterwards.
     */
    static String canonical(JsonParser json) throws IOException {
        StringBuilder out = new StringBuilder();
        switch (json.currentToken()) {
            case START_OBJECT -> {
                Map<String, String> members = new TreeMap<>();
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String name = json.currentName();
                    json.nextToken();
                    members.put(name, canonical(json));
                }
                object(out, members);
            }
            case START_ARRAY -> {
                String comma = "";
                out.append('[');
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    out.append(comma).append(canonical(json));
                    comma = ",";
                }
                out.append(']');
            }
            case VALUE_STRING -> quote(out, json.getText());
            default -> out.append(json.getText());
        }
        return out.toString();
    }

    /** @param members values as text, in the order in which they are to stand */
    static void object(StringBuilder out, Map<String, String> members) {
        String comma = "";
        out.append('{');
        for (Map.Entry<String, String> member : members.entrySet()) {
            out.append(comma);
            quote(out, member.getKey());
            out.append(':').append(member.getValue());
            comma = ",";
        }
        out.append('}');
    }

    /** Writes a string in ASCII; as Go does, with {@code <}, {@code >} and {@code &} escaped. */
    static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c >= ' ' && c < 0x7f && c != '<' && c != '>' && c != '&') {
                        out.append(c);
                    } else {
                        escape(out, c);
                    }
                }
            }
        }
        out.append('"');
    }

    private static void escape(StringBuilder out, char c) {
        out.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            out.append(HEX.charAt(c >> shift & 0xf));
        }
    }

    /** The text with U+FFFD for each half of a surrogate pair, which is what Go reads where an escape has one. */
    static String whole(String text) {
        int at = firstHalf(text, 0);
        if (at < 0) {
            return text;
        }
        StringBuilder mended = new StringBuilder(text);
        for (; at >= 0; at = firstHalf(text, at + 1)) {
            mended.setCharAt(at, '\ufffd');
        }
        return mended.toString();
    }

    private static int firstHalf(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (i + 1 == text.length() || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
                    return i;
                }
                i++;
            }
        }
        return -1;
    }
}
