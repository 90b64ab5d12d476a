package io.drover.backend;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Draws two backends, each as likely as its weight says, and takes the one with fewer requests per weight; of equals
 * one that has the model in memory. Where several Drovers share a herd and none sees the others' requests, this keeps
 * them from all choosing the same backend.
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
    public @Nullable Slot pick(Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos) {
        Backend first = draw(among, wanted, onlyUp, nowNanos, null);
        if (first == null) {
            return null;
        }
        Backend second = draw(among, wanted, onlyUp, nowNanos, first);
        return second != null && isBetter(second, first, wanted, nowNanos) ? second.acquire() : first.acquire();
    }

    private static boolean isBetter(Backend one, Backend other, Wanted wanted, long nowNanos) {
        int order = Policy.compareLoad(one.inFlight(), one.weight(nowNanos), other.inFlight(), other.weight(nowNanos));
        return order < 0 || (order == 0 && wanted.isLoadedOn(one) && !wanted.isLoadedOn(other));
    }

    /** In one pass, so that a backend whose state changes meanwhile cannot lead past the end. */
    private @Nullable Backend draw(
            Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos, @Nullable Backend except) {
        Backend drawn = null;
        long weights = 0;
        for (Backend backend : among) {
            if (backend == except || !Policy.isCandidate(backend, wanted, onlyUp, nowNanos)) {
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
