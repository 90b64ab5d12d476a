package io.drover.proxy;

import io.drover.admission.ModelPatterns;
import io.drover.admission.Principal;
import io.drover.cache.Bypass;
import io.drover.cache.ResponseCache;
import io.drover.config.CacheConfig;
import io.drover.http.Field;
import io.drover.metrics.CacheMetrics;
import io.drover.ollama.ModelName;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What all exchanges share of the cache: what is kept, what is on its way, and the rules. Any thread. */
public final class Caching {
    private static final Logger LOG = LoggerFactory.getLogger(Caching.class);

    private final CacheConfig config;
    private final ResponseCache cache;
    private final CacheMetrics metrics;
    private final Executor aside;
    private final Flights flights;
    private final ModelPatterns excludedModels;
    private final Set<String> excludedKeys;
    private final @Nullable SemanticTier semantic;

    /**
     * @param cache stays the caller's
     * @param aside for what takes longer than an event loop has; bounded: what it refuses is not cached
     */
    public Caching(CacheConfig config, ResponseCache cache, CacheMetrics metrics, Executor aside) {
        this.config = config;
        this.cache = cache;
        this.metrics = metrics;
        this.aside = aside;
        this.flights = new Flights(config.recording(), config.maxEntry());
        this.excludedModels = new ModelPatterns(config.excludeModels());
        this.excludedKeys = new HashSet<>(config.excludeKeys());
        this.semantic = config.semantic().isOn() ? new SemanticTier(config.semantic(), cache, metrics, aside) : null;
        metrics.recordingBytes(flights::recorded);
        metrics.followers(flights::followers);
    }

    CacheConfig config() {
        return config;
    }

    ResponseCache cache() {
        return cache;
    }

    CacheMetrics metrics() {
        return metrics;
    }

    /**
     * Does what takes longer than an event loop has.
     *
     * @param then follows on the event loop, whether {@code task} has failed or not: a request may wait for it
     * @return whether there is anybody to do it
     */
    boolean aside(Worker worker, Runnable task, Runnable then) {
        try {
            aside.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException fault) {
                    LOG.error("the cache fails by a fault of ours", fault);
                } finally {
                    worker.loop().execute(() -> {
                        worker.clock().read();
                        then.run();
                    });
                }
            });
            return true;
        } catch (RejectedExecutionException busy) {
            return false;
        }
    }

    Flights flights() {
        return flights;
    }

    /** Null where it is off. */
    @Nullable
    SemanticTier semantic() {
        return semantic;
    }

    /** After the last exchange has ended. */
    public void close() {
        if (semantic != null) {
            semantic.close();
        }
    }

    /**
     * What keeps a request from being looked up, as far as the configuration and its head tell.
     *
     * @param size of its body
     */
    @Nullable
    Bypass rule(ClientRequest request, long size, @Nullable Principal principal) {
        ModelName name = request.modelName();
        if (request.head().has(Field.CONTENT_ENCODING)) {
            return Bypass.CODED;
        } else if (name == null) {
            return Bypass.UNPARSABLE;
        } else if (name.isCloud()) {
            return Bypass.CLOUD;
        } else if ((!excludedModels.isAll() && excludedModels.allow(name))
                || (principal != null && excludedKeys.contains(principal.name()))) {
            return Bypass.EXCLUDED;
        }
        return size > config.maxRequest() ? Bypass.TOO_LARGE : null;
    }
}
