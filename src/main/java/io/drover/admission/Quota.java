package io.drover.admission;

import io.drover.config.Rate;

/**
 * What every bucket of a limit allows, and the reading of what {@link TokenBucket#take} answers.
 *
 * @param nanosPerRequest time in which one request's room comes back
 * @param burst the bucket's size in requests
 */
public record Quota(long nanosPerRequest, int burst) {
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    /** Far above what any configuration asks for; sums of two and a reading of the clock cannot overflow. */
    private static final long LONGEST_NANOS = Long.MAX_VALUE / 2;

    public Quota {
        if (nanosPerRequest < 1 || burst < 1 || nanosPerRequest > LONGEST_NANOS / burst) {
            throw new IllegalArgumentException("quota: " + burst + " requests of " + nanosPerRequest
                    + " ns (expected: each at least 1, the product at most " + LONGEST_NANOS + ")");
        }
    }

    /** The quota of a configured rate; a fraction of a nanosecond is rounded against the client. */
    public static Quota of(Rate rate, int burst) {
        long unit = rate.unit().toNanos(1);
        return new Quota((unit + rate.count() - 1) / rate.count(), burst);
    }

    /** Time in which an empty bucket becomes full. */
    public long nanosToFill() {
        return nanosPerRequest * burst;
    }

    /** How many more requests may come at once. */
    public long remaining(long taken) {
        return isRefused(taken) ? 0 : (nanosToFill() - taken) / nanosPerRequest;
    }

    /** Whether the bucket was empty. */
    public static boolean isRefused(long taken) {
        return taken < 0;
    }

    /** Whole seconds, rounded up and at least 1, until the bucket is full; of a refusal until there is room for one. */
    public static long seconds(long taken) {
        return (Math.abs(taken) + NANOS_PER_SECOND - 1) / NANOS_PER_SECOND;
    }
}
