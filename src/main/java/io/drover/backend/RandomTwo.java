package io.drover.backend;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Draws two backends, each as likely as its weight says, and takes the one with fewer requests per weight. Where several
 * Drovers share a herd and none sees the others' requests, this keeps them from all choosing the same backend.
 */
final class RandomTwo implements Policy {
    private final LongUnaryOperator random;

    /** @param random gives a number from 0 up to, not including, its argument; called from any thread */
    RandomTwo(LongUnaryOperator random) {
        this.random = random;
    }

    static RandomTwo create() {
        return new RandomTwo(bound -> ThreadLocalRandom.current().nextLong(bound));
    }

    @Override
    public @Nullable Slot pick(Backend[] among, Tried tried, boolean onlyUp, long nowNanos) {
        Backend first = draw(among, tried, onlyUp, nowNanos, null);
        if (first == null) {
            return null;
        }
        Backend second = draw(among, tried, onlyUp, nowNanos, first);
        if (second != null
                && Policy.compareLoad(
                                second.inFlight(), second.weight(nowNanos), first.inFlight(), first.weight(nowNanos))
                        < 0) {
            return second.acquire();
        }
        return first.acquire();
    }

    /** In one pass, so that a backend whose state changes meanwhile cannot lead past the end. */
    private @Nullable Backend draw(
            Backend[] among, Tried tried, boolean onlyUp, long nowNanos, @Nullable Backend except) {
        Backend drawn = null;
        long weights = 0;
        for (Backend backend : among) {
            if (backend == except || !Policy.isCandidate(backend, tried, onlyUp, nowNanos)) {
                continue;
            }
            long weight = backend.weight(nowNanos);
            weights += weight;
            if (drawn == null || random.applyAsLong(weights) < weight) {
                drawn = backend;
            }
        }
        return drawn;
    }
}
