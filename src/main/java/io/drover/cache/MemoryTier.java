package io.drover.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import io.drover.cache.CacheObserver.Eviction;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.function.BiPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers inside the process, as many as the bytes that they may take allow. Any thread; a look-up takes no lock. What is
 * looked up seldom leaves first.
 */
final class MemoryTier {
    /**
     * Bytes of an answer's objects and key and of the tables that it stands in, on a 64-bit JVM with compressed references:
     * 290 as measured, and room for names of its own.
     */
    static final int OVERHEAD = 400;

    private final Cache<Place, KeptAnswer> answers;
    private final CacheObserver observer;

    private record Place(CacheKey key, Form form) {}

    /**
     * @param most bytes
     * @param upkeep where what is too much leaves, sooner or later
     */
    MemoryTier(long most, Freshness freshness, LongSupplier wallMillis, CacheObserver observer, Executor upkeep) {
        this.observer = observer;
        this.answers = Caffeine.newBuilder()
                .maximumWeight(most)
                .weigher(MemoryTier::weight)
                // Counted from when it came here, which for one out of Redis is later than when it was made: then who
                // looks it up sees that it is too old.
                .expireAfterWrite(freshness.kept())
                .ticker(() -> wallMillis.getAsLong() * 1_000_000)
                .executor(upkeep)
                .evictionListener(this::onEvicted)
                .build();
    }

    private static int weight(Place place, KeptAnswer answer) {
        return (int) Math.min(Integer.MAX_VALUE, (long) answer.weight() + OVERHEAD);
    }

    private void onEvicted(@Nullable Place place, @Nullable KeptAnswer answer, RemovalCause cause) {
        if (place != null && answer != null) {
            observer.onEvicted(cause == RemovalCause.SIZE ? Eviction.SIZE : Eviction.AGE, weight(place, answer));
        }
    }

    @Nullable
    KeptAnswer find(CacheKey key, Form form) {
        return answers.getIfPresent(new Place(key, form));
    }

    void put(CacheKey key, KeptAnswer answer) {
        answers.put(new Place(key, answer.form()), answer);
    }

    /**
     * Puts one in the place of another, if that is still there.
     *
     * @param next null: nothing takes its place
     */
    void replace(CacheKey key, KeptAnswer last, @Nullable KeptAnswer next) {
        Place place = new Place(key, last.form());
        if (next == null) {
            answers.asMap().remove(place, last);
        } else {
            answers.asMap().replace(place, last, next);
        }
    }

    /** Lets go of the others; takes as long as it takes. @return how many those were */
    long keepOnly(BiPredicate<CacheKey, KeptAnswer> good) {
        long gone = 0;
        for (var entry : answers.asMap().entrySet()) {
            Place place = entry.getKey();
            KeptAnswer answer = entry.getValue();
            if (!good.test(place.key(), answer) && answers.asMap().remove(place, answer)) {
                observer.onEvicted(Eviction.PURGE, weight(place, answer));
                gone++;
            }
        }
        return gone;
    }

    /** What has fallen due leaves. */
    void tidy() {
        answers.cleanUp();
    }

    /** Bytes that are taken. Takes a lock: not for event loops. */
    long bytes() {
        return answers.policy()
                .eviction()
                .map(bound -> bound.weightedSize())
                .orElse(OptionalLong.empty())
                .orElse(0);
    }

    /** Answers kept, about. */
    long size() {
        return answers.estimatedSize();
    }
}
