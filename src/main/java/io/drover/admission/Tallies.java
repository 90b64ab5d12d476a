package io.drover.admission;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * How many of something each key has at this moment. Exact: a key is forgotten only while it has none, and only when
 * there are many, so that one that comes and goes does not make its count anew each time.
 *
 * <p>For any thread. Counting for a known key takes no lock and allocates nothing.
 */
final class Tallies {
    private final ConcurrentHashMap<String, Tally> tallies = new ConcurrentHashMap<>();
    private volatile int idleKept;

    /** Number of keys beyond which those that have none are forgotten. */
    private volatile long sweepAbove;

    /** @param idleKept keys that may be kept though they have none, above 0 */
    Tallies(int idleKept) {
        this.idleKept = idleKept;
        this.sweepAbove = idleKept;
    }

    void keepAtMost(int keys) {
        idleKept = keys;
        sweepAbove = keys;
    }

    /**
     * Counts one more for {@code key} unless it has {@code most} already.
     *
     * @param most 0: any number
     * @return null if it has; else what counts it no more
     */
    @Nullable
    Tally enter(String key, int most) {
        while (true) {
            Tally tally = tallies.get(key);
            if (tally == null) {
                tally = tallies.computeIfAbsent(key, unknown -> new Tally());
                if (tallies.mappingCount() > sweepAbove) {
                    sweep();
                }
            }
            int entered = tally.enter(most);
            if (entered != Tally.FORGOTTEN) {
                return entered == Tally.FULL ? null : tally;
            }
            // Whoever marked it is about to remove it; it need not be waited for.
            tallies.remove(key, tally);
        }
    }

    /** Counts one less for {@code key}, which has one. */
    void leave(String key) {
        Tally tally = tallies.get(key);
        if (tally != null) {
            tally.leave();
        }
    }

    /** If most keys have some there is nothing to gain before their number has doubled. */
    private void sweep() {
        synchronized (tallies) {
            if (tallies.mappingCount() > sweepAbove) {
                tallies.values().removeIf(Tally::forget);
                sweepAbove = Math.max(idleKept, 2 * tallies.mappingCount());
            }
        }
    }

    int of(String key) {
        Tally tally = tallies.get(key);
        return tally == null ? 0 : Math.max(0, tally.count.get());
    }

    /** Keys known at this moment. */
    long size() {
        return tallies.mappingCount();
    }

    /** The count of one key. */
    static final class Tally {
        private static final int FULL = -1;
        private static final int FORGOTTEN = -2;

        private final AtomicInteger count = new AtomicInteger();

        private int enter(int most) {
            while (true) {
                int now = count.get();
                if (now < 0) {
                    return FORGOTTEN;
                }
                if (most > 0 && now >= most) {
                    return FULL;
                }
                if (count.compareAndSet(now, now + 1)) {
                    return now + 1;
                }
            }
        }

        void leave() {
            count.decrementAndGet();
        }

        /** Whether it counts none; then nobody can enter it any more. */
        private boolean forget() {
            return count.compareAndSet(0, FORGOTTEN);
        }
    }
}
