package io.drover.backend;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One after the other, each as often as its weight says and spread as evenly as that allows: every candidate gains its
 * weight in credit, the richest is chosen and pays what all gained (the smooth weighted round-robin known from nginx).
 */
final class RoundRobin implements Policy {
    // By the backend's index. Under a lock held for one pass: each choice depends on the one before.
    private long[] credit = {};

    @Override
    public @Nullable Slot pick(Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos) {
        Backend best = choose(among, wanted, onlyUp, nowNanos);
        return best == null ? null : best.acquire();
    }

    private synchronized @Nullable Backend choose(Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos) {
        Backend best = null;
        long gained = 0;
        for (Backend backend : among) {
            if (!Policy.isCandidate(backend, wanted, onlyUp, nowNanos)) {
                continue;
            }
            int index = backend.index();
            if (index >= credit.length) {
                credit = Arrays.copyOf(credit, index + 1);
            }
            long weight = backend.weight(nowNanos);
            credit[index] += weight;
            gained += weight;
            if (best == null || credit[index] > credit[best.index()]) {
                best = backend;
            }
        }
        if (best != null) {
            credit[best.index()] -= gained;
        }
        return best;
    }
}
