package io.drover.cache;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.drover.ollama.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A request for embeddings, input by input: a vector depends on nothing else in its batch, so each input has a key and an
 * entry of its own. Immutable; any thread.
 */
public final class EmbedQuestion {
    /** Most inputs of a request whose inputs are looked at one by one; OpenAI takes no more in any. */
    public static final int MAX_INPUTS = 2048;

    /**
     * {@code /v1/embeddings} goes through {@code /api/embed} in Ollama and prints the same numbers, so both share entries.
     */
    private static final String NUMBERS = "embed";

    /** What {@code /v1/embeddings} heeds; of anything else it does not know what {@code /api/embed} would make of it. */
    private static final Set<String> SHARED = Set.of("dimensions");

    private static final String NULL = "null";

    private final Endpoint endpoint;
    private final String model;
    private final List<String> inputs;
    private final List<CacheKey> keys;
    private final long from;
    private final long to;

    private EmbedQuestion(Endpoint endpoint, Asked asked, Body body) {
        this.endpoint = endpoint;
        this.model = body.model;
        this.inputs = List.copyOf(body.inputs);
        this.from = body.from;
        this.to = body.to;
        byte[] common = common(asked, body, domain(endpoint, body));
        MessageDigest sha256 = sha256();
        List<CacheKey> all = new ArrayList<>(inputs.size());
        for (String input : inputs) {
            sha256.update(common);
            all.add(CacheKey.of(sha256.digest(input.getBytes(StandardCharsets.UTF_8))));
        }
        this.keys = List.copyOf(all);
    }

    /**
     * Reads a request.
     *
     * @param body read to its end; the caller closes it
     * @return null where its inputs cannot be taken one by one: another endpoint, no strings, none or more than
     *     {@link #MAX_INPUTS}, or a body that might be understood in several ways
     */
    public static @Nullable EmbedQuestion read(Endpoint endpoint, Asked asked, InputStream body) {
        if (endpoint != Endpoint.EMBED && endpoint != Endpoint.V1_EMBEDDINGS) {
            return null;
        }
        Body read = new Body(endpoint);
        try (JsonParser json = StrictJson.openRequest(body.readAllBytes())) {
            return read.take(json) ? new EmbedQuestion(endpoint, asked, read) : null;
        } catch (IOException malformed) {
            return null;
        }
    }

    public Endpoint endpoint() {
        return endpoint;
    }

    /** As it stands in the request: an answer repeats it. */
    public String model() {
        return model;
    }

    /** Inputs, duplicates among them. */
    public int size() {
        return inputs.size();
    }

    /** The key of each input, in their order; equal inputs have equal ones. */
    public List<CacheKey> keys() {
        return keys;
    }

    /** Each key once: what there is to look up. */
    public Set<CacheKey> distinctKeys() {
        return new LinkedHashSet<>(keys);
    }

    /** Offset of the first byte of the value of {@code input}. */
    public long from() {
        return from;
    }

    /** Offset behind the last byte of the value of {@code input}. */
    public long to() {
        return to;
    }

    /** What there is to do, given what is kept of it. */
    public EmbedPlan plan(Map<CacheKey, EmbedPart> kept) {
        return new EmbedPlan(this, kept);
    }

    /** A value for {@code input}: a JSON array of the inputs at these places, in ASCII. */
    String inputOf(int[] places) {
        StringBuilder out = new StringBuilder();
        char before = '[';
        for (int place : places) {
            out.append(before);
            StrictJson.quote(out, inputs.get(place));
            before = ',';
        }
        return out.append(']').toString();
    }

    /** Requests of different domains share no entries, whatever else they have in common. */
    private static String domain(Endpoint endpoint, Body body) {
        boolean shares = endpoint == Endpoint.EMBED || (body.inNumbers && SHARED.containsAll(body.parameters.keySet()));
        return shares ? NUMBERS : endpoint.label() + (body.inNumbers ? "" : " base64");
    }

    private static byte[] common(Asked asked, Body body, String domain) {
        StringBuilder parameters = new StringBuilder();
        StrictJson.object(parameters, body.parameters);
        MessageDigest sha256 = sha256();
        for (String part : List.of(
                domain,
                asked.modelDigest(),
                asked.backendVersion(),
                asked.tenant(),
                body.model,
                parameters.toString())) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            // With its length, so that no text can be read as another one and the next.
            sha256.update(
                    ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
            sha256.update(bytes);
        }
        return sha256.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }

    /** What was read of a request. */
    private static final class Body {
        private final Endpoint endpoint;
        private String model = "";
        private final List<String> inputs = new ArrayList<>();
        private long from;
        private long to;
        private boolean inNumbers = true;
        /** All else that may matter, by name. */
        private final Map<String, String> parameters = new TreeMap<>();

        private Body(Endpoint endpoint) {
            this.endpoint = endpoint;
        }

        /** Whether its inputs can be taken one by one. */
        private boolean take(JsonParser json) throws IOException {
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                if (!isPlain(name) || !take(name, json)) {
                    return false;
                }
            }
            return json.nextToken() == null && !model.isEmpty() && !inputs.isEmpty();
        }

        /** Go matches names in any case, and some letters beyond ASCII with them. */
        private static boolean isPlain(String name) {
            return name.chars().allMatch(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
        }

        private boolean take(String name, JsonParser json) throws IOException {
            boolean openAi = endpoint == Endpoint.V1_EMBEDDINGS;
            return switch (name) {
                case "model" -> takeModel(json);
                case "input" -> takeInput(json);
                case "encoding_format" -> openAi ? takeFormat(json) : takeParameter(name, json);
                // Who asks: OpenAI's word, which Ollama passes over.
                case "user" -> openAi ? skip(json) : takeParameter(name, json);
                // It says how long the model stays loaded, not what it answers.
                case "keep_alive" -> skip(json);
                default -> takeParameter(name, json);
            };
        }

        private static boolean skip(JsonParser json) throws IOException {
            json.skipChildren();
            return true;
        }

        private boolean takeParameter(String name, JsonParser json) throws IOException {
            String value = StrictJson.canonical(json);
            if (!value.equals(NULL)) {
                parameters.put(name, value);
            }
            return true;
        }

        private boolean takeModel(JsonParser json) throws IOException {
            if (json.currentToken() != JsonToken.VALUE_STRING) {
                return false;
            }
            model = StrictJson.whole(json.getText());
            return true;
        }

        private boolean takeInput(JsonParser json) throws IOException {
            from = json.currentTokenLocation().getByteOffset();
            if (json.currentToken() == JsonToken.VALUE_STRING) {
                String text = json.getText();
                to = json.currentLocation().getByteOffset();
                inputs.add(StrictJson.whole(text));
                // An empty one only loads the model.
                return !text.isEmpty();
            }
            if (json.currentToken() != JsonToken.START_ARRAY) {
                return false;
            }
            while (json.nextToken() == JsonToken.VALUE_STRING && inputs.size() < MAX_INPUTS) {
                inputs.add(StrictJson.whole(json.getText()));
            }
            to = json.currentLocation().getByteOffset();
            return json.currentToken() == JsonToken.END_ARRAY;
        }

        /** Ollama takes it in any case. */
        private boolean takeFormat(JsonParser json) throws IOException {
            if (json.currentToken() == JsonToken.VALUE_NULL) {
                return true;
            }
            if (json.currentToken() != JsonToken.VALUE_STRING) {
                return false;
            }
            String format = json.getText().toLowerCase(Locale.ROOT);
            inNumbers = !format.equals("base64");
            return !inNumbers || format.isEmpty() || format.equals("float");
        }
    }
}
