package io.drover.health;

import java.util.List;

/** Hears what discovery finds. Called on the event loop of the {@link Discovery}, one call at a time; must not block. */
public interface DiscoveryListener {
    /**
     * The backends are now these, all of them; told when that differs from what was told before.
     *
     * @param all never empty, in an order that depends on nothing but the set
     */
    void onFound(List<Found> all);

    /**
     * Look-ups have begun to fail, in whole or in part. What could not be looked up stays as it was told before; other
     * failures until {@link #onRecovered} are not told.
     *
     * @param reason in a few words
     */
    void onFailed(String reason);

    /** The first look-up since {@link #onFailed} in which nothing failed. Whether it found a change is told after this. */
    void onRecovered();
}
