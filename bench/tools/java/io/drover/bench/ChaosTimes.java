package io.drover.bench;

import java.time.Duration;

/**
 * What the proxies of {@code bench/chaos} are configured with; the files in {@code bench/peers/chaos} say the same.
 *
 * @param slowStart handed to the proxies in {@code CHAOS_SLOW_START}
 */
record ChaosTimes(Duration slowStart) {
    static final Duration INTERVAL = Duration.ofSeconds(1);
    static final Duration TIMEOUT = Duration.ofSeconds(1);
    static final int RISE = 2;
    static final Duration EJECT = Duration.ofSeconds(5);

    /** A machine that does other things as well may be late by this, and looks come so often at least. */
    static final Duration SLACK = Duration.ofMillis(500);

    /** Between two probes at most: Drover's intervals are off by up to a tenth, so that probes do not go in step. */
    static Duration longestInterval() {
        return INTERVAL.plus(INTERVAL.dividedBy(10));
    }
}
