package io.drover.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The embedding of one prompt: how it is asked for ({@code /api/embed}), and what the answer says. Any thread. */
public final class PromptVector {
    private static final JsonFactory JSON = new JsonFactory();

    private PromptVector() {}

    /** The body that asks for it. A prompt too long for the model is refused: of half a prompt the vector would lie. */
    public static byte[] question(String model, String prompt) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(body)) {
            json.writeStartObject();
            json.writeStringField("model", model);
            json.writeStringField("input", prompt);
            json.writeBooleanField("truncate", false);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return body.toByteArray();
    }

    /**
     * Reads the answer.
     *
     * @return of length 1; null where there is no such vector in it
     */
    public static float @Nullable [] read(byte[] answer) {
        try (JsonParser json = JSON.createParser(answer)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean found = json.currentName().equals("embeddings");
                if (json.nextToken() == JsonToken.START_ARRAY && found) {
                    return json.nextToken() == JsonToken.START_ARRAY ? unit(numbers(json)) : null;
                }
                json.skipChildren();
            }
            return null;
        } catch (IOException malformed) {
            return null;
        }
    }

    private static float[] numbers(JsonParser json) throws IOException {
        float[] numbers = new float[1024];
        int count = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (count == numbers.length) {
                numbers = Arrays.copyOf(numbers, 2 * count);
            }
            numbers[count++] = json.getFloatValue();
        }
        return Arrays.copyOf(numbers, count);
    }

    private static float @Nullable [] unit(float[] vector) {
        double squares = 0;
        for (float each : vector) {
            squares += (double) each * each;
        }
        double length = Math.sqrt(squares);
        if (!(length > 0) || !Double.isFinite(length)) {
            return null;
        }
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (vector[i] / length);
        }
        return vector;
    }
}
