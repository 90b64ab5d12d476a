package io.drover.proxy;

import io.drover.admission.BodyEdit;
import io.drover.cache.CacheKey;
import io.drover.cache.CachedAnswer;
import io.drover.cache.EmbedLookup;
import io.drover.cache.EmbedPlan;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The inputs of one request for embeddings: has each looked up, and only the rest asked of a backend. Belongs to one
 * exchange, used on its event loop; what takes longer happens beside it.
 */
final class EmbedInputs {
    /** So many are looked up, and so many bytes of vectors put together, on the event loop: some 100 microseconds. */
    private static final int FEW = 8;

    private static final int SMALL_ANSWER = 64 * 1024;

    private final Worker worker;
    private final Caching caching;
    private final EmbedLookup lookup;
    private final RetainedBody body;
    private boolean partial;
    private boolean decided;

    EmbedInputs(Worker worker, Caching caching, EmbedLookup lookup, RetainedBody body) {
        this.worker = worker;
        this.caching = caching;
        this.lookup = lookup;
        this.body = body;
    }

    /**
     * Looks for all of them, in Redis no longer than {@code cache.lookup-budget}.
     *
     * @param then follows on the event loop, once, possibly before this returns
     */
    void find(Runnable then) {
        aside(lookup.size() <= FEW, lookup::inMemory, () -> {
            if (lookup.isAllFound() || !isKeptEach() || !caching.cache().isShared()) {
                then.run();
            } else {
                askRedis(then);
            }
        });
    }

    private void askRedis(Runnable then) {
        CompletableFuture<?>[] asked = {CompletableFuture.completedFuture(null)};
        aside(
                lookup.size() <= FEW,
                () -> asked[0] = lookup.inRedis().toCompletableFuture(),
                () -> awaitRedis(asked[0], then));
    }

    private void awaitRedis(CompletableFuture<?> asked, Runnable then) {
        Runnable once = () -> {
            if (!decided) {
                decided = true;
                aside(lookup.size() <= FEW, lookup::inMemory, then);
            }
        };
        if (asked.isDone()) {
            once.run();
            return;
        }
        long budget = caching.config().lookupBudget().toNanos();
        ScheduledFuture<?> timer =
                worker.loop().schedule(() -> worker.loop().execute(once), budget, TimeUnit.NANOSECONDS);
        asked.thenRun(() -> worker.loop().execute(() -> {
            timer.cancel(false);
            once.run();
        }));
    }

    /**
     * Whether what a backend says to them is kept one by one. OpenAI's form needs the number of tokens, of which a backend
     * tells the sum only: an answer to several of them is kept as a whole.
     */
    boolean isKeptEach() {
        return lookup.isCountOptional() || lookup.size() == 1;
    }

    /** Whether all of the answer was kept. */
    boolean isComplete() {
        return lookup.plan().isComplete();
    }

    /**
     * Puts the answer together.
     *
     * @param told what a backend said to the rest; null where it was not asked
     * @param then gets it on the event loop, possibly before this returns; null: it cannot be
     */
    void join(byte @Nullable [] told, long generation, Consumer<@Nullable CachedAnswer> then) {
        CachedAnswer[] joined = new CachedAnswer[1];
        long size = lookup.expectedBytes(lookup.size()) + (told == null ? 0 : told.length);
        long most = caching.config().maxEntry();
        aside(
                lookup.size() <= FEW && size <= SMALL_ANSWER,
                () -> joined[0] = lookup.joined(told, most, generation, System.currentTimeMillis()),
                () -> then.accept(joined[0]));
    }

    /** Has a backend asked for what was not kept only, if that is less, and its answer and all of it fit in memory. */
    void askForRest() {
        EmbedPlan plan = lookup.plan();
        long most = caching.config().maxEntry();
        boolean fits = lookup.expectedBytes(plan.asked()) <= most / 2 && lookup.expectedBytes(lookup.size()) <= most;
        partial = fits
                && !plan.isWhole()
                && !plan.isComplete()
                && body.replace(new BodyEdit(lookup.from(), lookup.to(), plan.input()));
        if (!partial) {
            lookup.forget();
        }
    }

    /** Whether the answer that comes is one to a part of the request. */
    boolean isPartial() {
        return partial;
    }

    /** From now on a backend is asked for all of it. */
    void askForAll() {
        partial = false;
        lookup.forget();
        body.restore();
    }

    /** Keeps what a backend said, to all of it or to the rest. On any thread. */
    void store(byte[] told, long atMillis) {
        lookup.store(told, partial, atMillis);
    }

    /** As {@link EmbedLookup#onlyKey}. */
    @Nullable
    CacheKey onlyKey() {
        return lookup.onlyKey();
    }

    /** @param quick whether it is done at once; with too much else to do, it is too: late is better than wrong */
    private void aside(boolean quick, Runnable task, Runnable then) {
        if (quick || !caching.aside(worker, task, then)) {
            task.run();
            then.run();
        }
    }
}
