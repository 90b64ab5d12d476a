package io.drover.cache;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.drover.ollama.Endpoint;
import java.io.IOException;

/** Reads answers of the endpoints that embed, which may have many megabytes, in one go. They change nothing at a replay. */
final class EmbeddingReader {
    private final JsonParser json;
    private final Endpoint endpoint;
    private int vectors;
    private long tokens = -1;

    private EmbeddingReader(JsonParser json, Endpoint endpoint) {
        this.json = json;
        this.endpoint = endpoint;
    }

    /** @throws UnfitAnswerException if it has no vectors: the model was loaded only */
    static Reading read(Endpoint endpoint, byte[] body) throws UnfitAnswerException {
        try (JsonParser json = JsonText.parser(Slice.of(body))) {
            EmbeddingReader reader = new EmbeddingReader(json, endpoint);
            reader.object();
            if (reader.vectors == 0 || json.nextToken() != null) {
                throw new UnfitAnswerException("no vectors, or something behind them");
            }
            return new Reading(new Places(), reader.tokens);
        } catch (IOException malformed) {
            throw new UnfitAnswerException("malformed JSON: " + malformed.getMessage());
        }
    }

    private void object() throws IOException, UnfitAnswerException {
        expect(json.nextToken() == JsonToken.START_OBJECT, "an object");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            switch (name) {
                case "error" -> expect(value == JsonToken.VALUE_NULL, "no error");
                case "prompt_eval_count" -> count(value);
                case "usage" -> usage(value);
                case "embedding" -> vector(value, endpoint == Endpoint.EMBEDDINGS);
                case "embeddings" -> vectors(value, endpoint == Endpoint.EMBED);
                case "data" -> data(value, endpoint == Endpoint.V1_EMBEDDINGS);
                default -> json.skipChildren();
            }
        }
    }

    private void vectors(JsonToken value, boolean expected) throws IOException, UnfitAnswerException {
        expect(expected && value == JsonToken.START_ARRAY, "vectors");
        while (json.nextToken() != JsonToken.END_ARRAY) {
            vector(json.currentToken(), true);
        }
    }

    private void data(JsonToken value, boolean expected) throws IOException, UnfitAnswerException {
        expect(expected && value == JsonToken.START_ARRAY, "data");
        while (json.nextToken() != JsonToken.END_ARRAY) {
            expect(json.currentToken() == JsonToken.START_OBJECT, "an object");
            int before = vectors;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean vector = json.currentName().equals("embedding");
                JsonToken member = json.nextToken();
                if (vector && member == JsonToken.VALUE_STRING) {
                    expect(json.getTextLength() > 0, "a vector in base64");
                    vectors++;
                } else if (vector) {
                    vector(member, true);
                } else {
                    json.skipChildren();
                }
            }
            expect(vectors == before + 1, "a vector");
        }
    }

    private void vector(JsonToken value, boolean expected) throws IOException, UnfitAnswerException {
        expect(expected && value == JsonToken.START_ARRAY, "a vector");
        JsonToken number = json.nextToken();
        expect(number.isNumeric(), "numbers");
        while (number.isNumeric()) {
            number = json.nextToken();
        }
        expect(number == JsonToken.END_ARRAY, "numbers");
        vectors++;
    }

    private void usage(JsonToken value) throws IOException, UnfitAnswerException {
        if (value != JsonToken.START_OBJECT) {
            json.skipChildren();
            return;
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            boolean prompt = json.currentName().equals("prompt_tokens");
            JsonToken count = json.nextToken();
            if (prompt) {
                count(count);
            } else {
                json.skipChildren();
            }
        }
    }

    private void count(JsonToken value) throws IOException, UnfitAnswerException {
        expect(value == JsonToken.VALUE_NUMBER_INT, "a count");
        tokens = Math.max(-1, json.getLongValue());
    }

    private static void expect(boolean met, String expected) throws UnfitAnswerException {
        if (!met) {
            throw new UnfitAnswerException("another value (expected: " + expected + ")");
        }
    }
}
