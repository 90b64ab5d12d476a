package io.drover.admission;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One key's bucket in this process: holds room for a number of units, which comes back at a steady rate. It keeps the
 * time at which it will be full again, from which its level follows (GCRA, ITU-T I.371): nothing has to refill it.
 *
 * <p>For any thread, without a lock. In any time t at most the burst and the units of t are admitted, however many
 * threads take. Threads may read the clock at slightly different times: one that is behind finds the bucket emptier.
 */
final class TokenBucket implements Bucket {
    private static final VarHandle FULL_AT_NANOS = fullAtNanos();

    private final Quota quota;

    /** On the scale of {@link System#nanoTime}, which may be negative and wrap: only differences mean anything. */
    private volatile long fullAtNanos;

    /** When somebody last found it full: what was taken before has come back. */
    private volatile long seenFullNanos;

    /** A full one. */
    TokenBucket(Quota quota, long nowNanos) {
        this(quota, nowNanos, nowNanos);
    }

    private TokenBucket(Quota quota, long fullAtNanos, long seenFullNanos) {
        this.quota = quota;
        this.fullAtNanos = fullAtNanos;
        this.seenFullNanos = seenFullNanos;
    }

    private static VarHandle fullAtNanos() {
        try {
            return MethodHandles.lookup().findVarHandle(TokenBucket.class, "fullAtNanos", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Takes room for one unit if there is any now; answers as {@link #take(long, long, long)}. */
    long take(long nowNanos) {
        return take(1, 0, nowNanos);
    }

    @Override
    public long take(long units, long delayNanos, long nowNanos) {
        long cost = quota.nanosOf(units);
        while (true) {
            long fullAt = fullAtNanos;
            long used = used(fullAt, nowNanos);
            long wait = used + cost - Math.max(quota.nanosToFill(), cost);
            if (wait > delayNanos) {
                return -wait;
            }
            long toFill = Quota.bounded(used, cost);
            if (FULL_AT_NANOS.compareAndSet(this, fullAt, nowNanos + toFill)) {
                return toFill;
            }
        }
    }

    @Override
    public void charge(long units, long nowNanos) {
        long cost = quota.nanosOf(units);
        long fullAt;
        long toFill;
        do {
            fullAt = fullAtNanos;
            toFill = Quota.bounded(used(fullAt, nowNanos), cost);
        } while (!FULL_AT_NANOS.compareAndSet(this, fullAt, nowNanos + toFill));
    }

    @Override
    public void giveBack(long units, long used, long takenNanos, long nowNanos) {
        // Not the cost of the difference: that of a number too large to be counted was cut off.
        long cost = quota.nanosOf(units) - quota.nanosOf(used);
        while (true) {
            long fullAt = fullAtNanos;
            // Read behind the time above: whoever has found it full and then taken has changed that time too.
            if (fullAt - nowNanos <= 0 || seenFullNanos - takenNanos > 0) {
                return;
            }
            if (FULL_AT_NANOS.compareAndSet(this, fullAt, fullAt - cost)) {
                return;
            }
        }
    }

    @Override
    public Bucket under(Quota other) {
        return new TokenBucket(other, fullAtNanos, seenFullNanos);
    }

    private long used(long fullAt, long nowNanos) {
        long used = fullAt - nowNanos;
        if (used <= 0) {
            seenFullNanos = nowNanos;
            return 0;
        }
        return used;
    }
}
