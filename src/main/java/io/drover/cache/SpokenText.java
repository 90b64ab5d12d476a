package io.drover.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.drover.ollama.Endpoint;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds what the user says last in a request, if that is a text and the request has none of what rules a comparison out. */
final class SpokenText {
    // Its names are looked up in a table, or else it would decode the bytes first and not know their places.
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    /** Known, but what they hold is asked too, or changes what the text is. */
    private static final Set<String> NOT_WITH = Set.of(
            "suffix",
            "context",
            "raw",
            "images",
            "tools",
            "tool_choice",
            "response_format",
            "text",
            "output_config",
            "include",
            "background",
            "logprobs",
            "top_logprobs");

    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant");
    private static final Set<String> PARTS = Set.of("text", "input_text", "output_text");

    private final JsonParser json;
    private final Map<String, FieldMeaning> known;
    private @Nullable Place place;

    /**
     * Where it stands.
     *
     * @param from of the string's first quote, in bytes
     * @param to behind its last one
     */
    record Place(String text, int from, int to) {}

    private SpokenText(JsonParser json, Map<String, FieldMeaning> known) {
        this.json = json;
        this.known = known;
    }

    /**
     * @param body well-formed, no name twice
     * @return null where there is none, or more than one text
     */
    static @Nullable Place find(Endpoint endpoint, byte[] body) throws IOException {
        Map<String, FieldMeaning> known = FieldMeaning.of(endpoint);
        if (known == null || !endpoint.generates()) {
            return null;
        }
        try (JsonParser json = JSON.createParser(body)) {
            SpokenText reader = new SpokenText(json, known);
            return json.nextToken() == JsonToken.START_OBJECT && reader.fields() ? reader.place : null;
        }
    }

    /** Whether nothing rules it out. */
    private boolean fields() throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            FieldMeaning meaning = known.getOrDefault(name, FieldMeaning.OPAQUE);
            boolean fits =
                    switch (meaning) {
                        case PROMPT -> text(value);
                        case MESSAGES -> value == JsonToken.START_ARRAY ? messages() : text(value);
                        case OPAQUE -> isNothing(value);
                        default -> NOT_WITH.contains(name) ? isNothing(value) : skip();
                    };
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    private boolean skip() throws IOException {
        json.skipChildren();
        return true;
    }

    /** Whether it is as good as absent: some clients send all the fields they know. */
    private boolean isNothing(JsonToken value) throws IOException {
        return switch (value) {
            case VALUE_NULL, VALUE_FALSE -> true;
            case VALUE_STRING -> json.getTextLength() == 0;
            case START_ARRAY -> json.nextToken() == JsonToken.END_ARRAY;
            case START_OBJECT -> json.nextToken() == JsonToken.END_OBJECT;
            default -> false;
        };
    }

    private boolean text(JsonToken value) throws IOException {
        if (value != JsonToken.VALUE_STRING) {
            return false;
        }
        int from = (int) json.currentTokenLocation().getByteOffset();
        // Where a string ends is known only when it has been read.
        String text = json.getText();
        place = new Place(text, from, (int) json.currentLocation().getByteOffset());
        return true;
    }

    /** Whether they are texts only, of which the last is the user's. */
    private boolean messages() throws IOException {
        String last = "";
        while (json.nextToken() != JsonToken.END_ARRAY) {
            place = null;
            String role = json.currentToken() == JsonToken.START_OBJECT ? message() : null;
            if (role == null || !ROLES.contains(role)) {
                return false;
            }
            last = role;
        }
        return last.equals("user") && place != null;
    }

    /** Who says it; null where it is something else than a text. */
    private @Nullable String message() throws IOException {
        String role = null;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            boolean fits =
                    switch (name) {
                        case "role" -> {
                            role = json.getText();
                            yield true;
                        }
                        case "content" -> value == JsonToken.START_ARRAY ? parts() : text(value);
                        case "type" -> json.getText().equals("message");
                        case "thinking", "name" -> value == JsonToken.VALUE_STRING;
                        default -> isNothing(value);
                    };
            if (!fits) {
                return null;
            }
        }
        return role;
    }

    /** Whether they are texts; of more than one none is all that is said. */
    private boolean parts() throws IOException {
        int count = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (json.currentToken() != JsonToken.START_OBJECT || !part()) {
                return false;
            }
            count++;
        }
        place = count == 1 ? place : null;
        return true;
    }

    private boolean part() throws IOException {
        boolean said = false;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            boolean fits =
                    switch (name) {
                        case "type" -> PARTS.contains(json.getText());
                        case "text" -> {
                            said = text(value);
                            yield said;
                        }
                        default -> isNothing(value);
                    };
            if (!fits) {
                return false;
            }
        }
        return said;
    }
}
