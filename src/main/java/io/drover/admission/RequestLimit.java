package io.drover.admission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.Scheduler;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One bucket for each client, of the clients that came last. A bucket that has not been used for long enough to be full
 * is forgotten, which loses nothing: a new one is full too. Beyond the bound on their number those unused for longest
 * are forgotten; such a client may come again with a full burst.
 *
 * <p>For any thread. Taking from a known client's bucket takes no lock and allocates nothing.
 */
public final class RequestLimit {
    /** Buckets are kept for so long at least: making one costs more than keeping it for the client's next request. */
    private static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(1);

    /**
     * One of so many buckets is forgotten at once where there are too many. Looking for the oldest takes a lock, so it
     * should not be done for each new client; a hundred are forgotten in far less than a millisecond.
     */
    private static final int FORGOTTEN_SHARE = 1000;

    private final Quota quota;
    private final long maxKeys;
    private final Cache<String, TokenBucket> buckets;
    private final Policy.FixedExpiration<String, TokenBucket> byLastUse;
    private final AtomicBoolean forgetting = new AtomicBoolean();

    /** @param maxKeys most buckets kept, above 0; threads that add at the same moment may exceed it for that moment */
    public RequestLimit(Quota quota, int maxKeys) {
        this(quota, maxKeys, Ticker.systemTicker());
    }

    RequestLimit(Quota quota, int maxKeys, Ticker ticker) {
        this.quota = quota;
        this.maxKeys = maxKeys;
        // No maximumSize: that would make Caffeine forget the rarely used (W-TinyLFU), whose buckets may be empty. What
        // it keeps in order for expiration is the plain order of use. Its upkeep is done by the threads that take, as a
        // few moves in a list after some uses: waking another thread for it costs more. Only what falls due while
        // nobody comes, which may be all there is, is left to a thread of the JDK.
        this.buckets = Caffeine.newBuilder()
                .expireAfterAccess(Duration.ofNanos(Math.max(quota.nanosToFill(), KEPT_NANOS)))
                .ticker(ticker)
                .executor(Runnable::run)
                .scheduler(Scheduler.systemScheduler())
                .build();
        this.byLastUse = buckets.policy().expireAfterAccess().orElseThrow();
    }

    public Quota quota() {
        return quota;
    }

    /**
     * Takes room for one request from the bucket of {@code key}.
     *
     * @param nowNanos on the scale of {@link System#nanoTime}
     * @return as {@link TokenBucket#take}; {@link Quota} reads it
     */
    public long take(String key, long nowNanos) {
        TokenBucket known = buckets.getIfPresent(key);
        return (known == null ? bucketOf(key, nowNanos) : known).take(nowNanos);
    }

    private TokenBucket bucketOf(String key, long nowNanos) {
        TokenBucket bucket = buckets.get(key, unknown -> new TokenBucket(quota, nowNanos));
        if (buckets.estimatedSize() > maxKeys && forgetting.compareAndSet(false, true)) {
            try {
                forget();
            } finally {
                forgetting.set(false);
            }
        }
        return bucket;
    }

    private void forget() {
        buckets.cleanUp();
        long tooMany = buckets.estimatedSize() - maxKeys;
        if (tooMany > 0) {
            int oldest = (int) (tooMany + maxKeys / FORGOTTEN_SHARE);
            buckets.invalidateAll(byLastUse.oldest(oldest).keySet());
        }
    }

    /** Buckets kept at this moment, about. */
    long size() {
        return buckets.estimatedSize();
    }
}
