package io.drover.backend;

import org.jspecify.annotations.Nullable;

/**
 * What probes, requests and operators said of a backend, at one moment: replaced as a whole, so that the selection reads
 * all of it at once and without a lock. Times are those of {@link System#nanoTime}.
 *
 * @param probed UNKNOWN, UP, SUSPECT or DOWN
 * @param probeReason why it is SUSPECT or DOWN; empty while it is not
 * @param ejection what requests had it ejected for, until a success confirms its end; null if nothing did
 * @param returned whether it has been away, so that {@code backNanos} tells when it came back
 * @param backNanos since when it has been back
 * @param draining whether somebody wants it out of rotation
 */
record Condition(
        BackendState probed,
        String probeReason,
        @Nullable Ejection ejection,
        boolean returned,
        long backNanos,
        boolean draining) {
    /** Parts of a whole share. */
    static final int WHOLE = 1000;

    /** What one that has just come back gets at once: with less, nobody would ever find out. */
    private static final int LEAST = WHOLE / 10;

    static final Condition UNKNOWN = new Condition(BackendState.UNKNOWN, "", null, false, 0, false);

    /**
     * @param untilNanos when it has done its time
     * @param connecting whether it could not be connected to
     */
    record Ejection(long untilNanos, String reason, boolean connecting) {
        boolean lasts(long nowNanos) {
            // By the difference: nanoTime may be negative and may wrap.
            return untilNanos - nowNanos > 0;
        }
    }

    /** Nobody probes it any more. */
    Condition unprobed() {
        return new Condition(BackendState.UNKNOWN, "", ejection, returned, backNanos, draining);
    }

    /** Probes say that it answers, and that is all there is to say. */
    Condition answering() {
        return new Condition(BackendState.UP, "", ejection, returned, backNanos, draining);
    }

    Condition suspect(String reason) {
        return new Condition(BackendState.SUSPECT, reason, ejection, returned, backNanos, draining);
    }

    Condition down(String reason) {
        return new Condition(BackendState.DOWN, reason, ejection, returned, backNanos, draining);
    }

    Condition ejected(Ejection next) {
        return new Condition(probed, probeReason, next, returned, backNanos, draining);
    }

    /** It takes traffic again, little at first. */
    Condition back(long sinceNanos) {
        BackendState now = probed == BackendState.UNKNOWN ? probed : BackendState.UP;
        return new Condition(now, "", null, true, sinceNanos, draining);
    }

    Condition drained(boolean wanted) {
        return new Condition(probed, probeReason, ejection, returned, backNanos, wanted);
    }

    boolean isEjected(long nowNanos) {
        Ejection last = ejection;
        return last != null && last.lasts(nowNanos);
    }

    boolean isUp(long nowNanos) {
        return !draining && probed != BackendState.DOWN && probed != BackendState.SUSPECT && !isEjected(nowNanos);
    }

    /** Its part of what its weight would give it, from 100 to 1000. */
    int share(long nowNanos, long slowStartNanos) {
        Ejection last = ejection;
        if (!returned && last == null) {
            return WHOLE;
        }
        // An ejection that has done its time was the last thing that kept it away.
        long elapsed = nowNanos - (last == null ? backNanos : last.untilNanos);
        if (elapsed >= slowStartNanos) {
            return WHOLE;
        }
        return Math.max(LEAST, (int) (elapsed * (double) WHOLE / slowStartNanos));
    }

    BackendState state(long nowNanos, long slowStartNanos) {
        if (probed == BackendState.DOWN) {
            return BackendState.DOWN;
        }
        if (draining) {
            return BackendState.DRAINING;
        }
        if (isEjected(nowNanos)) {
            return BackendState.EJECTED;
        }
        if (probed == BackendState.SUSPECT) {
            return BackendState.SUSPECT;
        }
        return share(nowNanos, slowStartNanos) < WHOLE ? BackendState.SLOW_START : probed;
    }

    @Nullable
    String downReason(long nowNanos) {
        Ejection last = ejection;
        if (draining && probed != BackendState.DOWN) {
            return "drained";
        }
        if (probed != BackendState.DOWN && last != null && last.lasts(nowNanos)) {
            return last.reason;
        }
        return probed == BackendState.DOWN || probed == BackendState.SUSPECT ? probeReason : null;
    }
}
