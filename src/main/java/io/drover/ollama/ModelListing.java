package io.drover.ollama;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.async.ByteBufferFeeder;
import com.fasterxml.jackson.core.io.JsonEOFException;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the answer of {@code /api/tags} or {@code /api/ps}, in whatever pieces it comes, down to the models' routing
 * keys, digests and context lengths. What else stands there is skipped, so that it may change; an answer without {@code models} is no
 * listing, lest an error page be taken for a backend without models.
 *
 * <p>Reads one answer. Never holds more of it than one string and what it yields. For one thread at a time.
 */
public final class ModelListing {
    /** Far above any server's, and a bound on what a strange one can fill the memory with. */
    public static final int MAX_MODELS = 10_000;

    /** Names of fields come from backends: interning them would keep each for ever. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private static final String MODELS = "models";
    private static final String CONTEXT = "context_length";

    // How deep each part of {"models":[{"name":...}]} lies.
    private static final int IN_ROOT = 1;
    private static final int IN_LIST = 2;
    private static final int IN_ENTRY = 3;

    private final JsonParser json;
    private final ByteBufferFeeder feeder;
    private final Map<String, String> digests = new HashMap<>();
    private final Map<String, Integer> contextLengths = new HashMap<>();

    private int depth;
    private boolean found;
    private boolean inList;
    private boolean inEntry;
    private int entries;
    private String field = "";
    private @Nullable String name;
    private @Nullable String model;
    private String digest = "";
    private int contextLength;

    public ModelListing() {
        try {
            json = JSON.createNonBlockingByteBufferParser();
        } catch (IOException e) {
            throw new IllegalStateException("a parser that reads nothing yet", e);
        }
        feeder = (ByteBufferFeeder) json.getNonBlockingInputFeeder();
    }

    /**
     * Goes on with the bytes between two indices of {@code buf}, which stays the caller's and is done with on return.
     *
     * @throws IOException if this cannot become a listing any more; then nothing further may be read
     */
    public void read(ByteBuf buf, int from, int to) throws IOException {
        if (from == to) {
            return;
        }
        try {
            feeder.feedInput(buf.nioBuffer(from, to - from));
            for (JsonToken token = json.nextToken(); token != JsonToken.NOT_AVAILABLE; token = json.nextToken()) {
                onToken(token);
            }
        } catch (JsonProcessingException e) {
            throw malformed(e);
        }
    }

    /**
     * Ends the answer.
     *
     * @return by routing key, each model's digest, empty where none was given; of two with one key, the first's
     * @throws IOException if the answer is not whole, or no listing
     */
    public Map<String, String> end() throws IOException {
        try (json) {
            feeder.endOfInput();
            for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                onToken(token);
            }
        } catch (JsonProcessingException e) {
            throw malformed(e);
        }
        if (!found) {
            throw new IOException("no listing of models: no \"models\" in the answer");
        }
        return Map.copyOf(digests);
    }

    /**
     * Once it has ended: by routing key, with how many tokens each model was loaded; without those of which that is not
     * told, which on the disk are all.
     */
    public Map<String, Integer> contextLengths() {
        return Map.copyOf(contextLengths);
    }

    private void onToken(JsonToken token) throws IOException {
        if (depth == 0 && (token != JsonToken.START_OBJECT || found)) {
            throw new IOException("no listing of models: " + token + " (expected: one object)");
        }
        switch (token) {
            case START_OBJECT, START_ARRAY -> open(token);
            case END_OBJECT, END_ARRAY -> close();
            case FIELD_NAME -> field = json.currentName();
            default -> scalar(token);
        }
    }

    private void open(JsonToken token) throws IOException {
        if (isModels()) {
            inList = token == JsonToken.START_ARRAY;
            expectList(inList, token);
        } else if (depth == IN_LIST && inList) {
            inEntry = token == JsonToken.START_OBJECT;
            name = null;
            model = null;
            digest = "";
            contextLength = 0;
        }
        depth++;
    }

    private void close() throws IOException {
        depth--;
        if (depth == IN_LIST && inEntry) {
            inEntry = false;
            add();
        } else if (depth == IN_ROOT) {
            inList = false;
        }
    }

    private void scalar(JsonToken token) throws IOException {
        if (isModels()) {
            // Go writes null for a list that was never made.
            expectList(token == JsonToken.VALUE_NULL, token);
        } else if (depth == IN_ENTRY && inEntry && token == JsonToken.VALUE_STRING) {
            switch (field) {
                case "name" -> name = json.getText();
                case "model" -> model = json.getText();
                case "digest" -> digest = json.getText();
                default -> {}
            }
        } else if (depth == IN_ENTRY && inEntry && token == JsonToken.VALUE_NUMBER_INT && field.equals(CONTEXT)) {
            // What no context can have is as good as nothing.
            contextLength = json.getNumberType() == JsonParser.NumberType.INT ? Math.max(0, json.getIntValue()) : 0;
        }
    }

    private boolean isModels() {
        return depth == IN_ROOT && field.equals(MODELS);
    }

    private void expectList(boolean isList, JsonToken token) throws IOException {
        if (!isList) {
            throw new IOException("no listing of models: \"models\" is " + token + " (expected: an array)");
        }
        found = true;
    }

    private void add() throws IOException {
        if (++entries > MAX_MODELS) {
            throw new IOException("a listing of more than " + MAX_MODELS + " models");
        }
        String named = name == null || name.isEmpty() ? model : name;
        if (named != null && !named.isEmpty()) {
            String key = ModelName.of(named).key();
            if (digests.putIfAbsent(key, digest) == null && contextLength > 0) {
                contextLengths.put(key, contextLength);
            }
        }
    }

    private static IOException malformed(JsonProcessingException e) {
        // Without the place, which jackson does not know here and tells at length.
        String what = e instanceof JsonEOFException ? "its JSON is cut short" : e.getOriginalMessage();
        return new IOException("no listing of models: " + what, e);
    }
}
