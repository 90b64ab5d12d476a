package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import io.netty.buffer.ByteBuf;
import java.io.IOException;

/** NDJSON of {@code /api/generate} and {@code /api/chat}. */
final class OllamaDialect implements Dialect {
    private static final byte[] GENERATE_MIDDLE = Json.ascii("\",\"response\":\"");
    private static final byte[] GENERATE_END = Json.ascii("\",\"done\":false}\n");
    private static final byte[] CHAT_MIDDLE = Json.ascii("\",\"message\":{\"role\":\"assistant\",\"content\":\"");
    private static final byte[] CHAT_END = Json.ascii("\"},\"done\":false}\n");

    private final boolean chat;
    private final String model;
    private final Stamp stamp;
    private final byte[] begin;

    /** @param model as the request spelled it */
    OllamaDialect(boolean chat, String model, Stamp stamp) {
        this.chat = chat;
        this.model = model;
        this.stamp = stamp;
        byte[] object = Json.object(json -> json.writeStringField("model", model));
        object[object.length - 1] = ',';
        this.begin = Json.concat(object, Json.ascii("\"created_at\":\""));
    }

    @Override
    public String streamType() {
        return Answer.NDJSON;
    }

    @Override
    public boolean token(Answer answer, byte[] word) {
        ByteBuf line = answer.line();
        line.writeBytes(begin);
        stamp.writeTo(line);
        line.writeBytes(chat ? CHAT_MIDDLE : GENERATE_MIDDLE).writeBytes(word);
        line.writeBytes(chat ? CHAT_END : GENERATE_END);
        return answer.send(line);
    }

    @Override
    public void close(Answer answer, Totals totals) {
        answer.send(Json.line(json -> {
            head(json, "");
            json.writeStringField("done_reason", totals.reason());
            tail(json, totals);
        }));
    }

    @Override
    public void whole(Answer answer, String text, Totals totals) {
        answer.json(200, Json.object(json -> {
            head(json, text);
            json.writeStringField("done_reason", totals.reason());
            tail(json, totals);
        }));
    }

    /** The single object that answers an empty prompt. */
    byte[] control(String reason) {
        return Json.object(json -> {
            head(json, "");
            json.writeStringField("done_reason", reason);
        });
    }

    private void tail(JsonGenerator json, Totals totals) throws IOException {
        if (!chat) {
            totals.writeContext(json);
        }
        totals.writeMetrics(json);
    }

    private void head(JsonGenerator json, String text) throws IOException {
        json.writeStringField("model", model);
        json.writeStringField("created_at", stamp.text());
        if (chat) {
            json.writeObjectFieldStart("message");
            json.writeStringField("role", "assistant");
            json.writeStringField("content", text);
            json.writeEndObject();
        } else {
            json.writeStringField("response", text);
        }
        json.writeBooleanField("done", true);
    }
}
