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
    private final Quota quota;
    private final Level level;

    /** A full one. */
    TokenBucket(Quota quota, long nowNanos) {
        this(quota, new Level(nowNanos));
    }

    private TokenBucket(Quota quota, Level level) {
        this.quota = quota;
        this.level = level;
    }

    /** Takes room for one unit if there is any now; answers as {@link #take(long, long, long)}. */
    long take(long nowNanos) {
        return take(1, 0, nowNanos);
    }

    @Override
    public long take(long units, long delayNanos, long nowNanos) {
        long cost = quota.nanosOf(units);
        while (true) {
            long fullAt = level.fullAtNanos;
            long used = level.used(fullAt, nowNanos);
            long wait = used + cost - Math.max(quota.nanosToFill(), cost);
            if (wait > delayNanos) {
                return -wait;
            }
            long toFill = Quota.bounded(used, cost);
            if (level.replace(fullAt, nowNanos + toFill)) {
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
            fullAt = level.fullAtNanos;
            toFill = Quota.bounded(level.used(fullAt, nowNanos), cost);
        } while (!level.replace(fullAt, nowNanos + toFill));
    }

    @Override
    public void giveBack(long units, long used, long takenNanos, long nowNanos) {
        // Not the cost of the difference: that of a number too large to be counted was cut off.
        long cost = quota.nanosOf(units) - quota.nanosOf(used);
        while (true) {
            long fullAt = level.fullAtNanos;
            // Read behind the time above: whoever has found it full and then taken has changed that time too.
            if (fullAt - nowNanos <= 0 || level.seenFullNanos - takenNanos > 0) {
                return;
            }
            if (level.replace(fullAt, fullAt - cost)) {
                return;
            }
        }
    }

    @Override
    public TokenBucket under(Quota other) {
        return new TokenBucket(other, level);
    }

    /** Nanoseconds until it is full; below 0: it has been so for a while. */
    long missing(long nowNanos) {
        return level.fullAtNanos - nowNanos;
    }

    /** Another one that lacks the same. */
    TokenBucket copy(long nowNanos) {
        TokenBucket copy = new TokenBucket(quota, nowNanos);
        copy.lack(Math.max(0, missing(nowNanos)), nowNanos);
        return copy;
    }

    /** Takes out what comes back in so many nanoseconds. Not beside others that take. */
    void lack(long nanos, long nowNanos) {
        level.fullAtNanos = nowNanos + Quota.bounded(Math.max(0, missing(nowNanos)), nanos);
    }

    /**
     * Corrects what is in it. What is taken at the same moment may be left out.
     *
     * @param missing nanoseconds until it is full
     * @param fullNanos when it was last known to be full
     */
    void restate(long missing, long fullNanos, long nowNanos) {
        level.fullAtNanos = nowNanos + missing;
        level.noteFull(fullNanos);
    }

    /** What is in a bucket; of one whose quota has changed what is in both, the old one and the new. */
    private static final class Level {
        private static final VarHandle FULL_AT_NANOS = field("fullAtNanos");
        private static final VarHandle SEEN_FULL_NANOS = field("seenFullNanos");

        /** On the scale of {@link System#nanoTime}, which may be negative and wrap: only differences mean anything. */
        private volatile long fullAtNanos;

        /** When somebody last found it full: what was taken before has come back. */
        private volatile long seenFullNanos;

        Level(long nowNanos) {
            this.fullAtNanos = nowNanos;
            this.seenFullNanos = nowNanos;
        }

        private static VarHandle field(String name) {
            try {
                return MethodHandles.lookup().findVarHandle(Level.class, name, long.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        boolean replace(long fullAt, long next) {
            return FULL_AT_NANOS.compareAndSet(this, fullAt, next);
        }

        /** What is missing at {@code nowNanos}, and notes where that is nothing. */
        long used(long fullAt, long nowNanos) {
            long used = fullAt - nowNanos;
            if (used > 0) {
                return used;
            }
            noteFull(nowNanos);
            return 0;
        }

        /** Never back: a thread that was held up here would have others give back what has come back by itself. */
        void noteFull(long atNanos) {
            long seen;
            do {
                seen = seenFullNanos;
            } while (atNanos - seen > 0 && !SEEN_FULL_NANOS.compareAndSet(this, seen, atNanos));
        }
    }
}
