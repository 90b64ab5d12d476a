package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** {@code /v1/responses}: every event is flushed on its own and numbered. */
final class ResponsesDialect implements Dialect {
    private final String model;
    private final String id;
    private final String itemId;
    private final long created;
    private final StringBuilder text = new StringBuilder();
    private int sequence;

    ResponsesDialect(String model, long seed, Stamp stamp) {
        this.model = model;
        this.id = "resp_" + stamp.number(999_999, seed);
        this.itemId = "msg_" + stamp.number(999_999, seed * 31 + 17);
        this.created = stamp.now().getEpochSecond();
    }

    @Override
    public String streamType() {
        return Answer.EVENTS;
    }

    @Override
    public void open(Answer answer, int promptTokens) {
        answer.header(HttpHeaderNames.CACHE_CONTROL, "no-cache");
        answer.header(HttpHeaderNames.CONNECTION, "keep-alive");
        answer.aside(event("response.created", json -> response(json, "in_progress", null)));
        answer.aside(event("response.in_progress", json -> response(json, "in_progress", null)));
        answer.aside(event("response.output_item.added", json -> {
            json.writeNumberField("output_index", 0);
            json.writeFieldName("item");
            item(json, "in_progress", false);
        }));
        answer.aside(event("response.content_part.added", json -> {
            place(json);
            json.writeFieldName("part");
            part(json, "");
        }));
    }

    @Override
    public boolean token(Answer answer, byte[] word) {
        String delta = new String(word, StandardCharsets.US_ASCII);
        text.append(delta);
        return answer.send(event("response.output_text.delta", json -> {
            place(json);
            json.writeStringField("delta", delta);
            logprobs(json);
        }));
    }

    @Override
    public void close(Answer answer, Totals totals) {
        answer.send(event("response.output_text.done", json -> {
            place(json);
            json.writeStringField("text", text.toString());
            logprobs(json);
        }));
        answer.aside(event("response.content_part.done", json -> {
            place(json);
            json.writeFieldName("part");
            part(json, text.toString());
        }));
        answer.aside(event("response.output_item.done", json -> {
            json.writeNumberField("output_index", 0);
            json.writeFieldName("item");
            item(json, "completed", true);
        }));
        answer.aside(event("response.completed", json -> response(json, "completed", totals)));
    }

    @Override
    public void whole(Answer answer, String whole, Totals totals) {
        text.append(whole);
        answer.whole(200, Answer.PLAIN_JSON, Json.line(json -> responseFields(json, "completed", totals)));
    }

    private byte[] event(String name, Json.Fields fields) {
        return Json.event(name, json -> {
            json.writeStringField("type", name);
            json.writeNumberField("sequence_number", sequence);
            sequence++;
            fields.write(json);
        });
    }

    private void response(JsonGenerator json, String status, @Nullable Totals totals) throws IOException {
        json.writeObjectFieldStart("response");
        responseFields(json, status, totals);
        json.writeEndObject();
    }

    private void responseFields(JsonGenerator json, String status, @Nullable Totals totals) throws IOException {
        json.writeStringField("id", id);
        json.writeStringField("object", "response");
        json.writeNumberField("created_at", created);
        if (totals != null) {
            json.writeNumberField("completed_at", created + totals.totalNanos() / 1_000_000_000);
        }
        json.writeStringField("status", status);
        json.writeStringField("model", model);
        json.writeArrayFieldStart("output");
        if (totals != null) {
            item(json, "completed", true);
        }
        json.writeEndArray();
        if (totals != null) {
            json.writeObjectFieldStart("usage");
            json.writeNumberField("input_tokens", totals.promptTokens());
            json.writeNumberField("output_tokens", totals.tokens());
            json.writeNumberField("total_tokens", totals.promptTokens() + totals.tokens());
            json.writeEndObject();
        }
    }

    private void item(JsonGenerator json, String status, boolean full) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", itemId);
        json.writeStringField("type", "message");
        json.writeStringField("status", status);
        json.writeStringField("role", "assistant");
        json.writeArrayFieldStart("content");
        if (full) {
            part(json, text.toString());
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void part(JsonGenerator json, String partText) throws IOException {
        json.writeStartObject();
        json.writeStringField("type", "output_text");
        json.writeStringField("text", partText);
        json.writeArrayFieldStart("annotations");
        json.writeEndArray();
        logprobs(json);
        json.writeEndObject();
    }

    private static void logprobs(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("logprobs");
        json.writeEndArray();
    }

    private void place(JsonGenerator json) throws IOException {
        json.writeStringField("item_id", itemId);
        json.writeNumberField("output_index", 0);
        json.writeNumberField("content_index", 0);
    }
}
