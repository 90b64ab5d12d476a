package io.drover.backend;

import org.jspecify.annotations.Nullable;

/** Asks a policy tier by tier. */
final class Tiers implements LoadBalancer {
    private final Policy policy;

    Tiers(Policy policy) {
        this.policy = policy;
    }

    @Override
    public @Nullable Slot select(Cluster cluster, Wanted wanted, long nowNanos) {
        Slot slot = policy.pick(cluster.primaries(), wanted, true, nowNanos);
        if (slot == null) {
            slot = policy.pick(cluster.backups(), wanted, true, nowNanos);
        }
        // None that is up is left, so whatever is found from here on is down.
        if (slot == null) {
            slot = policy.pick(cluster.primaries(), wanted, false, nowNanos);
        }
        if (slot == null) {
            slot = policy.pick(cluster.backups(), wanted, false, nowNanos);
        }
        return slot;
    }
}
