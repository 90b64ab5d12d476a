package io.drover.ollama;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Reads the answer of {@code /api/version}. */
public final class ServerVersion {
    /** Names of fields come from backends: interning them would keep each for ever. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private ServerVersion() {}

    /** The version that an answer tells, such as {@code 0.32.15}; null if it is another answer, or cut short. */
    public static @Nullable String of(byte[] answer) {
        try (JsonParser json = JSON.createParser(answer)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            String version = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean wanted = json.currentName().equals("version");
                JsonToken value = json.nextToken();
                if (wanted) {
                    version = value == JsonToken.VALUE_STRING ? json.getText() : null;
                }
                json.skipChildren();
            }
            boolean whole = json.currentToken() == JsonToken.END_OBJECT && json.nextToken() == null;
            return whole && version != null && !version.isEmpty() ? version : null;
        } catch (IOException noJson) {
            return null;
        }
    }
}
