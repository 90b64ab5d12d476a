package io.drover.metrics;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Lines of JSON in a reused buffer, one per record. Only ASCII comes out: paths and model names are a stranger's text,
 * and neither a line separator nor an escape sequence of a terminal may get through. Used by one thread.
 */
final class AccessLogLines {
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .build()
            .setRootValueSeparator(null);
    private static final DateTimeFormatter TIME =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter();
    private static final int INITIAL_BYTES = 128 * 1024;
    private static final int MICROS_PER_MILLI_DIGITS = 3;
    private static final long NANOS_PER_MICRO = 1_000;

    private final Bytes bytes = new Bytes();
    private JsonGenerator json = generator();
    private int records;

    /** Adds a record's line, or nothing at all if the record throws. */
    void add(AccessRecord record) {
        line(() -> write(record));
        records++;
    }

    /** Adds a line that tells how many lines are missing. */
    void addDropped(long lines) {
        line(() -> {
            json.writeStringField("time", TIME.format(Instant.now()));
            json.writeNumberField("dropped", lines);
        });
    }

    int size() {
        return bytes.size();
    }

    /** How many of the lines are records. */
    int records() {
        return records;
    }

    void writeTo(OutputStream out) throws IOException {
        bytes.writeTo(out);
    }

    void clear() {
        bytes.truncate(0);
        records = 0;
    }

    private void write(AccessRecord record) throws IOException {
        json.writeStringField("time", TIME.format(Instant.ofEpochMilli(record.startedAtMillis())));
        json.writeStringField("request_id", record.requestId());
        json.writeStringField("client", record.client());
        text("key", record.principal());
        json.writeStringField("method", record.method());
        json.writeStringField("path", record.target());
        json.writeStringField("endpoint", record.endpoint());
        text("model", record.model());
        json.writeNumberField("status", record.outcome().status());
        text("backend", record.backend());
        json.writeNumberField("attempts", record.attempts());
        count("request_bytes", record.requestBytes());
        count("response_bytes", record.responseBytes());
        count("prompt_tokens", record.promptTokens());
        count("generated_tokens", record.generatedTokens());
        millis("ttfb_ms", record.timeToFirstByteNanos());
        millis("duration_ms", record.durationNanos());
        if (record.unfinished()) {
            json.writeBooleanField("unfinished", true);
        }
        Outcome outcome = record.outcome();
        Phase failedIn = outcome.failedIn();
        Side side = outcome.side();
        text("phase", failedIn == null ? null : failedIn.label());
        text("side", side == null ? null : side.label());
        text("cause", outcome.cause());
    }

    private void text(String field, @Nullable String value) throws IOException {
        if (value != null) {
            json.writeStringField(field, value);
        }
    }

    private void count(String field, long value) throws IOException {
        if (value >= 0) {
            json.writeNumberField(field, value);
        }
    }

    private void millis(String field, long nanos) throws IOException {
        if (nanos >= 0) {
            json.writeNumberField(field, BigDecimal.valueOf(nanos / NANOS_PER_MICRO, MICROS_PER_MILLI_DIGITS));
        }
    }

    private void line(Fields fields) {
        int start = bytes.size();
        boolean whole = false;
        try {
            json.writeStartObject();
            fields.write();
            json.writeEndObject();
            json.writeRaw('\n');
            json.flush();
            whole = true;
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        } finally {
            if (!whole) {
                bytes.truncate(start);
                json = generator();
            }
        }
    }

    private JsonGenerator generator() {
        try {
            return JSON.createGenerator(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
    }

    private interface Fields {
        void write() throws IOException;
    }

    /** A byte buffer that can be cut back to an earlier size. */
    private static final class Bytes extends ByteArrayOutputStream {
        Bytes() {
            super(INITIAL_BYTES);
        }

        synchronized void truncate(int size) {
            count = size;
        }
    }
}
