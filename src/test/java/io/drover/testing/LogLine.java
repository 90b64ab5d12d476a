package io.drover.testing;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One line of the access log, or of the audit log.
 *
 * @param fields every value as text
 */
public record LogLine(Map<String, String> fields) {
    private static final JsonFactory JSON = new JsonFactory();

    /** Fails unless the line is one JSON object and nothing else. */
    public static LogLine parse(String line) {
        Map<String, String> fields = new LinkedHashMap<>();
        try (JsonParser json = JSON.createParser(line)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                fields.put(name, json.getText());
            }
            if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
                throw new AssertionError("a line that is not one object: " + line);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(line, e);
        }
        return new LogLine(fields);
    }

    /** A field's value; empty where it is absent. */
    public String get(String name) {
        return fields.getOrDefault(name, "");
    }

    public int status() {
        return Integer.parseInt(get("status"));
    }

    public int attempts() {
        return Integer.parseInt(get("attempts"));
    }

    /** Phase and side of the failure, such as {@code relay/upstream}; {@code ok} where there was none. */
    public String outcome() {
        return get("phase").isEmpty() ? "ok" : get("phase") + "/" + get("side");
    }
}
