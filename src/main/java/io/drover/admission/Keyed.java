package io.drover.admission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.Scheduler;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One thing for each key, of the keys that came last. What has not been used for long is forgotten; beyond the bound on
 * their number those unused for longest are.
 *
 * <p>For any thread. Looking up a known key takes no lock and allocates nothing.
 */
final class Keyed<V> {
    /**
     * One of so many is forgotten at once where there are too many. Looking for the oldest takes a lock, so it should not
     * be done for each new key; a hundred are forgotten in far less than a millisecond.
     */
    private static final int FORGOTTEN_SHARE = 1000;

    private final Cache<String, V> values;
    private final Policy.FixedExpiration<String, V> byLastUse;
    private final AtomicBoolean forgetting = new AtomicBoolean();
    private volatile int most;

    /**
     * @param kept how long without a use
     * @param most keys kept, above 0; threads that add at the same moment may exceed it for that moment
     */
    Keyed(Duration kept, int most, Ticker ticker) {
        this.most = most;
        // No maximumSize: that would make Caffeine forget the rarely used (W-TinyLFU), whose buckets may be empty. What
        // it keeps in order for expiration is the plain order of use. Its upkeep is done by the threads that look up,
        // as a
        // few moves in a list after some uses: waking another thread for it costs more. Only what falls due while
        // nobody comes, which may be all there is, is left to a thread of the JDK.
        this.values = Caffeine.newBuilder()
                .expireAfterAccess(kept)
                .ticker(ticker)
                .executor(Runnable::run)
                .scheduler(Scheduler.systemScheduler())
                .build();
        this.byLastUse = values.policy().expireAfterAccess().orElseThrow();
    }

    @Nullable
    V known(String key) {
        return values.getIfPresent(key);
    }

    /** What is kept for {@code key}, made if it is not known; once, however many threads ask. */
    V get(String key, Function<String, V> make) {
        V value = values.get(key, make);
        if (values.estimatedSize() > most && forgetting.compareAndSet(false, true)) {
            try {
                forget();
            } finally {
                forgetting.set(false);
            }
        }
        return value;
    }

    void put(String key, V value) {
        values.put(key, value);
    }

    private void forget() {
        values.cleanUp();
        long tooMany = values.estimatedSize() - most;
        if (tooMany > 0) {
            int oldest = (int) (tooMany + most / FORGOTTEN_SHARE);
            values.invalidateAll(byLastUse.oldest(oldest).keySet());
        }
    }

    /** From now on so many keys are kept. */
    void keepAtMost(int keys) {
        most = keys;
    }

    /** All that is kept, as it is at about this moment. */
    Map<String, V> all() {
        return values.asMap();
    }

    /** Keys kept at this moment, about. */
    long size() {
        return values.estimatedSize();
    }
}
