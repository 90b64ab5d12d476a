package io.drover.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON one level deep, with the places of what it finds; all of it is checked to be well-formed. Any thread. */
final class JsonText {
    private static final JsonFactory JSON = JsonFactory.builder()
            // Names may come from a tool's arguments, and interned ones would stay.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            // Of another encoding it does not know the places.
            .disable(JsonFactory.Feature.CHARSET_DETECTION)
            // What may be kept is bounded by the configuration, and an answer may be one long string.
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private JsonText() {}

    /**
     * The members of an object.
     *
     * @throws UnfitAnswerException if it is anything but one well-formed object, or has a name twice
     */
    static Members members(Slice object) throws UnfitAnswerException {
        Map<String, Slice> members = new LinkedHashMap<>();
        try (JsonParser json = parser(object)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new UnfitAnswerException("no JSON object");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                if (members.put(name, value(json, object)) != null) {
                    throw new UnfitAnswerException(name + ": twice (expected: once)");
                }
            }
            end(json);
        } catch (IOException malformed) {
            throw new UnfitAnswerException("malformed JSON: " + malformed.getMessage());
        }
        return new Members(object, members);
    }

    /**
     * The elements of an array.
     *
     * @throws UnfitAnswerException if it is anything but one well-formed array
     */
    static List<Slice> elements(Slice array) throws UnfitAnswerException {
        List<Slice> elements = new ArrayList<>();
        try (JsonParser json = parser(array)) {
            if (json.nextToken() != JsonToken.START_ARRAY) {
                throw new UnfitAnswerException("no JSON array");
            }
            while (json.nextToken() != JsonToken.END_ARRAY) {
                elements.add(value(json, array));
            }
            end(json);
        } catch (IOException malformed) {
            throw new UnfitAnswerException("malformed JSON: " + malformed.getMessage());
        }
        return elements;
    }

    /** What a string says, without its escapes. */
    static String string(Slice string) throws UnfitAnswerException {
        try (JsonParser json = parser(string)) {
            if (json.nextToken() != JsonToken.VALUE_STRING) {
                throw new UnfitAnswerException("no JSON string");
            }
            return json.getText();
        } catch (IOException malformed) {
            throw new UnfitAnswerException("malformed JSON: " + malformed.getMessage());
        }
    }

    static JsonParser parser(Slice text) throws IOException {
        return JSON.createParser(text.text(), text.from(), text.length());
    }

    private static void end(JsonParser json) throws IOException, UnfitAnswerException {
        if (json.nextToken() != null) {
            throw new UnfitAnswerException("more than one JSON value");
        }
    }

    /** The value at whose first token the parser stands; it is read to its end. */
    private static Slice value(JsonParser json, Slice text) throws IOException {
        int from = text.from() + (int) json.currentTokenLocation().getByteOffset();
        JsonToken token = json.currentToken();
        int to;
        if (token.isNumeric()) {
            to = from + json.getTextLength();
        } else if (token.isBoolean() || token == JsonToken.VALUE_NULL) {
            to = from + token.asString().length();
        } else {
            json.skipChildren();
            json.finishToken();
            to = text.from() + (int) json.currentLocation().getByteOffset();
        }
        return new Slice(text.text(), from, to);
    }
}
