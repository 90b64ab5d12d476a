package io.drover.server;

import io.drover.cache.CacheKey;
import io.drover.cache.CacheObserver;
import io.drover.cache.Purged;
import io.drover.cache.RedisLink;
import io.drover.cache.ResponseCache;
import io.drover.config.CacheConfig;
import io.drover.config.ConfigException;
import io.drover.metrics.CacheMetrics;
import io.drover.proxy.Caching;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The response cache as a server runs it: what it needs beside itself, what counts it, who purges it. Any thread. */
final class CacheService implements Purges, CacheObserver, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CacheService.class);

    /** Large requests and answers are read one or two at a time, beside the event loops. */
    private static final int THREADS = 2;

    private static final int WAITING = 64;

    /** Redis may become too slow each second, and quick again in between. */
    private static final long BETWEEN_WARNINGS_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final ResponseCache cache;
    private final CacheMetrics metrics;
    private final Caching caching;
    private final ThreadPoolExecutor aside;
    private final AtomicLong nextWarningNanos = new AtomicLong(System.nanoTime());

    private CacheService(CacheConfig config, @Nullable RedisLink redis, CacheMetrics metrics) throws ConfigException {
        this.metrics = metrics;
        this.cache = ResponseCache.open(config, redis, this);
        this.aside = new ThreadPoolExecutor(
                THREADS,
                THREADS,
                30,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                new DefaultThreadFactory("drover-cache-reader", true));
        aside.allowCoreThreadTimeOut(true);
        this.caching = new Caching(config, cache, metrics, aside);
        metrics.memoryBytes(cache::bytes);
        metrics.entries(cache::answers);
        if (redis != null) {
            metrics.breakerOpen(cache::isBreakerOpen);
        }
    }

    /**
     * @param redis null: answers are kept in memory only
     * @return null where the cache is off
     * @throws ConfigException if the key for encryption cannot be used
     */
    static @Nullable CacheService open(CacheConfig config, @Nullable RedisLink redis, CacheMetrics metrics)
            throws ConfigException {
        return config.enabled() ? new CacheService(config, redis, metrics) : null;
    }

    /** What exchanges use. */
    Caching caching() {
        return caching;
    }

    @Override
    public CompletionStage<Purged> purgeAll() {
        return cache.purgeAll();
    }

    @Override
    public CompletionStage<Purged> purgeModel(String model) {
        return cache.purgeModel(model);
    }

    @Override
    public CompletionStage<Purged> purgeKey(String hex) {
        return cache.purge(CacheKey.parse(hex));
    }

    @Override
    public void onRedisAnswer(long nanos) {
        metrics.onRedisLookup(nanos);
    }

    @Override
    public void onBreakerOpen() {
        long now = System.nanoTime();
        long next = nextWarningNanos.get();
        if (now - next >= 0 && nextWarningNanos.compareAndSet(next, now + BETWEEN_WARNINGS_NANOS)) {
            LOG.warn("Redis is too slow for the cache: it is not asked until it is quick again");
        }
    }

    @Override
    public void onEvicted(Eviction cause, long bytes) {
        metrics.onEviction(cause.name().toLowerCase(Locale.ROOT), bytes);
    }

    @Override
    public void onWriteDropped() {
        metrics.onWriteDropped();
    }

    @Override
    public void onReadFailed() {
        metrics.onRedisFailure();
    }

    /** After the last exchange has ended. */
    @Override
    public void close() {
        aside.shutdownNow();
        caching.close();
        cache.close();
    }
}
