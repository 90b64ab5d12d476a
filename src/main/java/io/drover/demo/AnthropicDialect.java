package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.io.IOException;

/** {@code /v1/messages}: every event is flushed on its own. */
final class AnthropicDialect implements Dialect {
    private static final byte[] DELTA =
            Json.ascii("event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
                    + "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"");
    private static final byte[] DELTA_END = Json.ascii("\"}}\n\n");

    private final String model;
    private final String id;

    AnthropicDialect(String model, long seed, Stamp stamp) {
        this.model = model;
        this.id = "msg_" + Family.hex24(stamp, seed);
    }

    @Override
    public String streamType() {
        return Answer.EVENTS;
    }

    @Override
    public void open(Answer answer, int promptTokens) {
        answer.header(HttpHeaderNames.CACHE_CONTROL, "no-cache");
        answer.header(HttpHeaderNames.CONNECTION, "keep-alive");
        answer.aside(Json.event("message_start", json -> {
            json.writeStringField("type", "message_start");
            json.writeObjectFieldStart("message");
            head(json);
            json.writeArrayFieldStart("content");
            json.writeEndArray();
            usage(json, promptTokens, 0);
            json.writeEndObject();
        }));
        answer.aside(Json.event("content_block_start", json -> {
            json.writeStringField("type", "content_block_start");
            json.writeNumberField("index", 0);
            json.writeObjectFieldStart("content_block");
            json.writeStringField("type", "text");
            json.writeStringField("text", "");
            json.writeEndObject();
        }));
    }

    @Override
    public boolean token(Answer answer, byte[] word) {
        return answer.send(answer.line().writeBytes(DELTA).writeBytes(word).writeBytes(DELTA_END));
    }

    @Override
    public void close(Answer answer, Totals totals) {
        answer.send(Json.event("content_block_stop", json -> {
            json.writeStringField("type", "content_block_stop");
            json.writeNumberField("index", 0);
        }));
        answer.aside(Json.event("message_delta", json -> {
            json.writeStringField("type", "message_delta");
            json.writeObjectFieldStart("delta");
            json.writeStringField("stop_reason", stopReason(totals));
            json.writeEndObject();
            usage(json, totals.promptTokens(), totals.tokens());
        }));
        answer.aside(Json.event("message_stop", json -> json.writeStringField("type", "message_stop")));
    }

    @Override
    public void whole(Answer answer, String text, Totals totals) {
        answer.whole(200, Answer.PLAIN_JSON, Json.line(json -> {
            head(json);
            json.writeArrayFieldStart("content");
            json.writeStartObject();
            json.writeStringField("type", "text");
            json.writeStringField("text", text);
            json.writeEndObject();
            json.writeEndArray();
            json.writeStringField("stop_reason", stopReason(totals));
            usage(json, totals.promptTokens(), totals.tokens());
        }));
    }

    private static String stopReason(Totals totals) {
        return totals.reason().equals("length") ? "max_tokens" : "end_turn";
    }

    private void head(JsonGenerator json) throws IOException {
        json.writeStringField("id", id);
        json.writeStringField("type", "message");
        json.writeStringField("role", "assistant");
        json.writeStringField("model", model);
    }

    private static void usage(JsonGenerator json, int input, int output) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("input_tokens", input);
        json.writeNumberField("output_tokens", output);
        json.writeEndObject();
    }
}
