package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * What a finished generation reports; times in nanoseconds.
 *
 * @param reason {@code stop} or {@code length}
 * @param contextTokens length of {@code context}; 0: none
 * @param seed what context and ids follow from
 */
record Totals(
        String reason,
        long totalNanos,
        long loadNanos,
        int promptTokens,
        long promptNanos,
        int tokens,
        long evalNanos,
        int contextTokens,
        long seed) {

    /** The six metrics of Ollama's final record; a zero is left out, as Go's omitempty does. */
    void writeMetrics(JsonGenerator json) throws IOException {
        writeIfSet(json, "total_duration", totalNanos);
        writeIfSet(json, "load_duration", loadNanos);
        writeIfSet(json, "prompt_eval_count", promptTokens);
        writeIfSet(json, "prompt_eval_duration", promptNanos);
        writeIfSet(json, "eval_count", tokens);
        writeIfSet(json, "eval_duration", evalNanos);
    }

    void writeContext(JsonGenerator json) throws IOException {
        if (contextTokens > 0) {
            json.writeArrayFieldStart("context");
            for (long i = 0; i < contextTokens; i++) {
                json.writeNumber(100_000 + Math.floorMod(seed + i * 7919, 28_000));
            }
            json.writeEndArray();
        }
    }

    /** OpenAI's usage object. */
    void writeUsage(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("prompt_tokens", promptTokens);
        json.writeNumberField("completion_tokens", tokens);
        json.writeNumberField("total_tokens", promptTokens + tokens);
        json.writeEndObject();
    }

    static void writeIfSet(JsonGenerator json, String name, long value) throws IOException {
        if (value != 0) {
            json.writeNumberField(name, value);
        }
    }
}
