package io.drover.config;

import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * So many of something in a unit of time, as in {@code 10/s}.
 *
 * @param count above 0
 * @param unit seconds, minutes, hours or days
 */
public record Rate(int count, TimeUnit unit) {

    /** As it is written in a file. */
    @Override
    public String toString() {
        return count + "/" + unit.name().substring(0, 1).toLowerCase(Locale.ROOT);
    }
}
