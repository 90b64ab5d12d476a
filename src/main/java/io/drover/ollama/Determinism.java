package io.drover.ollama;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;

/**
 * Whether a request asks for the same answer every time: by a seed, or by a temperature of 0. Reads its body as Ollama
 * does: names match in any case, but those within {@code options}, and the last duplicate wins.
 */
public final class Determinism {
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    /** Ollama's way to ask for any seed. */
    private static final int RANDOM = -1;

    private boolean seeded;
    private boolean cold;

    private Determinism() {}

    /**
     * Reads a body once; one that is malformed asks for nothing.
     *
     * @param endpoint one that generates
     * @param body read up to the end of its object; the caller closes it
     */
    public static boolean isAsked(Endpoint endpoint, InputStream body) {
        Determinism asked = new Determinism();
        try (JsonParser json = JSON.createParser(body)) {
            return json.nextToken() == JsonToken.START_OBJECT
                    && asked.read(json, endpoint.family() == ApiFamily.OLLAMA);
        } catch (IOException malformed) {
            return false;
        }
    }

    private boolean read(JsonParser json, boolean inOptions) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName().toLowerCase(Locale.ROOT);
            JsonToken value = json.nextToken();
            if (!inOptions) {
                option(name, value, json);
            } else if (name.equals("options")) {
                options(value, json);
            }
            json.skipChildren();
        }
        return seeded || cold;
    }

    private void options(JsonToken value, JsonParser json) throws IOException {
        if (value == JsonToken.VALUE_NULL) {
            seeded = false;
            cold = false;
        } else if (value == JsonToken.START_OBJECT) {
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                option(name, json.nextToken(), json);
                json.skipChildren();
            }
        }
    }

    private void option(String name, JsonToken value, JsonParser json) throws IOException {
        if (name.equals("seed")) {
            seeded = value.isNumeric() && json.getDoubleValue() != RANDOM;
        } else if (name.equals("temperature")) {
            cold = value.isNumeric() && json.getDoubleValue() == 0;
        }
    }
}
