package io.drover.cache;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.drover.ollama.Endpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A backend's answer to a request for embeddings, taken to pieces. Immutable; any thread. */
public final class EmbedAnswer {
    private final List<EmbedPart> parts;
    private final long tokens;
    private final long totalNanos;
    private final long loadNanos;

    private EmbedAnswer(byte[] body, Pieces pieces) {
        this.tokens = pieces.tokens;
        this.totalNanos = pieces.totalNanos;
        this.loadNanos = pieces.loadNanos;
        long each = pieces.from.length == 1 ? tokens : EmbedPart.UNKNOWN;
        List<EmbedPart> all = new ArrayList<>(pieces.from.length);
        for (int i = 0; i < pieces.from.length; i++) {
            all.add(new EmbedPart(body, pieces.from[i], pieces.to[i], each));
        }
        this.parts = List.copyOf(all);
    }

    /**
     * Takes an answer with status 200 to pieces. What Ollama may say in it some day, beyond what it says today, is passed
     * over.
     *
     * @param endpoint {@link Endpoint#EMBED} or {@link Endpoint#V1_EMBEDDINGS}
     * @param body kept
     * @param inputs how many vectors it has to have
     * @return null where it is no whole answer, or one with another number of vectors
     */
    public static @Nullable EmbedAnswer split(Endpoint endpoint, byte[] body, int inputs) {
        Pieces pieces = new Pieces(inputs);
        try (JsonParser json = StrictJson.openAnswer(body)) {
            boolean good = endpoint == Endpoint.EMBED ? pieces.takeOllamas(json) : pieces.takeOpenAis(json);
            return good && json.nextToken() == null ? new EmbedAnswer(body, pieces) : null;
        } catch (IOException malformed) {
            return null;
        }
    }

    /** The vectors, in the order of the inputs. */
    List<EmbedPart> parts() {
        return parts;
    }

    /** Tokens of all inputs; negative where it does not say. */
    long tokens() {
        return tokens;
    }

    /** 0 where it does not say. */
    long totalNanos() {
        return totalNanos;
    }

    /** 0 where it does not say. */
    long loadNanos() {
        return loadNanos;
    }

    /** What was read of an answer. */
    private static final class Pieces {
        private final int[] from;
        private final int[] to;
        private int vectors;
        private long tokens = EmbedPart.UNKNOWN;
        private long totalNanos;
        private long loadNanos;

        private Pieces(int inputs) {
            from = new int[inputs];
            to = new int[inputs];
        }

        private boolean takeOllamas(JsonParser json) throws IOException {
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                switch (name) {
                    case "error" -> {
                        return false;
                    }
                    case "embeddings" -> takeVectors(json);
                    case "prompt_eval_count" -> tokens = json.getLongValue();
                    case "total_duration" -> totalNanos = json.getLongValue();
                    case "load_duration" -> loadNanos = json.getLongValue();
                    default -> json.skipChildren();
                }
            }
            return vectors == from.length;
        }

        private boolean takeOpenAis(JsonParser json) throws IOException {
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                switch (name) {
                    case "error" -> {
                        return false;
                    }
                    case "data" -> takeElements(json);
                    case "usage" -> takeUsage(json);
                    default -> json.skipChildren();
                }
            }
            return vectors == from.length;
        }

        private void takeVectors(JsonParser json) throws IOException {
            expect(JsonToken.START_ARRAY, json);
            while (json.nextToken() == JsonToken.START_ARRAY) {
                int start = offset(json);
                set(vectors, start, endOfVector(json), json);
            }
            expect(JsonToken.END_ARRAY, json);
        }

        private void takeElements(JsonParser json) throws IOException {
            expect(JsonToken.START_ARRAY, json);
            while (json.nextToken() == JsonToken.START_OBJECT) {
                takeElement(json);
            }
            expect(JsonToken.END_ARRAY, json);
        }

        /** The index comes behind the vector. */
        private void takeElement(JsonParser json) throws IOException {
            int index = -1;
            int start = 0;
            int end = 0;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                switch (name) {
                    case "index" -> index = json.getIntValue();
                    case "embedding" -> {
                        start = offset(json);
                        end = endOfVector(json);
                    }
                    default -> json.skipChildren();
                }
            }
            set(index, start, end, json);
        }

        private void takeUsage(JsonParser json) throws IOException {
            expect(JsonToken.START_OBJECT, json);
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                if (name.equals("prompt_tokens")) {
                    tokens = json.getLongValue();
                } else {
                    json.skipChildren();
                }
            }
        }

        private void set(int index, int start, int end, JsonParser json) throws IOException {
            require(end > 0 && index >= 0 && index < from.length && to[index] == 0, json);
            from[index] = start;
            to[index] = end;
            vectors++;
        }

        private static int offset(JsonParser json) {
            return (int) json.currentTokenLocation().getByteOffset();
        }

        /** Reads numbers in brackets, or base64 in quotes. */
        private static int endOfVector(JsonParser json) throws IOException {
            if (json.currentToken() == JsonToken.VALUE_STRING) {
                require(json.getTextLength() > 0, json);
            } else {
                expect(JsonToken.START_ARRAY, json);
                JsonToken first = json.nextToken();
                require(first.isNumeric(), json);
                JsonToken next = first;
                while (next.isNumeric()) {
                    next = json.nextToken();
                }
                expect(JsonToken.END_ARRAY, json);
            }
            return (int) json.currentLocation().getByteOffset();
        }

        private static void expect(JsonToken token, JsonParser json) throws IOException {
            require(json.currentToken() == token, json);
        }

        private static void require(boolean good, JsonParser json) throws IOException {
            if (!good) {
                throw new JsonParseException(json, json.currentToken() + " where an answer has none");
            }
        }
    }
}
