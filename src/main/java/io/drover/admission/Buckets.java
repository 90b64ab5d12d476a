package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * One bucket for each key of a limit, of the keys that came last. A bucket that has not been used for long enough to be
 * full is forgotten, which loses nothing: a new one is full too. Beyond the bound on their number those unused for
 * longest are forgotten; such a client may come again with a full burst.
 *
 * <p>For any thread. Taking from a known key's bucket takes no lock and allocates nothing.
 */
final class Buckets {
    /** Buckets are kept for so long at least: making one costs more than keeping it for the client's next request. */
    private static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String limit;
    private final Quota quota;
    private final Bucket.Maker maker;
    private final Keyed<Bucket> buckets;

    /** @param maxKeys most buckets kept, above 0 */
    Buckets(Quota quota, int maxKeys) {
        this(quota, maxKeys, Ticker.systemTicker());
    }

    Buckets(Quota quota, int maxKeys, Ticker ticker) {
        this("", quota, quota.nanosToFill(), maxKeys, Bucket.Maker.LOCAL, ticker);
    }

    /** @param kept nanoseconds without a use after which a bucket is full whatever was taken from it */
    Buckets(String limit, Quota quota, long kept, int maxKeys, Bucket.Maker maker, Ticker ticker) {
        this.limit = limit;
        this.quota = quota;
        this.maker = maker;
        this.buckets = new Keyed<>(Duration.ofNanos(Math.max(kept, KEPT_NANOS)), maxKeys, ticker);
    }

    Quota quota() {
        return quota;
    }

    /** The bucket of {@code key}; a full one where it is new. */
    Bucket of(String key, long nowNanos) {
        Bucket known = buckets.known(key);
        return known == null ? buckets.get(key, unknown -> maker.make(limit, unknown, quota, nowNanos)) : known;
    }

    /** Takes room for one unit from the bucket of {@code key}, as {@link Bucket#take}. */
    long take(String key, long nowNanos) {
        return of(key, nowNanos).take(1, 0, nowNanos);
    }

    void keepAtMost(int keys) {
        buckets.keepAtMost(keys);
    }

    /** Buckets kept at this moment, about. */
    long size() {
        return buckets.size();
    }
}
