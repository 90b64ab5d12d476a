package io.drover.proxy;

import java.util.concurrent.TimeUnit;

/**
 * The time as one event loop sees it: read once for each event that comes from the network, and the same for all that
 * is done about it. Reading the system's clocks a dozen times per request was two percent of its cost.
 *
 * <p>Belongs to one event loop.
 */
final class LoopClock {
    private long nanos = System.nanoTime();
    private long epochNanos;

    LoopClock() {
        synchronise();
    }

    /** Reads the clock; the time, on the scale of {@link System#nanoTime}. */
    long read() {
        nanos = System.nanoTime();
        return nanos;
    }

    /** The time of the event that is being handled, on the scale of {@link System#nanoTime}. */
    long now() {
        return nanos;
    }

    /** The same time in milliseconds since 1970. */
    long wallMillis() {
        return TimeUnit.NANOSECONDS.toMillis(epochNanos + nanos);
    }

    /** Follows the system's wall clock, which may be set; called now and then. */
    void synchronise() {
        epochNanos = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) - read();
    }
}
