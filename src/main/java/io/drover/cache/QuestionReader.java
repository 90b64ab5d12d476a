package io.drover.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.drover.ollama.ApiFamily;
import io.drover.ollama.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a request's body as Ollama would and says what it asks for. Two requests have the same key only if Ollama would
 * do the same for both; what is not sure to be the same has different keys, which costs an answer from the cache, or
 * none at all.
 *
 * <p>The order of members is free at the top level, in {@code options} and in a message; elsewhere it may reach the
 * prompt or the grammar and counts.
 */
public final class QuestionReader {
    /** Written first: keys of another way to write them are other keys. */
    private static final String WAY = "1";

    /** What requests nest at most, as in {@link io.drover.ollama.JsonFieldScanner}. */
    private static final int MAX_DEPTH = 512;
    /** Each takes a hundred bytes of memory where it takes five in a body; a {@code context} has one for each token. */
    private static final int MAX_TOKENS = 1 << 18;
    /** Beyond it not every whole number is a double, and Go's conversion to an integer depends on the machine. */
    private static final double LARGEST_SEED = 1L << 53;
    /** Ollama's way to ask for any seed. */
    private static final int RANDOM = -1;

    private static final JsonFactory JSON = JsonFactory.builder()
            // Names are the clients': none of them is worth to be remembered.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNestingDepth(MAX_DEPTH)
                    .maxTokenCount(MAX_TOKENS)
                    .build())
            .build();

    private static final ThreadLocal<Scratch> MINE = ThreadLocal.withInitial(Scratch::new);

    /** What one request after the other is read with. */
    private record Scratch(Transcript transcript, StrictText text) {
        Scratch() {
            this(new Transcript(), new StrictText());
        }
    }

    private final Endpoint endpoint;
    private final Map<String, FieldMeaning> meanings;
    private final JsonParser json;
    private final Transcript transcript;

    private @Nullable Bypass bypass;
    /** Whether there is anything to compute. */
    private boolean asks;
    /** Whether the same answer is asked for every time: by a temperature of 0, a seed, the likeliest token only. */
    private boolean cold;

    private boolean seeded;
    private boolean likeliest;
    private boolean contextGiven;
    private boolean stream;
    private boolean usage;

    /** Reads one member, where the parser is at its value; returns whether it counts. */
    private interface MemberReader {
        boolean read(String name, JsonToken value) throws IOException;
    }

    private QuestionReader(
            Endpoint endpoint, Map<String, FieldMeaning> meanings, JsonParser json, Transcript transcript) {
        this.endpoint = endpoint;
        this.meanings = meanings;
        this.json = json;
        this.transcript = transcript;
        this.stream = endpoint.generates() && endpoint.family() == ApiFamily.OLLAMA;
    }

    /**
     * Reads a body once, on any thread. Never fails.
     *
     * @param body read up to its end, or to where it is malformed; the caller closes it
     */
    public static Reading read(Endpoint endpoint, InputStream body, Asked asked) {
        Map<String, FieldMeaning> meanings = FieldMeaning.of(endpoint);
        if (meanings == null) {
            return Bypass.ENDPOINT;
        }
        Scratch scratch = MINE.get();
        Transcript transcript = scratch.transcript();
        try (JsonParser json = scratch.text().parse(JSON, body)) {
            transcript.text(WAY);
            transcript.text(endpoint.name());
            transcript.text(asked.modelDigest());
            transcript.text(asked.backendVersion());
            transcript.text(asked.tenant());
            return new QuestionReader(endpoint, meanings, json, transcript).read();
        } catch (IOException malformed) {
            return Bypass.UNPARSABLE;
        } finally {
            transcript.clear();
        }
    }

    private Reading read() throws IOException {
        if (json.nextToken() != JsonToken.START_OBJECT) {
            return Bypass.UNPARSABLE;
        }
        members(this::field);
        if (json.nextToken() != null) {
            return Bypass.UNPARSABLE;
        }
        if (bypass != null) {
            return bypass;
        }
        if (!asks) {
            return Bypass.LOAD;
        }
        boolean deterministic = !endpoint.generates() || cold || seeded || likeliest;
        return new Question(transcript.key(), form(), deterministic, contextGiven);
    }

    private Form form() {
        if (!stream || !endpoint.generates()) {
            return Form.WHOLE;
        }
        return usage ? Form.STREAM_WITH_USAGE : Form.STREAM;
    }

    private void refuse(Bypass why) {
        bypass = why;
    }

    /** An object that Go reads into a structure: names match in any case. Returns whether any member counts. */
    private boolean members(MemberReader reader) throws IOException {
        return object((name, value) -> {
            if (!isUsual(name)) {
                refuse(Bypass.UNUSUAL_NAMES);
            }
            return reader.read(name, value);
        });
    }

    private boolean object(MemberReader reader) throws IOException {
        int first = transcript.open();
        boolean some = false;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            int start = transcript.begin(name);
            boolean counts = reader.read(name, json.nextToken());
            transcript.end(name, start, !counts);
            some |= counts;
        }
        if (!transcript.close(first)) {
            refuse(Bypass.UNUSUAL_NAMES);
        }
        return some;
    }

    /** Whether no other name folds to this one as Go folds: in all Unicode two more letters have ASCII's as small ones. */
    private static boolean isUsual(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if ((c >= 'A' && c <= 'Z') || c == '\u017f' || c == '\u212a') {
                return false;
            }
        }
        return true;
    }

    private boolean field(String name, JsonToken value) throws IOException {
        FieldMeaning meaning = meanings.getOrDefault(name, FieldMeaning.OPAQUE);
        if (value == JsonToken.VALUE_NULL && meaning != FieldMeaning.OPAQUE) {
            return false;
        }
        return switch (meaning) {
            case STREAM -> {
                stream = flag(value);
                yield false;
            }
            case STREAM_OPTIONS -> value == JsonToken.START_OBJECT ? members(this::streamOption) : value(meaning);
            case DEBUG -> {
                if (flag(value)) {
                    refuse(Bypass.DEBUG);
                }
                yield false;
            }
            case IRRELEVANT -> {
                json.skipChildren();
                yield false;
            }
            case OPTIONS -> value == JsonToken.START_OBJECT ? object(this::option) : value(meaning);
            case TEMPERATURE -> {
                cold = value.isNumeric() && json.getDoubleValue() == 0;
                yield number(value);
            }
            case FLOAT -> number(value);
            case SEED -> {
                seeded = value == JsonToken.VALUE_NUMBER_INT && isSeed(json.getDoubleValue());
                yield value(meaning);
            }
            case PROMPT -> {
                asks = isSome(value);
                yield value(meaning);
            }
            case INPUT -> input(value);
            case MESSAGES -> messages(value);
            case TOOLS, PLAIN, OPAQUE -> value(meaning);
        };
    }

    /** Go takes nothing else for a boolean. */
    private boolean flag(JsonToken value) throws IOException {
        if (!value.isBoolean()) {
            refuse(Bypass.UNPARSABLE);
            json.skipChildren();
        }
        return value == JsonToken.VALUE_TRUE;
    }

    private boolean streamOption(String name, JsonToken value) throws IOException {
        if (value == JsonToken.VALUE_NULL) {
            return false;
        }
        if (name.equals("include_usage")) {
            usage = flag(value);
            return false;
        }
        return value(FieldMeaning.PLAIN);
    }

    /** One of Ollama's options, which it reads into a map: names match as they are, all numbers are floats at first. */
    private boolean option(String name, JsonToken value) throws IOException {
        if (value == JsonToken.VALUE_NULL) {
            return false;
        }
        if (!value.isNumeric()) {
            return value(FieldMeaning.PLAIN);
        }
        switch (name) {
            case "temperature" -> cold = json.getDoubleValue() == 0;
            case "seed" -> seeded = isSeed(json.getDoubleValue());
            case "top_k" -> likeliest = json.getDoubleValue() == 1;
            case "num_ctx" -> contextGiven = true;
            default -> {}
        }
        return number(value);
    }

    /** The sampler has 32 bits for it, and takes all ones, of which -1 is one spelling, for none. */
    private static boolean isSeed(double seed) {
        return Math.abs(seed) <= LARGEST_SEED && (int) (long) seed != RANDOM;
    }

    /** One text and a list of that text are the same to Ollama. */
    private boolean input(JsonToken value) throws IOException {
        asks = value != JsonToken.START_ARRAY && isSome(value);
        if (value == JsonToken.VALUE_STRING) {
            transcript.tag('[');
            transcript.token(json);
            transcript.tag(']');
            return true;
        }
        if (value == JsonToken.START_ARRAY) {
            transcript.tag('[');
            while (json.nextToken() != JsonToken.END_ARRAY) {
                asks = true;
                value(FieldMeaning.INPUT);
            }
            transcript.tag(']');
            return true;
        }
        return value(FieldMeaning.INPUT);
    }

    private boolean messages(JsonToken value) throws IOException {
        if (value != JsonToken.START_ARRAY) {
            asks = isSome(value);
            return value(FieldMeaning.MESSAGES);
        }
        transcript.tag('[');
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (json.currentToken() == JsonToken.START_OBJECT) {
                members((name, member) -> value(FieldMeaning.MESSAGES));
            } else {
                value(FieldMeaning.MESSAGES);
            }
        }
        transcript.tag(']');
        return true;
    }

    /** Whether a prompt is there: a text that is not empty, or what only Ollama can refuse. */
    private boolean isSome(JsonToken value) throws IOException {
        return value != JsonToken.VALUE_STRING || json.getTextLength() > 0;
    }

    private boolean number(JsonToken value) throws IOException {
        if (!value.isNumeric()) {
            return value(FieldMeaning.FLOAT);
        }
        transcript.number(json);
        return true;
    }

    /** A value as it stands, in the order in which it stands. */
    private boolean value(FieldMeaning meaning) throws IOException {
        int depth = 0;
        while (true) {
            JsonToken token = json.currentToken();
            transcript.token(json);
            if (token == JsonToken.VALUE_STRING) {
                text(meaning);
            } else if (token.isStructStart()) {
                depth++;
            } else if (token.isStructEnd()) {
                depth--;
            }
            if (depth == 0) {
                return true;
            }
            json.nextToken();
        }
    }

    private void text(FieldMeaning meaning) throws IOException {
        if (meaning == FieldMeaning.TOOLS) {
            if ("type".equalsIgnoreCase(json.currentName()) && json.getText().startsWith("web_search")) {
                refuse(Bypass.WEB_SEARCH);
            }
        } else if (meaning == FieldMeaning.MESSAGES && !asks) {
            // Without a word from anybody the Anthropic API's conversation is empty, and that loads the model only.
            String name = json.currentName();
            asks = json.getTextLength() > 0 && !"role".equals(name) && !"type".equals(name);
        }
    }
}
