package io.drover.metrics;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/**
 * Lines of JSON in a reused buffer, one per record. Only ASCII comes out: paths and model names are a stranger's text,
 * and neither a line separator nor an escape sequence of a terminal may get through. Used by one thread.
 */
final class JsonLines<T> {
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .build()
            .setRootValueSeparator(null);
    private static final int INITIAL_BYTES = 128 * 1024;

    private final LineFormat<T> format;
    private final Bytes bytes = new Bytes();
    private JsonGenerator json = generator();
    private JsonFields fields = new JsonFields(json);
    private int records;

    JsonLines(LineFormat<T> format) {
        this.format = format;
    }

    /** Adds a record's line, or nothing at all if the record throws. */
    void add(T record) {
        line(() -> format.write(record, fields));
        records++;
    }

    /** Adds a line that tells how many lines are missing. */
    void addLost(long lines) {
        line(() -> format.writeLost(lines, fields));
    }

    int size() {
        return bytes.size();
    }

    /** How many of the lines are records. */
    int records() {
        return records;
    }

    /** All lines, in memory that the next line may change. */
    ByteBuffer bytes() {
        return bytes.view();
    }

    void clear() {
        bytes.truncate(0);
        records = 0;
    }

    private void line(Body body) {
        int start = bytes.size();
        boolean whole = false;
        try {
            json.writeStartObject();
            body.write();
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
                fields = new JsonFields(json);
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

    private interface Body {
        void write() throws IOException;
    }

    /** A byte buffer that can be cut back to an earlier size, and read where it is. */
    private static final class Bytes extends ByteArrayOutputStream {
        Bytes() {
            super(INITIAL_BYTES);
        }

        synchronized void truncate(int size) {
            count = size;
        }

        synchronized ByteBuffer view() {
            return ByteBuffer.wrap(buf, 0, count);
        }
    }
}
