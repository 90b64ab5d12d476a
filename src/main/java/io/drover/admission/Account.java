package io.drover.admission;

import io.drover.config.DroverConfig.Period;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What one key has used up of a budget in one day or month of UTC. For any thread, without a lock.
 *
 * @param first its first day
 * @param fromMillis when it begins, since the epoch
 * @param untilMillis when the next one begins
 */
record Account(LocalDate first, long fromMillis, long untilMillis, AtomicLong tokens, AtomicLong gpuNanos) {

    /** An empty one of the period in which {@code nowMillis} is. */
    static Account at(Period per, long nowMillis) {
        LocalDate today = LocalDate.ofInstant(Instant.ofEpochMilli(nowMillis), ZoneOffset.UTC);
        LocalDate first = per == Period.DAY ? today : today.withDayOfMonth(1);
        LocalDate next = per == Period.DAY ? first.plusDays(1) : first.plusMonths(1);
        return new Account(first, millis(first), millis(next), new AtomicLong(), new AtomicLong());
    }

    private static long millis(LocalDate day) {
        return day.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
    }
}
