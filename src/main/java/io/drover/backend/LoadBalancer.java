package io.drover.backend;

import io.drover.config.DroverConfig;
import org.jspecify.annotations.Nullable;

/** Chooses the backend of a request. Any thread. */
public interface LoadBalancer {
    /**
     * Takes a slot on the best backend that comes into question: a primary that is up; else a backup that is up; else
     * one that is not, primaries first, since a backend that only seems to be down is better than a sure failure.
     *
     * @param wanted left as it is; the caller adds to its {@link Wanted#tried} what it then tries
     * @return to be released by the caller; null if no backend comes into question
     */
    @Nullable
    Slot select(Cluster cluster, Wanted wanted, long nowNanos);

    /** A balancer of its own state, to be shared by all event loops. */
    static LoadBalancer of(DroverConfig.Balance balance) {
        return new Tiers(
                switch (balance) {
                    case LEAST_CONNECTIONS -> new LeastConnections();
                    case ROUND_ROBIN -> new RoundRobin();
                    case RANDOM_TWO -> RandomTwo.create();
                });
    }
}
