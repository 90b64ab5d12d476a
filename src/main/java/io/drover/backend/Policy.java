package io.drover.backend;

import org.jspecify.annotations.Nullable;

/** The choice among backends of one tier. Any thread. */
interface Policy {
    /**
     * Takes a slot on the best candidate.
     *
     * @param onlyUp whether a backend must be in rotation to be a candidate
     * @return null if there is no candidate
     */
    @Nullable
    Slot pick(Backend[] among, Wanted wanted, boolean onlyUp, long nowNanos);

    static boolean isCandidate(Backend backend, Wanted wanted, boolean onlyUp, long nowNanos) {
        return (onlyUp ? backend.isUp(nowNanos) : !backend.isDraining()) && wanted.mayGoTo(backend);
    }

    /** Compares requests per weight without dividing: a long holds the product of an int and a weight's thousandths. */
    static int compareLoad(int inFlight, long weight, int otherInFlight, long otherWeight) {
        return Long.compare(inFlight * otherWeight, otherInFlight * weight);
    }
}
