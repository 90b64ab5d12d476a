package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** {@code /v1/chat/completions} and {@code /v1/completions}. */
final class OpenAiDialect implements Dialect {
    private static final byte[] ROLE = Json.ascii("\"role\":\"assistant\",");
    private static final byte[] DONE = Json.ascii("data: [DONE]\n\n");
    private static final String MARK = "@";

    private final boolean chat;
    private final String model;
    private final boolean usage;
    private final String id;
    private final long created;
    private final byte[] before;
    private final byte[] after;
    private boolean begun;

    /** @param usage whether {@code stream_options.include_usage} was asked for */
    OpenAiDialect(boolean chat, String model, boolean usage, long seed, Stamp stamp) {
        this.chat = chat;
        this.model = model;
        this.usage = usage;
        this.id = (chat ? "chatcmpl-" : "cmpl-") + stamp.number(999, seed);
        this.created = stamp.now().getEpochSecond();
        // Every chunk is the same but for its text: built once, split where the text goes.
        byte[] chunk = chunk(MARK, null);
        byte[] field = Json.ascii(chat ? "\"content\":\"" : "\"text\":\"");
        int text = lastIndexOf(chunk, Json.concat(field, Json.ascii(MARK + "\""))) + field.length;
        this.before = Arrays.copyOf(chunk, text);
        this.after = Arrays.copyOfRange(chunk, text + 1, chunk.length);
    }

    private static int lastIndexOf(byte[] bytes, byte[] wanted) {
        for (int i = bytes.length - wanted.length; i >= 0; i--) {
            if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
                return i;
            }
        }
        throw new IllegalStateException("no text in a chunk");
    }

    @Override
    public String streamType() {
        return Answer.EVENTS;
    }

    @Override
    public boolean token(Answer answer, byte[] word) {
        if (chat && !begun) {
            begun = true;
            int field = before.length - "\"content\":\"".length();
            return answer.send(answer.line()
                    .writeBytes(before, 0, field)
                    .writeBytes(ROLE)
                    .writeBytes(before, field, before.length - field)
                    .writeBytes(word)
                    .writeBytes(after));
        }
        return answer.send(answer.line().writeBytes(before).writeBytes(word).writeBytes(after));
    }

    @Override
    public void close(Answer answer, Totals totals) {
        byte[] last = chunk("", totals.reason());
        byte[] counts = usage ? usageChunk(totals) : new byte[0];
        // Nothing is flushed between these: they share a chunk.
        answer.send(Json.concat(last, counts, DONE));
    }

    private byte[] chunk(String text, @Nullable String reason) {
        return Json.event(json -> {
            head(json);
            json.writeArrayFieldStart("choices");
            json.writeStartObject();
            if (chat) {
                json.writeNumberField("index", 0);
                json.writeObjectFieldStart("delta");
                if (reason == null) {
                    json.writeStringField("content", text);
                }
                json.writeEndObject();
            } else {
                json.writeStringField("text", text);
                json.writeNumberField("index", 0);
            }
            json.writeStringField("finish_reason", reason);
            json.writeEndObject();
            json.writeEndArray();
            if (!chat) {
                writeModel(json);
                if (usage) {
                    new Totals("", 0, 0, 0, 0, 0, 0, 0, 0).writeUsage(json);
                }
            }
        });
    }

    private byte[] usageChunk(Totals totals) {
        return Json.event(json -> {
            head(json);
            json.writeArrayFieldStart("choices");
            json.writeEndArray();
            if (!chat) {
                writeModel(json);
            }
            totals.writeUsage(json);
        });
    }

    private void head(JsonGenerator json) throws IOException {
        json.writeStringField("id", id);
        json.writeStringField("object", chat ? "chat.completion.chunk" : "text_completion");
        json.writeNumberField("created", created);
        if (chat) {
            writeModel(json);
        }
    }

    private void writeModel(JsonGenerator json) throws IOException {
        json.writeStringField("model", model);
        json.writeStringField("system_fingerprint", "fp_ollama");
    }

    @Override
    public void whole(Answer answer, String text, Totals totals) {
        answer.whole(200, Answer.PLAIN_JSON, Json.line(json -> {
            json.writeStringField("id", id);
            json.writeStringField("object", chat ? "chat.completion" : "text_completion");
            json.writeNumberField("created", created);
            writeModel(json);
            json.writeArrayFieldStart("choices");
            json.writeStartObject();
            if (chat) {
                json.writeNumberField("index", 0);
                json.writeObjectFieldStart("message");
                json.writeStringField("role", "assistant");
                json.writeStringField("content", text);
                json.writeEndObject();
            } else {
                json.writeStringField("text", text);
                json.writeNumberField("index", 0);
            }
            json.writeStringField("finish_reason", totals.reason());
            json.writeEndObject();
            json.writeEndArray();
            totals.writeUsage(json);
        }));
    }
}
