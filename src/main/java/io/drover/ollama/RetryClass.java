package io.drover.ollama;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an error of a backend says about trying another one, judged by its status and its words: Ollama answers 500 for
 * a broken node and for a broken request alike. The words are those of Ollama 0.5 to 0.33.
 */
public final class RetryClass {

    /** What to do with an answer. */
    public enum Verdict {
        /** It is meant for the client. */
        RELAY,
        /** The backend failed, another may not. */
        NEXT_BACKEND,
        /** As {@link #NEXT_BACKEND}, but once only: the request itself may be what kills runners. */
        NEXT_BACKEND_ONCE,
        /** The backend's load queue is full: another may have room; no evidence against this one. */
        BUSY,
        /** This backend lacks the model; another may have it. */
        MISSING_MODEL,
        /** The backend refused Drover's Host or Origin header: no retry helps, somebody must be told. */
        MISCONFIGURED
    }

    private enum Place {
        START,
        ANYWHERE
    }

    private record Rule(Place place, String words, Verdict verdict) {
        boolean applies(String message) {
            return place == Place.START ? message.startsWith(words) : message.contains(words);
        }
    }

    /** In order; the client's faults come first, since they may quote any words of the client. */
    private static final List<Rule> RULES = List.of(
            new Rule(Place.START, "option \"", Verdict.RELAY),
            new Rule(Place.START, "invalid format", Verdict.RELAY),
            new Rule(Place.START, "template:", Verdict.RELAY),
            new Rule(Place.START, "llama-server process has terminated", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "error starting llama-server", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "timed out waiting for llama-server to start", Verdict.NEXT_BACKEND),
            new Rule(Place.ANYWHERE, "out-of-memory during startup", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "model requires more system memory", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "llama runner process has terminated", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "error starting runner", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "error starting llama runner", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "timed out waiting for llama runner to start", Verdict.NEXT_BACKEND),
            new Rule(Place.START, "model runner has unexpectedly stopped", Verdict.NEXT_BACKEND_ONCE),
            new Rule(Place.START, "an error was encountered while running the model", Verdict.NEXT_BACKEND_ONCE),
            new Rule(Place.START, "unexpected server status", Verdict.NEXT_BACKEND_ONCE),
            new Rule(Place.ANYWHERE, "no longer running", Verdict.NEXT_BACKEND_ONCE),
            new Rule(Place.ANYWHERE, "no slots available after", Verdict.NEXT_BACKEND_ONCE));

    private static final byte[] ERROR_LINE = "{\"error\"".getBytes(StandardCharsets.US_ASCII);

    private static final JsonFactory JSON = new JsonFactory();

    private RetryClass() {}

    /**
     * Judges an answer of which nothing has been passed on yet.
     *
     * @param body the payload of an error; of a 200, its first line
     * @param cloud whether the model is a cloud model: its errors are the account's or ollama.com's, the same everywhere
     */
    public static Verdict of(int status, byte[] body, boolean cloud) {
        if (status == 403 && body.length == 0) {
            return Verdict.MISCONFIGURED;
        }
        if (cloud) {
            return Verdict.RELAY;
        }
        return switch (status) {
            case 200, 500 -> byWords(message(body));
            case 404 -> isMissingModel(message(body)) ? Verdict.MISSING_MODEL : Verdict.RELAY;
            case 503 -> message(body).startsWith("server busy") ? Verdict.BUSY : Verdict.NEXT_BACKEND;
            case 502, 504 -> Verdict.NEXT_BACKEND;
            default -> Verdict.RELAY;
        };
    }

    /**
     * Whether the payload of a 200 begins as an error line does, so that {@link #of} need be asked at all.
     *
     * @param buf is only read, between the two indices
     */
    public static boolean opensError(ByteBuf buf, int from, int to) {
        if (to - from < ERROR_LINE.length) {
            return false;
        }
        for (int i = 0; i < ERROR_LINE.length; i++) {
            if (buf.getByte(from + i) != ERROR_LINE[i]) {
                return false;
            }
        }
        return true;
    }

    private static Verdict byWords(String message) {
        for (Rule rule : RULES) {
            if (rule.applies(message)) {
                return rule.verdict;
            }
        }
        return Verdict.RELAY;
    }

    private static boolean isMissingModel(String message) {
        // A request that names no model is told "model '' not found" by every backend.
        return message.startsWith("model ") && message.contains(" not found") && !message.startsWith("model '' ");
    }

    /** The text of the error in any family's shape; empty where there is none. */
    private static String message(byte[] body) {
        try (JsonParser json = JSON.createParser(body)) {
            String text = json.nextToken() == JsonToken.START_OBJECT ? member(json, "error") : null;
            return text == null ? "" : text;
        } catch (IOException e) {
            return "";
        }
    }

    /** A member of the object that the parser has entered: its text, or that of its own member {@code message}. */
    private static @Nullable String member(JsonParser json, String name) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            boolean wanted = json.currentName().equals(name);
            JsonToken value = json.nextToken();
            if (wanted && value == JsonToken.VALUE_STRING) {
                return json.getText();
            }
            if (wanted && value == JsonToken.START_OBJECT && !name.equals("message")) {
                return member(json, "message");
            }
            json.skipChildren();
        }
        return null;
    }
}
