package io.drover.backend;

import org.jspecify.annotations.Nullable;

/**
 * What probes and requests said of a backend, at one moment: replaced as a whole, so that the selection reads all of it
 * at once and without a lock.
 *
 * @param probed UNKNOWN, UP or DOWN
 * @param probeReason why it is DOWN; empty while it is not
 * @param ejected whether requests had it ejected and no success has come since
 * @param ejectedUntilNanos when an ejection has done its time, on the clock of {@link System#nanoTime}
 * @param ejectReason why; empty while not ejected
 */
record Condition(BackendState probed, String probeReason, boolean ejected, long ejectedUntilNanos, String ejectReason) {
    static final Condition UNKNOWN = new Condition(BackendState.UNKNOWN, "", false, 0, "");
    static final Condition UP = new Condition(BackendState.UP, "", false, 0, "");

    Condition down(String reason) {
        return new Condition(BackendState.DOWN, reason, ejected, ejectedUntilNanos, ejectReason);
    }

    Condition ejected(long untilNanos, String reason) {
        return new Condition(probed, probeReason, true, untilNanos, reason);
    }

    Condition notEjected() {
        return new Condition(probed, probeReason, false, 0, "");
    }

    boolean isEjected(long nowNanos) {
        // By the difference: nanoTime may be negative and may wrap.
        return ejected && ejectedUntilNanos - nowNanos > 0;
    }

    boolean isUp(long nowNanos) {
        return probed != BackendState.DOWN && !isEjected(nowNanos);
    }

    BackendState state(long nowNanos) {
        return isUp(nowNanos) || probed == BackendState.DOWN ? probed : BackendState.EJECTED;
    }

    /** As {@link #state}, but an ejection whose time has passed still counts: nothing has confirmed its end. */
    BackendState lastTold() {
        return ejected && probed != BackendState.DOWN ? BackendState.EJECTED : probed;
    }

    @Nullable
    String downReason(long nowNanos) {
        return switch (state(nowNanos)) {
            case DOWN -> probeReason;
            case EJECTED -> ejectReason;
            case UP, UNKNOWN -> null;
        };
    }
}
