package io.drover.demo;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request's JSON object, read as Go does: one value, what follows is ignored; names in any case; the last duplicate
 * wins; unknown fields are ignored.
 */
final class JsonBody {
    /** A body that Go would refuse; the message is Go's, near enough. */
    static final class BadJson extends Exception {
        private static final long serialVersionUID = 1L;

        BadJson(String message) {
            super(message, null, false, false);
        }
    }

    private final Map<String, @Nullable Object> fields;

    private JsonBody(Map<String, @Nullable Object> fields) {
        this.fields = fields;
    }

    static JsonBody of(Map<String, @Nullable Object> fields) {
        return new JsonBody(fields);
    }

    static JsonBody parse(byte[] bytes) throws BadJson {
        try (JsonParser parser = Json.FACTORY.createParser(bytes)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                throw new BadJson("EOF");
            }
            if (first == JsonToken.VALUE_NULL) {
                return new JsonBody(Map.of());
            }
            if (first != JsonToken.START_OBJECT) {
                throw new BadJson("json: cannot unmarshal " + kind(value(parser, first)) + " into Go value");
            }
            return new JsonBody(object(parser));
        } catch (JsonEOFException e) {
            throw new BadJson("unexpected EOF");
        } catch (JsonParseException e) {
            int at = (int) Math.min(Math.max(e.getLocation().getByteOffset() - 1, 0), bytes.length - 1L);
            throw new BadJson("invalid character '" + (char) bytes[at] + "' looking for beginning of value");
        } catch (IOException e) {
            throw new BadJson(String.valueOf(e.getMessage()));
        }
    }

    private static Map<String, @Nullable Object> object(JsonParser parser) throws IOException {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName().toLowerCase(Locale.ROOT);
            fields.put(name, value(parser, parser.nextToken()));
        }
        return fields;
    }

    private static @Nullable Object value(JsonParser parser, JsonToken token) throws IOException {
        return switch (token) {
            case START_OBJECT -> object(parser);
            case START_ARRAY -> {
                List<@Nullable Object> items = new ArrayList<>();
                for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
                    items.add(value(parser, t));
                }
                yield items;
            }
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT ->
                parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                        ? (Object) parser.getDoubleValue()
                        : (Object) parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> null;
        };
    }

    @Nullable
    Object get(String name) {
        return fields.get(name);
    }

    Collection<@Nullable Object> values() {
        return fields.values();
    }

    boolean has(String name) {
        return fields.get(name) != null;
    }

    /** A string field, empty if absent. */
    String string(String name) throws BadJson {
        Object value = get(name);
        if (value == null) {
            return "";
        }
        if (value instanceof String text) {
            return text;
        }
        throw mismatch(name, value, "string");
    }

    /** The model's name, which some routes also take as {@code name}. */
    String model() throws BadJson {
        String model = string("model");
        return model.isEmpty() ? string("name") : model;
    }

    boolean bool(String name, boolean otherwise) throws BadJson {
        Object value = get(name);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw mismatch(name, value, "bool");
    }

    /** A whole number, {@code otherwise} if absent. */
    long integer(String name, long otherwise) throws BadJson {
        Object value = get(name);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof Long number) {
            return number;
        }
        throw mismatch(name, value, "int");
    }

    /** A nested object, empty if absent. */
    JsonBody nested(String name) throws BadJson {
        Object value = get(name);
        if (value == null) {
            return of(Map.of());
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> nested = new LinkedHashMap<>();
            map.forEach((key, item) -> nested.put(String.valueOf(key), item));
            return of(nested);
        }
        throw mismatch(name, value, "map");
    }

    List<?> list(String name) throws BadJson {
        Object value = get(name);
        if (value == null) {
            return List.of();
        }
        if (value instanceof List<?> items) {
            return items;
        }
        throw mismatch(name, value, "array");
    }

    /** The characters in all strings of a value: what stands for its length in tokens. */
    static long characters(@Nullable Object value) {
        long sum = 0;
        if (value instanceof String text) {
            sum = text.length();
        } else if (value instanceof List<?> items) {
            for (Object item : items) {
                sum += characters(item);
            }
        } else if (value instanceof Map<?, ?> map) {
            for (Object item : map.values()) {
                sum += characters(item);
            }
        }
        return sum;
    }

    private static BadJson mismatch(String name, Object value, String type) {
        return new BadJson(
                "json: cannot unmarshal " + kind(value) + " into Go struct field ." + name + " of type " + type);
    }

    private static String kind(@Nullable Object value) {
        if (value instanceof Map) {
            return "object";
        } else if (value instanceof List) {
            return "array";
        } else if (value instanceof Boolean) {
            return "bool";
        }
        return value instanceof String ? "string" : "number";
    }
}
