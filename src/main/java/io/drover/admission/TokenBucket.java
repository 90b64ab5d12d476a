package io.drover.admission;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One client's bucket: holds room for a number of requests, which comes back at a steady rate. It keeps one number, the
 * time at which it will be full again, from which its level follows (GCRA, ITU-T I.371): nothing has to refill it.
 *
 * <p>For any thread, without a lock. In any time t at most the burst and the requests of t are admitted, however many
 * threads take. Threads may read the clock at slightly different times: one that is behind finds the bucket emptier.
 */
final class TokenBucket {
    private static final VarHandle FULL_AT_NANOS = fullAtNanos();

    private final Quota quota;

    /** On the scale of {@link System#nanoTime}, which may be negative and wrap: only differences mean anything. */
    private volatile long fullAtNanos;

    /** A full one. */
    TokenBucket(Quota quota, long nowNanos) {
        this.quota = quota;
        this.fullAtNanos = nowNanos;
    }

    private static VarHandle fullAtNanos() {
        try {
            return MethodHandles.lookup().findVarHandle(TokenBucket.class, "fullAtNanos", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /**
     * Takes room for one request if there is any.
     *
     * @return above 0: taken, and so many nanoseconds until the bucket is full; below 0: it is empty, and has room for
     *     one in so many nanoseconds; never 0
     */
    long take(long nowNanos) {
        while (true) {
            long fullAt = fullAtNanos;
            long toFill = Math.max(fullAt - nowNanos, 0) + quota.nanosPerRequest();
            if (toFill > quota.nanosToFill()) {
                return quota.nanosToFill() - toFill;
            }
            if (FULL_AT_NANOS.compareAndSet(this, fullAt, nowNanos + toFill)) {
                return toFill;
            }
        }
    }
}
