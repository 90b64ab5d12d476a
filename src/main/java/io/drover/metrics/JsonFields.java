package io.drover.metrics;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import org.jspecify.annotations.Nullable;

/** The fields of one line of a log; what is unknown is left out. */
final class JsonFields {
    private static final DateTimeFormatter TIME =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter();
    private static final int MILLIS_DIGITS = 3;
    private static final int SECONDS_DIGITS = 6;
    private static final long NANOS_PER_MICRO = 1_000;

    private final JsonGenerator json;

    JsonFields(JsonGenerator json) {
        this.json = json;
    }

    /** RFC 3339 in UTC, with milliseconds. */
    void time(String field, long epochMillis) throws IOException {
        json.writeStringField(field, TIME.format(Instant.ofEpochMilli(epochMillis)));
    }

    void text(String field, @Nullable String value) throws IOException {
        if (value != null) {
            json.writeStringField(field, value);
        }
    }

    /** A number that is unknown below 0. */
    void count(String field, long value) throws IOException {
        if (value >= 0) {
            json.writeNumberField(field, value);
        }
    }

    /** Milliseconds, to microseconds; unknown below 0. */
    void millis(String field, long nanos) throws IOException {
        decimal(field, nanos, MILLIS_DIGITS);
    }

    /** Seconds, to microseconds; unknown below 0. */
    void seconds(String field, long nanos) throws IOException {
        decimal(field, nanos, SECONDS_DIGITS);
    }

    /** Written only where it is true. */
    void flag(String field, boolean value) throws IOException {
        if (value) {
            json.writeBooleanField(field, true);
        }
    }

    private void decimal(String field, long nanos, int digits) throws IOException {
        if (nanos >= 0) {
            json.writeNumberField(field, BigDecimal.valueOf(nanos / NANOS_PER_MICRO, digits));
        }
    }
}
