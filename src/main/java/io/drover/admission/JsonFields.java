package io.drover.admission;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads one JSON object into a map of texts, numbers, booleans, nulls and lists of them. */
final class JsonFields {
    private JsonFields() {}

    /**
     * Reads the object on whose beginning {@code json} stands, to its end; objects within it come out empty.
     *
     * @param problems where fields that stand there twice are added
     */
    static Map<String, @Nullable Object> read(JsonParser json, List<FieldProblem> problems) throws IOException {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            json.nextToken();
            Object value = value(json);
            if (fields.containsKey(name)) {
                problems.add(FieldProblem.of(name, value, "each field once"));
            }
            fields.put(name, value);
        }
        return fields;
    }

    private static @Nullable Object value(JsonParser json) throws IOException {
        return switch (json.currentToken()) {
            case VALUE_STRING -> json.getText();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> json.getNumberValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case START_ARRAY -> {
                List<@Nullable Object> elements = new ArrayList<>();
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    elements.add(value(json));
                }
                yield elements;
            }
            case START_OBJECT -> {
                json.skipChildren();
                yield Map.of();
            }
            default -> null;
        };
    }
}
