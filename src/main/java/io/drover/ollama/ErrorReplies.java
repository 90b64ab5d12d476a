package io.drover.ollama;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The bodies of errors that Drover itself answers, in the shape that clients of the called API expect. */
public final class ErrorReplies {
    /** Its Content-Type; ollama-js reads the message only if {@code application/json} is in it. */
    public static final String CONTENT_TYPE = "application/json; charset=utf-8";

    private static final String INVALID_REQUEST = "invalid_request_error";
    private static final String NOT_FOUND = "not_found_error";
    private static final String RATE_LIMIT = "rate_limit_error";
    private static final String API = "api_error";

    /** The status that a stream which fails would have had, had it failed before it began. */
    private static final int STREAM_FAILED = 502;

    private static final byte[] PLAIN_EVENT = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NAMED_EVENT = "event: error\ndata: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] EVENT_END = "\n\n".getBytes(StandardCharsets.US_ASCII);

    private static final JsonFactory JSON = new JsonFactory();

    private ErrorReplies() {}

    /**
     * The body, without a newline at its end.
     *
     * @param requestId stands in Anthropic's shape only
     */
    public static byte[] body(ApiFamily family, int status, String message, String requestId) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(message.length() + 128);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            switch (family) {
                case OLLAMA -> json.writeStringField("error", message);
                case OPENAI -> writeOpenAi(json, status, message);
                case ANTHROPIC -> {
                    writeAnthropic(json, status, message);
                    json.writeStringField("request_id", requestId);
                }
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    /**
     * The body of a 401. The ollama CLI takes every 401 for one of ollama.com's, and each command shows another part of it:
     * {@code run} and {@code push} the field {@code signin_url}, {@code pull} and {@code create} the first line if that
     * is no JSON by itself, the others the field {@code status}.
     */
    public static byte[] unauthorized(ApiFamily family, String message, String requestId) {
        if (family != ApiFamily.OLLAMA) {
            return body(family, 401, message, requestId);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(3 * message.length() + 64);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("error", message);
            json.writeRaw('\n');
            json.writeStringField("status", message);
            json.writeStringField("signin_url", message);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    /**
     * The body of the 404 for a model that is nowhere, byte by byte as Ollama answers it; only the request's id, in
     * Anthropic's shape, is ours.
     *
     * @param model a valid name, as the client spelled it
     */
    public static byte[] missingModel(Endpoint endpoint, String model, String requestId) {
        String message =
                switch (endpoint) {
                    case EMBED, EMBEDDINGS, V1_EMBEDDINGS -> "model \"" + model + "\" not found, try pulling it first";
                    default -> "model '" + model + "' not found";
                };
        byte[] body = body(endpoint.family(), 404, message, requestId);
        return endpoint.family() == ApiFamily.OLLAMA ? body : withNewline(body);
    }

    /** A line {@code {"error":"..."}}: how a stream of Ollama's own API tells that it failed after it began. */
    public static byte[] line(String message) {
        return withNewline(body(ApiFamily.OLLAMA, 0, message, ""));
    }

    private static byte[] withNewline(byte[] body) {
        byte[] line = Arrays.copyOf(body, body.length + 1);
        line[body.length] = '\n';
        return line;
    }

    /**
     * The server-sent event, its empty line included, with which a stream of OpenAI's or Anthropic's API tells that it
     * failed after it began.
     */
    public static byte[] event(Endpoint endpoint, String message) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(message.length() + 128);
        boolean named = endpoint == Endpoint.V1_RESPONSES || endpoint.family() == ApiFamily.ANTHROPIC;
        bytes.writeBytes(named ? NAMED_EVENT : PLAIN_EVENT);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            if (endpoint == Endpoint.V1_RESPONSES) {
                writeResponsesError(json, message);
            } else if (named) {
                writeAnthropic(json, STREAM_FAILED, message);
            } else {
                writeOpenAi(json, STREAM_FAILED, message);
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        bytes.writeBytes(EVENT_END);
        return bytes.toByteArray();
    }

    /** OpenAI's {@code ResponseErrorEvent}, without its number in the sequence: that is the backend's to count. */
    private static void writeResponsesError(JsonGenerator json, String message) throws IOException {
        json.writeStringField("type", "error");
        json.writeStringField("code", "server_error");
        json.writeStringField("message", message);
        json.writeNullField("param");
    }

    private static void writeOpenAi(JsonGenerator json, int status, String message) throws IOException {
        json.writeObjectFieldStart("error");
        json.writeStringField("message", message);
        json.writeStringField("type", openAiType(status));
        json.writeNullField("param");
        json.writeNullField("code");
        json.writeEndObject();
    }

    private static void writeAnthropic(JsonGenerator json, int status, String message) throws IOException {
        json.writeStringField("type", "error");
        json.writeObjectFieldStart("error");
        json.writeStringField("type", anthropicType(status));
        json.writeStringField("message", message);
        json.writeEndObject();
    }

    /** Ollama's choice where it has one; OpenAI's own for the statuses that Ollama never answers. */
    private static String openAiType(int status) {
        return switch (status) {
            case 400, 401, 403, 408, 413, 415, 431 -> INVALID_REQUEST;
            case 404 -> NOT_FOUND;
            case 429 -> RATE_LIMIT;
            default -> API;
        };
    }

    private static String anthropicType(int status) {
        return switch (status) {
            case 400, 408, 415, 431 -> INVALID_REQUEST;
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> NOT_FOUND;
            case 413 -> "request_too_large";
            case 429 -> RATE_LIMIT;
            case 503, 529 -> "overloaded_error";
            default -> API;
        };
    }
}
