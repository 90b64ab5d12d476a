package io.drover.admission;

import io.drover.config.Rate;

/**
 * What every bucket of a limit allows, and the reading of what {@link Bucket#take} answers. Units are requests or tokens.
 *
 * @param nanosPerUnit time in which one unit's room comes back
 * @param burst the bucket's size in units
 */
public record Quota(long nanosPerUnit, int burst) {
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    /** 146 years; with a debt of half as much again, differences of two readings of the clock cannot overflow. */
    private static final long LONGEST_NANOS = Long.MAX_VALUE / 2;

    private static final long DEEPEST_NANOS = LONGEST_NANOS + LONGEST_NANOS / 2;

    public Quota {
        if (nanosPerUnit < 1 || burst < 1 || nanosPerUnit > LONGEST_NANOS / burst) {
            throw new IllegalArgumentException("quota: " + burst + " units of " + nanosPerUnit
                    + " ns (expected: each at least 1, the product at most " + LONGEST_NANOS + ")");
        }
    }

    /**
     * The quota of a configured rate; a fraction of a nanosecond is rounded against the client. A bucket that would take
     * more than 146 years to fill takes 146: beside such a burst its rate is nothing.
     */
    public static Quota of(Rate rate, int burst) {
        long unit = rate.unit().toNanos(1);
        return new Quota(Math.min((unit + rate.count() - 1) / rate.count(), LONGEST_NANOS / burst), burst);
    }

    /** Time in which an empty bucket becomes full. */
    public long nanosToFill() {
        return nanosPerUnit * burst;
    }

    /** Time in which the room of so many units comes back, at most the longest that can be counted. */
    long nanosOf(long units) {
        return units > LONGEST_NANOS / nanosPerUnit ? LONGEST_NANOS : units * nanosPerUnit;
    }

    /** The sum of what a bucket lacks and a further cost, at most what can be counted: debts beyond it are forgiven. */
    static long bounded(long usedNanos, long costNanos) {
        return usedNanos > DEEPEST_NANOS - costNanos ? Math.max(usedNanos, DEEPEST_NANOS) : usedNanos + costNanos;
    }

    /** How many more units may come at once. */
    public long remaining(long taken) {
        return isRefused(taken) ? 0 : Math.max(0, (nanosToFill() - taken) / nanosPerUnit);
    }

    /** How long whoever took {@code units} has to wait for them, in nanoseconds; 0: not at all. */
    long wait(long taken, long units) {
        return Math.max(0, taken - Math.max(nanosToFill(), nanosOf(units)));
    }

    /** Whether the bucket was empty. */
    public static boolean isRefused(long taken) {
        return taken < 0;
    }

    /** Whole seconds, rounded up and at least 1, until the bucket is full; of a refusal until there is room. */
    public static long seconds(long taken) {
        return (Math.abs(taken) - 1) / NANOS_PER_SECOND + 1;
    }
}
