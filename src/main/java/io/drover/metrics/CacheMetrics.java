package io.drover.metrics;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * The metrics of the response cache, reached by {@link Metrics#cache}. Counting is for any thread, never blocks and looks no
 * labels up; what the cache holds is asked for when somebody scrapes.
 */
public final class CacheMetrics {
    private static final double NANOS_PER_SECOND = 1e9;

    /** Far above the fixed words there are; only a mistake can reach it. */
    private static final int MOST_WORDS = 30;

    private static final double[] LOOKUP_SECONDS = {
        0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1
    };

    private final CollectorRegistry registry;
    private final Counter hits;
    private final Counter misses;
    private final Counter.Child memoryHits;
    private final Counter.Child redisHits;
    private final Counter.Child semanticHits;
    private final HeldCounter bypasses;
    private final Counter coalesced;
    private final Counter stale;
    private final HeldCounter evictions;
    private final Counter evictedBytes;
    private final Counter writesDropped;
    private final Histogram redisSeconds;
    private final Counter redisFailures;
    private final Counter embeddingFailures;
    private final HeldCounter purges;
    private final Map<String, LongSupplier> bytes = new ConcurrentHashMap<>();

    CacheMetrics(CollectorRegistry registry) {
        this.registry = registry;
        hits = counter("llm_cache_hits_total", "Requests answered with a kept answer.");
        misses = counter("llm_cache_misses_total", "Requests whose answer was looked up and not there.");
        Counter byTier = counter("drover_cache_hits_total", "Kept answers, by where they were.", "tier");
        memoryHits = byTier.labels("memory");
        redisHits = byTier.labels("redis");
        semanticHits = byTier.labels("semantic");
        bypasses = held("drover_cache_bypass_total", "Requests that were not looked up.", "reason");
        coalesced = counter("drover_cache_coalesced_total", "Requests answered by another's running answer.");
        stale = counter("drover_cache_stale_total", "Expired answers that stood in because no backend could answer.");
        evictions = held("drover_cache_evictions_total", "Answers that left the process's memory.", "cause");
        evictedBytes = counter("drover_cache_evicted_bytes_total", "Bytes of answers that left the process's memory.");
        writesDropped = counter("drover_cache_writes_dropped_total", "Answers that did not go to Redis.");
        redisSeconds = Histogram.build("drover_cache_redis_seconds", "Look-ups in Redis, from question to answer.")
                .buckets(LOOKUP_SECONDS)
                .withoutExemplars()
                .register(registry);
        redisFailures = counter(
                "drover_cache_redis_failures_total",
                "Look-ups in Redis that failed, came too late or found no answer of ours.");
        embeddingFailures = counter(
                "drover_cache_embedding_failures_total",
                "Prompts that were not compared: their embedding failed or came too late.");
        purges = held("drover_cache_purges_total", "Purges.", "scope");
        new PulledGauge(
                        "drover_cache_bytes",
                        "Bytes of answers.",
                        List.of("tier"),
                        family -> bytes.forEach(
                                (tier, held) -> family.addMetric(List.of(tier), (double) held.getAsLong())))
                .register(registry);
    }

    /** Counts a request that was answered from the process's memory. */
    public void onMemoryHit() {
        hits.inc();
        memoryHits.inc();
    }

    /** Counts a request that was answered from Redis. */
    public void onRedisHit() {
        hits.inc();
        redisHits.inc();
    }

    /** Counts a request that was answered with the answer to a similar one. */
    public void onSemanticHit() {
        hits.inc();
        semanticHits.inc();
    }

    /** Counts a request that has no embedding to be compared by: it failed, or came too late. */
    public void onEmbeddingFailure() {
        embeddingFailures.inc();
    }

    /** Shows how many prompts can be found by similar ones; once, as {@link #entries}. */
    public void semanticEntries(IntSupplier count) {
        gauge("drover_cache_semantic_entries", "Prompts that can be found by similar ones.", count::getAsInt);
    }

    /** Counts a request that was looked up, and that a backend has to answer. */
    public void onMiss() {
        misses.inc();
    }

    /** Counts a request that was not looked up. {@code reason}: a few fixed words. */
    public void onBypass(String reason) {
        bypasses.inc(reason);
    }

    /** Counts a request that is answered by another's running answer. */
    public void onCoalesced() {
        coalesced.inc();
    }

    /** Counts a request that was answered with an expired answer. */
    public void onStale() {
        stale.inc();
    }

    /** Counts an answer that left the process's memory, with its bytes. {@code cause}: a few fixed words. */
    public void onEviction(String cause, long weight) {
        evictions.inc(cause);
        evictedBytes.inc((double) weight);
    }

    /** Counts an answer that did not go to Redis: too many were on their way, or it failed. */
    public void onWriteDropped() {
        writesDropped.inc();
    }

    /** Counts a look-up in Redis that was answered, whether something was there or not, after so many nanoseconds. */
    public void onRedisLookup(long nanos) {
        redisSeconds.observe(nanos / NANOS_PER_SECOND);
    }

    /** Counts a look-up in Redis that failed, was not answered within the budget, or found what cannot be read. */
    public void onRedisFailure() {
        redisFailures.inc();
    }

    /** Counts a purge. {@code scope}: {@code all}, {@code model} or {@code key}. */
    public void onPurge(String scope) {
        purges.inc(scope);
    }

    /** Shows the bytes that answers in the process's memory take. */
    public void memoryBytes(LongSupplier held) {
        bytes.put("memory", held);
    }

    /** Shows the bytes of answers that are being recorded. */
    public void recordingBytes(LongSupplier held) {
        bytes.put("recording", held);
    }

    /**
     * Shows how many answers are in the process's memory.
     *
     * @throws IllegalArgumentException if it is shown already
     */
    public void entries(LongSupplier count) {
        gauge("drover_cache_entries", "Answers in the process's memory.", count::getAsLong);
    }

    /** Shows how many requests follow another's answer now; once, as {@link #entries}. */
    public void followers(IntSupplier count) {
        gauge("drover_cache_followers", "Requests that follow another's answer now.", count::getAsInt);
    }

    /** Shows whether Redis is left alone because it failed; to be called once, and only where one is configured. */
    public void breakerOpen(BooleanSupplier open) {
        gauge(
                "drover_cache_breaker_open",
                "1 while Redis is not asked because it failed or was slow.",
                () -> open.getAsBoolean() ? 1 : 0);
    }

    private void gauge(String name, String help, DoubleSupplier value) {
        new PulledGauge(name, help, List.of(), family -> family.addMetric(List.of(), value.getAsDouble()))
                .register(registry);
    }

    private HeldCounter held(String name, String help, String label) {
        return new HeldCounter(counter(name, help, label), MOST_WORDS);
    }

    private Counter counter(String name, String help, String... labels) {
        return Counter.build(name, help).labelNames(labels).withoutExemplars().register(registry);
    }
}
