package io.drover.cache;

import java.util.HashMap;
import java.util.Map;

/**
 * What has been purged: a counter for everything, and one for each model and each key that was purged since. An answer's
 * generation is the largest of its three; a purge raises one of them above all others, and so makes every answer that it
 * means invisible, wherever that is kept.
 *
 * <p>Replicas that have different counters take the larger of each, in any order and as often as they like. Two that purge
 * while they cannot hear each other may raise to the same number: so what was raised here stays noted until Redis, which
 * all have in common, has raised it once more, above all that it knows.
 *
 * <p>Any thread. Counters are held as an immutable map: where nothing is purged a look-up costs one volatile read.
 */
final class Generations {
    /** Counters kept, here and in Redis. */
    static final int MOST = 1_000;

    static final String ALL = "*";
    private static final String MODEL = "model:";
    private static final String KEY = "key:";

    private volatile Counters counters = new Counters(0, Map.of());

    /** What was raised here, and to what, that Redis does not know of. Written under the lock, read without. */
    private volatile Map<String, Long> untold = Map.of();

    /**
     * @param all of everything
     * @param others those larger than that; the rest say nothing
     */
    record Counters(long all, Map<String, Long> others) {
        long largest() {
            return others.values().stream().mapToLong(Long::longValue).reduce(all, Math::max);
        }

        long of(CacheKey key, String model) {
            return others.isEmpty() ? all : Math.max(of(ofModel(model)), of(ofKey(key)));
        }

        private long of(String field) {
            return Math.max(all, others.getOrDefault(field, 0L));
        }
    }

    static String ofModel(String model) {
        return MODEL + model;
    }

    static String ofKey(CacheKey key) {
        return KEY + key;
    }

    long of(CacheKey key, String model) {
        return counters.of(key, model);
    }

    /** As they are now. */
    Counters now() {
        return counters;
    }

    /**
     * Purges.
     *
     * @param nowMillis of the wall clock. Counters are never smaller, so that even one who lost them all goes on above
     *     what they were
     */
    synchronized void raise(String field, long nowMillis) {
        long next = Math.max(nowMillis, counters.largest() + 1);
        merge(Map.of(field, next));
        Map<String, Long> more = new HashMap<>(untold);
        more.put(field, next);
        untold = more.size() < MOST ? Map.copyOf(more) : Map.of(ALL, next);
        if (more.size() >= MOST) {
            merge(untold);
        }
    }

    /** Takes what is larger. @return whether anything is */
    synchronized boolean merge(Map<String, Long> heard) {
        Counters before = counters;
        long all = Math.max(before.all(), heard.getOrDefault(ALL, 0L));
        Map<String, Long> others = new HashMap<>(before.others());
        heard.forEach((field, value) -> {
            if (!field.equals(ALL)) {
                others.merge(field, value, Math::max);
            }
        });
        others.values().removeIf(value -> value <= all);
        Counters merged = new Counters(all, Map.copyOf(others));
        if (others.size() >= MOST) {
            // No generation that there has been is larger than the largest counter: all of them are gone. That purges
            // more than was asked for, and never less.
            merged = new Counters(merged.largest() + 1, Map.of());
        }
        counters = merged;
        return !merged.equals(before);
    }

    Map<String, Long> all() {
        Counters now = counters;
        Map<String, Long> all = new HashMap<>(now.others());
        all.put(ALL, now.all());
        return all;
    }

    /** Whether somebody with these counters would learn nothing from ours. */
    boolean areKnownTo(Map<String, Long> others) {
        long all = others.getOrDefault(ALL, 0L);
        return all().entrySet().stream()
                .allMatch(own -> own.getValue() <= Math.max(all, others.getOrDefault(own.getKey(), 0L)));
    }

    Map<String, Long> untold() {
        return untold;
    }

    /** Redis has these now, as {@link #untold} told them. What was raised again since is still to be told. */
    synchronized void onTold(Map<String, Long> told) {
        Map<String, Long> left = new HashMap<>(untold);
        told.forEach(left::remove);
        untold = Map.copyOf(left);
    }
}
