package io.drover.proxy;

import io.drover.cache.CacheKey;
import io.drover.cache.CachedAnswer;
import io.drover.cache.Form;
import io.drover.cache.Question;
import io.drover.cache.ResponseCache;
import io.drover.cache.SemanticIndex;
import io.drover.config.CacheConfig;
import io.drover.metrics.CacheMetrics;
import io.drover.ollama.ModelName;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What all exchanges share to find the answers to similar questions. Any thread. */
final class SemanticTier {
    private static final Logger LOG = LoggerFactory.getLogger(SemanticTier.class);

    /**
     * Embeddings that nobody waits for any more, at most: a model is loaded by the first of them, where it takes longer
     * than a request may wait. While there are so many no further one is asked for, so that a backend that is stuck costs
     * no request its time.
     */
    private static final int MOST_LATE = 8;

    private final CacheConfig.Semantic config;
    private final ModelName model;
    private final ResponseCache cache;
    private final CacheMetrics metrics;
    private final Executor aside;
    private final SemanticIndex index;
    private final AtomicInteger late = new AtomicInteger();

    /** @param aside for what takes longer than an event loop has; what it refuses is not found, or not added */
    SemanticTier(CacheConfig.Semantic config, ResponseCache cache, CacheMetrics metrics, Executor aside) {
        this.config = config;
        this.model = ModelName.of(config.model());
        this.cache = cache;
        this.metrics = metrics;
        this.aside = aside;
        this.index = new SemanticIndex(config.entries());
        metrics.semanticEntries(index::size);
    }

    /** What embeds. */
    ModelName model() {
        return model;
    }

    /** How long a request may wait. */
    Duration timeout() {
        return config.timeout();
    }

    CacheMetrics metrics() {
        return metrics;
    }

    /** Whether one more may be asked for. */
    boolean hasRoom() {
        return late.get() < MOST_LATE;
    }

    /** Nobody waits any longer for one that was asked for, or that one has ended. */
    void onLate(int change) {
        late.addAndGet(change);
    }

    /**
     * Looks for the answer to the most similar question.
     *
     * @param fit whether an answer may be served
     * @param then takes it, or null, on any thread
     */
    void find(
            String group,
            float[] vector,
            Question question,
            String ofModel,
            Predicate<CachedAnswer> fit,
            Consumer<@Nullable CachedAnswer> then) {
        try {
            aside.execute(() -> then.accept(found(group, vector, question, ofModel, fit)));
        } catch (RejectedExecutionException busy) {
            then.accept(null);
        }
    }

    private @Nullable CachedAnswer found(
            String group, float[] vector, Question question, String ofModel, Predicate<CachedAnswer> fit) {
        try {
            for (SemanticIndex.Near near : index.nearest(group, vector, config.threshold())) {
                CachedAnswer kept = kept(near.key(), question.form(), ofModel);
                if (kept == null) {
                    index.remove(near.key());
                } else if (fit.test(kept)) {
                    return kept.toSimilar(Math.min(1, near.similarity()));
                }
            }
        } catch (RuntimeException fault) {
            LOG.error("the semantic cache fails by a fault of ours", fault);
        }
        return null;
    }

    /** Not on an event loop: what has to be told in another form is waited for. */
    private @Nullable CachedAnswer kept(CacheKey key, Form form, String ofModel) {
        CachedAnswer kept = cache.inMemory(key, form, ofModel);
        return kept != null
                ? kept
                : cache.inAnotherForm(key, form, ofModel).toCompletableFuture().join();
    }

    /** Lets the answer to a question be found by similar ones, if it was kept. */
    void add(String group, float[] vector, Question question, String ofModel) {
        CacheKey key = question.key();
        if (cache.inMemory(key, question.form(), ofModel) == null) {
            return;
        }
        try {
            aside.execute(() -> {
                try {
                    index.add(group, vector, key);
                } catch (RuntimeException fault) {
                    LOG.error("the semantic cache fails by a fault of ours", fault);
                }
            });
        } catch (RejectedExecutionException busy) {
            LOG.debug("An answer is not found by similar questions: too much to do");
        }
    }

    void close() {
        index.close();
    }
}
