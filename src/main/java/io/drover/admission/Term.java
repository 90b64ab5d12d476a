package io.drover.admission;

import io.drover.config.DroverConfig.Period;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;

/**
 * One day or month of UTC.
 *
 * @param first its first day
 * @param fromMillis when it begins, since the epoch
 * @param untilMillis when the next one begins
 */
record Term(LocalDate first, long fromMillis, long untilMillis) {
    /** The one in which {@code nowMillis} is. */
    static Term at(Period per, long nowMillis) {
        LocalDate today = LocalDate.ofInstant(Instant.ofEpochMilli(nowMillis), ZoneOffset.UTC);
        LocalDate first = per == Period.DAY ? today : today.withDayOfMonth(1);
        LocalDate next = per == Period.DAY ? first.plusDays(1) : first.plusMonths(1);
        return new Term(first, millis(first), millis(next));
    }

    private static long millis(LocalDate day) {
        return day.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
    }
}
