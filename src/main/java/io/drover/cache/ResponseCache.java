package io.drover.cache;

import io.drover.config.CacheConfig;
import io.drover.config.ConfigException;
import io.lettuce.core.api.StatefulConnection;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers that are kept: in memory, and, where there is one, in a Redis that other replicas share.
 *
 * <p>Its methods may be called by any thread, and return at once. A Redis that is away, frozen or slow makes look-ups find
 * nothing there; how long a request waits for one is up to the caller.
 */
public final class ResponseCache implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ResponseCache.class);

    /** How often it is asked what others have purged, should the message be lost; and old answers leave memory. */
    private static final long TICK_MILLIS = 1_000;

    private static final long CLOSING_MILLIS = 500;

    /** Reading and writing so much takes half a millisecond. */
    private static final int QUICK_BYTES = 48 << 10;

    private static final CompletableFuture<@Nullable CachedAnswer> NONE = CompletableFuture.completedFuture(null);

    /**
     * What is to leave memory does so this much later, all at once: to wake a thread costs more than to look up, and one
     * large answer may take the place of thousands, which is not for an event loop.
     */
    private static final long UPKEEP_MILLIS = 10;

    private static final Form[] FORMS = Form.values();

    private final CacheConfig config;
    private final LongSupplier wallMillis;
    private final Freshness freshness;
    private final Generations generations = new Generations();
    private final ScheduledThreadPoolExecutor thread;
    private final MemoryTier memory;
    private final @Nullable Sharing sharing;

    /** All that needs Redis. */
    private record Sharing(
            RedisLink link,
            RedisLink.CheckListener listener,
            SharedGenerations generations,
            Breaker breaker,
            GuardedLink guarded,
            RedisTier tier,
            @Nullable Leases leases) {}

    // Written by the background's thread.
    private volatile @Nullable CompletableFuture<StatefulConnection<?, ?>> listening;

    private ResponseCache(
            CacheConfig config,
            @Nullable RedisLink redis,
            Seal seal,
            CacheObserver observer,
            LongSupplier wallMillis,
            ZoneId zone) {
        this.config = config;
        this.wallMillis = wallMillis;
        this.freshness = new Freshness(config.ttl(), config.serveStale(), zone);
        this.thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread made = new Thread(task, "drover-cache");
            made.setDaemon(true);
            return made;
        });
        this.memory = new MemoryTier(config.memory(), freshness, wallMillis, observer, this::soon);
        this.sharing = redis == null ? null : share(redis, seal, observer);
        thread.scheduleWithFixedDelay(this::tick, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * An empty cache.
     *
     * @param redis null: in memory only. Stays the caller's, to be closed after the cache
     * @throws ConfigException if {@code cache.encryption-key-file} cannot be used
     */
    public static ResponseCache open(CacheConfig config, @Nullable RedisLink redis, CacheObserver observer)
            throws ConfigException {
        return open(config, redis, observer, System::currentTimeMillis, ZoneId.systemDefault());
    }

    /** @param zone where days begin */
    static ResponseCache open(
            CacheConfig config, @Nullable RedisLink redis, CacheObserver observer, LongSupplier wallMillis, ZoneId zone)
            throws ConfigException {
        return new ResponseCache(config, redis, seal(config), observer, wallMillis, zone);
    }

    /** @throws ConfigException as {@link #open} does, without opening any */
    public static void check(CacheConfig config) throws ConfigException {
        if (config.enabled()) {
            seal(config);
        }
    }

    private static Seal seal(CacheConfig config) throws ConfigException {
        Path keyFile = config.encryptionKeyFile().orElse(null);
        return keyFile == null ? Seal.plain() : Seal.of(keyFile);
    }

    private Sharing share(RedisLink link, Seal seal, CacheObserver observer) {
        SharedGenerations shared =
                new SharedGenerations(generations, link, wallMillis, () -> behind(this::dropOutdated));
        Breaker breaker = new Breaker(config.lookupBudget(), observer::onBreakerOpen);
        GuardedLink guarded = new GuardedLink(link, breaker, shared::isSettled, observer);
        RedisTier tier = new RedisTier(guarded, seal, observer, this::behind, config.writing(), config.lookupBudget());
        Leases leases = config.lease().isZero()
                ? null
                : new Leases(guarded, new RedisScripts(link), this::behind, config.lease());
        RedisLink.CheckListener listener = (failed, nanos) -> {
            breaker.onCheck(failed, nanos);
            if (!failed && !shared.isSettled()) {
                behind(this::tick);
            }
        };
        link.addListener(listener);
        return new Sharing(link, listener, shared, breaker, guarded, tier, leases);
    }

    private void soon(Runnable upkeep) {
        try {
            thread.schedule(upkeep, UPKEEP_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            upkeep.run();
        }
    }

    private void behind(Runnable task) {
        try {
            thread.execute(task);
        } catch (RejectedExecutionException closed) {
            // Who waits for it is not left waiting.
            task.run();
        }
    }

    private void tick() {
        try {
            memory.tidy();
            if (sharing != null && sharing.link().isUp()) {
                listen(sharing.link(), sharing.generations());
                sharing.generations().settle();
            }
        } catch (RuntimeException fault) {
            LOG.error("the cache's upkeep has failed by a fault of ours", fault);
        }
    }

    private void listen(RedisLink link, SharedGenerations shared) {
        CompletableFuture<StatefulConnection<?, ?>> last = listening;
        if (last == null || last.isCompletedExceptionally()) {
            listening =
                    link.subscribe(SharedGenerations.CHANNEL, shared::settle).toCompletableFuture();
        }
    }

    /** What an answer to a request of now has to have in its {@link Origin} to be found. Costs next to nothing. */
    public long generation(CacheKey key, String model) {
        return generations.of(key, model);
    }

    /** As {@link #generation}, of all keys. */
    Generations.Counters generations() {
        return generations.now();
    }

    /**
     * Looks in memory: one look-up.
     *
     * @param model as {@link io.drover.ollama.ModelName#key} spells it
     * @return an answer that is at least {@link #isUsableStale}; null where it is not there in this form
     */
    public @Nullable CachedAnswer inMemory(CacheKey key, Form form, String model) {
        KeptAnswer kept = memory.find(key, form);
        return kept != null && isThere(kept, generation(key, model), wallMillis.getAsLong()) ? read(key, kept) : null;
    }

    /** Reads what nobody has asked for until now; one that must not be served leaves. */
    private @Nullable CachedAnswer read(CacheKey key, KeptAnswer kept) {
        CachedAnswer read = kept.read();
        if (read != kept) {
            memory.replace(key, kept, read);
        }
        return read;
    }

    /**
     * The answer that is there in another form, told in this one and kept in it too. A short one is told at once, others
     * beside whoever asks.
     *
     * @return never fails; null where there is none, or none that can be told so
     */
    public CompletionStage<@Nullable CachedAnswer> inAnotherForm(CacheKey key, Form form, String model) {
        long generation = generation(key, model);
        long now = wallMillis.getAsLong();
        KeptAnswer newest = null;
        for (Form other : FORMS) {
            KeptAnswer kept = other == form ? null : memory.find(key, other);
            if (kept != null && isThere(kept, generation, now) && isNewer(kept, newest)) {
                newest = kept;
            }
        }
        KeptAnswer kept = newest;
        if (kept == null) {
            return NONE;
        }
        return isQuick(kept)
                ? CompletableFuture.completedFuture(toldAndKept(key, form, kept))
                : CompletableFuture.supplyAsync(() -> toldAndKept(key, form, kept), this::behind);
    }

    /** Whether an event loop has the time to tell it in another form. */
    private static boolean isQuick(KeptAnswer answer) {
        return answer.weight() <= QUICK_BYTES;
    }

    private @Nullable CachedAnswer toldAndKept(CacheKey key, Form form, KeptAnswer kept) {
        CachedAnswer answer = read(key, kept);
        CachedAnswer told = answer == null ? null : answer.as(form);
        if (told != null && told != answer) {
            keep(key, told);
        }
        return told;
    }

    private boolean isThere(KeptAnswer answer, long generation, long now) {
        Origin origin = answer.origin();
        return origin.generation() == generation && freshness.isUsable(origin.atMillis(), now);
    }

    private static boolean isNewer(KeptAnswer one, @Nullable KeptAnswer other) {
        return other == null || one.origin().atMillis() > other.origin().atMillis();
    }

    /**
     * Looks in Redis; what is found is kept in memory too.
     *
     * @return never fails: null for whatever is no answer, at once where Redis is not asked. May complete on a thread of
     *     Redis', which must not be held up, and as late as after a second
     */
    public CompletionStage<@Nullable CachedAnswer> inRedis(CacheKey key, Form form, String model) {
        if (sharing == null || !sharing.guarded().isOpen()) {
            return CompletableFuture.completedFuture(null);
        }
        long generation = generation(key, model);
        return sharing.tier().find(key, generation).thenCompose(found -> {
            if (found == null || found.form() == form || isQuick(found)) {
                return CompletableFuture.completedFuture(found == null ? null : taken(key, form, generation, found));
            }
            return CompletableFuture.supplyAsync(() -> taken(key, form, generation, found), this::behind);
        });
    }

    /**
     * Looks in Redis for many whole answers, with few commands: one for each would take longer than anybody waits.
     *
     * @return never fails; what is found is in memory when it completes
     */
    CompletionStage<Void> inRedis(List<CacheKey> keys, String model) {
        List<CompletableFuture<Void>> asked = new ArrayList<>();
        if (sharing != null && sharing.guarded().isOpen()) {
            for (int from = 0; from < keys.size(); from += RedisTier.MOST_AT_ONCE) {
                List<CacheKey> some = keys.subList(from, Math.min(keys.size(), from + RedisTier.MOST_AT_ONCE));
                asked.add(sharing.tier()
                        .find(some, key -> generation(key, model), this::keep)
                        .toCompletableFuture());
            }
        }
        return CompletableFuture.allOf(asked.toArray(CompletableFuture<?>[]::new));
    }

    private @Nullable CachedAnswer taken(CacheKey key, Form form, long generation, CachedAnswer found) {
        if (!isThere(found, generation, wallMillis.getAsLong())) {
            return null;
        }
        keep(key, found);
        return toldAndKept(key, form, found);
    }

    /** Unless a newer one has come meanwhile. */
    private void keep(CacheKey key, CachedAnswer answer) {
        KeptAnswer kept = memory.find(key, answer.form());
        if (kept == null || kept.origin().generation() != answer.origin().generation() || isNewer(answer, kept)) {
            memory.put(key, answer);
        }
    }

    /** Whether it may be served as if it were new. */
    public boolean isFresh(CachedAnswer answer, long wallMillis) {
        return freshness.isFresh(answer.origin().atMillis(), wallMillis);
    }

    /** Whether it may be served where no backend can answer. */
    public boolean isUsableStale(CachedAnswer answer, long wallMillis) {
        return freshness.isUsable(answer.origin().atMillis(), wallMillis);
    }

    /**
     * The time that an answer of now has in its {@link Origin}. Behind midnight that is when it was asked for: its prompt
     * may tell yesterday's date.
     */
    public long answeredAt(long askedMillis) {
        long now = wallMillis.getAsLong();
        return freshness.isSameDay(askedMillis, now) ? now : askedMillis;
    }

    /**
     * Keeps an answer: in memory at once, in Redis soon. One that is too large, or was purged since its request was looked
     * up, is let go.
     */
    public void store(CacheKey key, KeptAnswer answer) {
        Origin origin = answer.origin();
        long left = freshness.leftMillis(origin.atMillis(), wallMillis.getAsLong());
        if (answer.weight() > config.maxEntry()
                || left <= 0
                || origin.generation() != generation(key, origin.model())) {
            return;
        }
        memory.put(key, answer);
        if (sharing != null) {
            sharing.tier().put(key, answer, () -> read(key, answer), left);
        }
    }

    /**
     * Asks to be the one that computes. Who finds that another is looks again with {@link #inRedis}, in steps of his own,
     * and asks here again, since the other may give up.
     *
     * @return never fails. Taken at once where there is nobody to agree with. Who no longer wants it when it comes
     *     releases it
     */
    public CompletionStage<Lease> lease(CacheKey key) {
        return sharing == null || sharing.leases() == null
                ? CompletableFuture.completedFuture(Lease.alone())
                : sharing.leases().take(key);
    }

    /** What is kept, and what is being computed, is found no more. */
    public CompletionStage<Purged> purgeAll() {
        return purge(Generations.ALL);
    }

    /** @param model as {@link io.drover.ollama.ModelName#key} spells it */
    public CompletionStage<Purged> purgeModel(String model) {
        return purge(Generations.ofModel(model));
    }

    public CompletionStage<Purged> purge(CacheKey key) {
        return purge(Generations.ofKey(key));
    }

    /** Never fails. Here it is so when this returns. */
    private CompletionStage<Purged> purge(String field) {
        generations.raise(field, wallMillis.getAsLong());
        CompletableFuture<Long> left = CompletableFuture.supplyAsync(this::dropOutdated, this::behind);
        CompletionStage<Boolean> told = sharing == null
                ? CompletableFuture.completedFuture(false)
                : sharing.generations().settle();
        return left.thenCombine(told, Purged::new);
    }

    private long dropOutdated() {
        return memory.keepOnly((key, answer) -> {
            Origin origin = answer.origin();
            return origin.generation() == generations.of(key, origin.model());
        });
    }

    /** Bytes that the tier in memory takes. Not for event loops. */
    public long bytes() {
        return memory.bytes();
    }

    /** Answers in memory, about. */
    public long answers() {
        return memory.size();
    }

    /** Bytes of answers on their way to Redis. */
    public long writing() {
        return sharing == null ? 0 : sharing.tier().writing();
    }

    /** Whether Redis is kept from being asked because it was slow; false where there is none. */
    public boolean isBreakerOpen() {
        return sharing != null && sharing.breaker().state() == Breaker.State.OPEN;
    }

    /** Whether Redis is in use: there, quick, and known not to hold anything that was purged. */
    public boolean isShared() {
        return sharing != null && sharing.guarded().isOpen();
    }

    /** Lets go of everything, once Redis was told what waits to be told: half a second at most. */
    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(CLOSING_MILLIS, TimeUnit.MILLISECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            thread.shutdownNow();
        }
        if (sharing != null) {
            sharing.link().removeListener(sharing.listener());
            CompletableFuture<StatefulConnection<?, ?>> last = listening;
            if (last != null) {
                last.thenAccept(StatefulConnection::closeAsync);
            }
        }
    }
}
