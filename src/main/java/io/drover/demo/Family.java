package io.drover.demo;

import java.util.Locale;

/** The three shapes in which errors are told. */
enum Family {
    /** {@code /api/*}. */
    OLLAMA,
    /** {@code /v1/*}. */
    OPENAI,
    /** {@code /v1/messages}. */
    ANTHROPIC;

    static Family of(String path) {
        if (path.equals("/v1/messages")) {
            return ANTHROPIC;
        }
        return path.startsWith("/v1/") ? OPENAI : OLLAMA;
    }

    byte[] error(int status, String message, Stamp stamp) {
        return switch (this) {
            case OLLAMA -> Json.error(message);
            case OPENAI ->
                Json.object(json -> {
                    json.writeObjectFieldStart("error");
                    json.writeStringField("message", message);
                    json.writeStringField(
                            "type",
                            switch (status) {
                                case 400 -> "invalid_request_error";
                                case 404 -> "not_found_error";
                                default -> "api_error";
                            });
                    json.writeNullField("param");
                    json.writeNullField("code");
                    json.writeEndObject();
                });
            case ANTHROPIC ->
                Json.object(json -> {
                    json.writeStringField("type", "error");
                    json.writeObjectFieldStart("error");
                    json.writeStringField(
                            "type",
                            switch (status) {
                                case 400 -> "invalid_request_error";
                                case 401 -> "authentication_error";
                                case 403 -> "permission_error";
                                case 404 -> "not_found_error";
                                case 429 -> "rate_limit_error";
                                case 503, 529 -> "overloaded_error";
                                default -> "api_error";
                            });
                    json.writeStringField("message", message);
                    json.writeEndObject();
                    json.writeStringField("request_id", "req_" + hex24(stamp, message.hashCode()));
                });
        };
    }

    /** What a stream of this family shows of an error after its first line; may be empty. */
    byte[] errorLine(String message, Stamp stamp) {
        return switch (this) {
            case OLLAMA -> Json.concat(Json.error(message), Json.ascii("\n"));
            // Ollama reads its own error line as an empty chat object.
            case OPENAI ->
                Json.event(json -> {
                    json.writeStringField("id", "chatcmpl-" + stamp.number(999, message.hashCode()));
                    json.writeStringField("object", "chat.completion.chunk");
                    json.writeNumberField("created", stamp.now().getEpochSecond());
                    json.writeStringField("model", "");
                    json.writeStringField("system_fingerprint", "fp_ollama");
                    json.writeArrayFieldStart("choices");
                    json.writeStartObject();
                    json.writeNumberField("index", 0);
                    json.writeObjectFieldStart("delta");
                    json.writeStringField("content", "");
                    json.writeEndObject();
                    json.writeNullField("finish_reason");
                    json.writeEndObject();
                    json.writeEndArray();
                });
            case ANTHROPIC -> new byte[0];
        };
    }

    static String hex24(Stamp stamp, long seed) {
        return String.format(
                Locale.ROOT,
                "%012x%012x",
                stamp.number(1L << 48, seed * 31 + 7),
                stamp.number(1L << 48, seed * 131 + 13));
    }
}
