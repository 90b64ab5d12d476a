package io.drover.demo;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/** Times and ids for answers: real ones, or always the same ones so that answers can be compared byte by byte. */
final class Stamp {
    private static final Instant FIXED = Instant.parse("2026-08-22T01:48:22.123456789Z");
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter HTTP = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private static final class Second {
        final long epoch;
        final byte[] text;
        final String http;

        Second(long epoch) {
            Instant at = Instant.ofEpochSecond(epoch);
            this.epoch = epoch;
            this.text = SECONDS.format(at).getBytes(StandardCharsets.US_ASCII);
            this.http = HTTP.format(at);
        }
    }

    private final boolean fixed;
    private volatile Second second;

    Stamp(boolean fixed) {
        this.fixed = fixed;
        this.second = new Second(now().getEpochSecond());
    }

    boolean isFixed() {
        return fixed;
    }

    Instant now() {
        return fixed ? FIXED : Instant.now();
    }

    /** Writes the time in RFC 3339 with up to nine digits, trailing zeros trimmed, as Go does. */
    void writeTo(ByteBuf out) {
        Instant now = now();
        out.writeBytes(secondOf(now.getEpochSecond()).text);
        int nanos = now.getNano();
        if (nanos > 0) {
            out.writeByte('.');
            for (int unit = 100_000_000; nanos > 0; unit /= 10) {
                out.writeByte('0' + nanos / unit);
                nanos %= unit;
            }
        }
        out.writeByte('Z');
    }

    /** The same as text. */
    String text() {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(now().atOffset(ZoneOffset.UTC));
    }

    /** A time as Ollama lists it, with a local offset. */
    static String local(Instant at) {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(at.atOffset(ZoneOffset.ofHours(2)));
    }

    String httpDate() {
        return secondOf(now().getEpochSecond()).http;
    }

    private Second secondOf(long epoch) {
        Second current = second;
        if (current.epoch != epoch) {
            current = new Second(epoch);
            second = current;
        }
        return current;
    }

    /** A number below {@code bound}: random, or following from {@code seed} when times are fixed. */
    long number(long bound, long seed) {
        return fixed ? Math.floorMod(seed, bound) : ThreadLocalRandom.current().nextLong(bound);
    }
}
