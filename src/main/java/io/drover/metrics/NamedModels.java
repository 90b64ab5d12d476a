package io.drover.metrics;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The models that the body of a request about models names, where only its beginning may be there.
 *
 * @param model {@code model}, or what some routes call {@code name} or {@code source}
 * @param destination what a copy is to be called
 */
record NamedModels(@Nullable String model, @Nullable String destination) {
    static final NamedModels NONE = new NamedModels(null, null);

    private static final JsonFactory JSON = new JsonFactory();

    /** What can be found; names match in any case, as they do for Ollama. */
    static NamedModels in(ByteBuffer body) {
        String model = null;
        String destination = null;
        try (JsonParser json =
                JSON.createParser(body.array(), body.arrayOffset() + body.position(), body.remaining())) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return NONE;
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName().toLowerCase(Locale.ROOT);
                String text = json.nextToken() == JsonToken.VALUE_STRING ? json.getText() : "";
                json.skipChildren();
                if (text.isEmpty()) {
                    continue;
                }
                switch (field) {
                    case "model" -> model = text;
                    case "name", "source" -> model = model == null ? text : model;
                    case "destination" -> destination = text;
                    default -> {}
                }
            }
        } catch (IOException cutOrMalformed) {
            return new NamedModels(model, destination);
        }
        return new NamedModels(model, destination);
    }
}
