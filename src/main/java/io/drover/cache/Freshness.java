package io.drover.cache;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;

/** How long answers are good for. Any thread; allocates once a day. */
final class Freshness {
    private final long ttlMillis;
    private final long keptMillis;
    private final ZoneId zone;
    private volatile Day today = new Day(0, 0);

    /** @param from of the wall clock, and {@code to}, which is the next day's */
    private record Day(long from, long to) {
        boolean holds(long millis) {
            return millis >= from && millis < to;
        }
    }

    Freshness(Duration ttl, Duration serveStale, ZoneId zone) {
        this.ttlMillis = ttl.toMillis();
        this.keptMillis = ttl.plus(serveStale).toMillis();
        this.zone = zone;
    }

    /** Whether no midnight lies between. */
    boolean isSameDay(long millis, long nowMillis) {
        return day(nowMillis).holds(millis);
    }

    /** Whether an answer of then is as good as a new one: templates of models insert the date. */
    boolean isFresh(long atMillis, long nowMillis) {
        return nowMillis - atMillis < ttlMillis && isSameDay(atMillis, nowMillis);
    }

    /** Whether an answer of then may be served at least when there is no other. */
    boolean isUsable(long atMillis, long nowMillis) {
        return leftMillis(atMillis, nowMillis) > 0;
    }

    /** How much longer an answer of then is worth its room. */
    long leftMillis(long atMillis, long nowMillis) {
        // Another replica's clock may be ahead.
        return Math.min(keptMillis, atMillis + keptMillis - nowMillis);
    }

    Duration kept() {
        return Duration.ofMillis(keptMillis);
    }

    private Day day(long nowMillis) {
        Day day = today;
        if (!day.holds(nowMillis)) {
            LocalDate date = Instant.ofEpochMilli(nowMillis).atZone(zone).toLocalDate();
            day = new Day(startOf(date), startOf(date.plusDays(1)));
            today = day;
        }
        return day;
    }

    private long startOf(LocalDate date) {
        return date.atStartOfDay(zone).toInstant().toEpochMilli();
    }
}
