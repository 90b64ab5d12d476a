package io.drover.backend;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The backend with the fewest requests per weight; of several one that has the model in memory; of these the next in
 * turn, each as often as its weight says.
 *
 * <p>The slot is taken by a CAS from the count that was compared. Where that fails the count has changed, so the choice
 * is made again: otherwise all event loops would see the same idle backend and go there together. A failed CAS means
 * that another thread got on, so this is lock-free.
 */
final class LeastConnections implements Policy {
    /** One for all event loops: with one each they would all begin with the first. */
    private final AtomicLong turns = new AtomicLong();

    @Override
    public @Nullable Slot pick(Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos) {
        while (true) {
            Least least = least(among, wanted, onlyUp, nowNanos);
            if (least == null) {
                return null;
            }
            Slot slot = least.isAlone()
                    ? least.backend.tryAcquire(least.inFlight)
                    : takeTied(among, wanted, onlyUp, nowNanos, least);
            if (slot != null) {
                return slot;
            }
        }
    }

    private static @Nullable Least least(Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos) {
        Backend best = null;
        int bestInFlight = 0;
        long bestWeight = 0;
        boolean bestLoaded = false;
        long tiedWeight = 0;
        for (Backend backend : among) {
            if (!Policy.isCandidate(backend, wanted, onlyUp, nowNanos)) {
                continue;
            }
            int inFlight = backend.inFlight();
            long weight = backend.weight(nowNanos);
            int order = best == null ? -1 : Policy.compareLoad(inFlight, weight, bestInFlight, bestWeight);
            if (order > 0) {
                continue;
            }
            boolean loaded = wanted.isLoadedOn(backend);
            if (order == 0) {
                order = Boolean.compare(bestLoaded, loaded);
            }
            if (order < 0) {
                best = backend;
                bestInFlight = inFlight;
                bestWeight = weight;
                bestLoaded = loaded;
                tiedWeight = weight;
            } else if (order == 0) {
                tiedWeight += weight;
            }
        }
        return best == null ? null : new Least(best, bestInFlight, bestWeight, bestLoaded, tiedWeight);
    }

    /** Null if the tie is no longer what it was. */
    private @Nullable Slot takeTied(Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos, Least least) {
        // In steps of a whole weight: backends of full share take turns, others come in as often as their share says.
        long left = Math.floorMod(Condition.WHOLE * turns.getAndIncrement(), least.tiedWeight);
        for (Backend backend : among) {
            int inFlight = backend.inFlight();
            long weight = backend.weight(nowNanos);
            if (!Policy.isCandidate(backend, wanted, onlyUp, nowNanos)
                    || !least.isTiedWith(inFlight, weight)
                    || wanted.isLoadedOn(backend) != least.loaded) {
                continue;
            }
            if (left < weight) {
                return backend.tryAcquire(inFlight);
            }
            left -= weight;
        }
        return null;
    }

    /**
     * The least load that was found.
     *
     * @param backend the first that has it
     * @param weight its weight
     * @param loaded whether it has the model in memory
     * @param tiedWeight the weights of all that are no worse
     */
    private record Least(Backend backend, int inFlight, long weight, boolean loaded, long tiedWeight) {
        boolean isAlone() {
            return tiedWeight == weight;
        }

        boolean isTiedWith(int otherInFlight, long otherWeight) {
            return Policy.compareLoad(otherInFlight, otherWeight, inFlight, weight) == 0;
        }
    }
}
