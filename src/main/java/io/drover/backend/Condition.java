package io.drover.backend;

import org.jspecify.annotations.Nullable;

/**
 * What probes, requests and operators said of a backend, at one moment: replaced as a whole, so that the selection reads
 * all of it at once and without a lock. Times are those of {@link System#nanoTime}.
 *
 * @param probed UNKNOWN, UP, SUSPECT or DOWN
 * @param probeReason why it is SUSPECT or DOWN; empty while it is not
 * @param ejection what requests had it ejected for, until a success confirms its end; null if nothing did
 * @param degraded how it answers worse than it did; null if it does not
 * @param returned whether it has been away, so that {@code backNanos} tells when it came back
 * @param backNanos since when it has been back
 * @param draining whether somebody wants it out of rotation
 */
record Condition(
        BackendState probed,
        String probeReason,
        @Nullable Ejection ejection,
        @Nullable String degraded,
        boolean returned,
        long backNanos,
        boolean draining) {
    /** Parts of a whole share. */
    static final int WHOLE = 1000;

    /** What one gets that has just come back, or is degraded: with less, nobody would ever find out. */
    private static final int LEAST = WHOLE / 10;

    static final Condition UNKNOWN = new Condition(BackendState.UNKNOWN, "", null, null, false, 0, false);

    /**
     * @param sinceNanos when it began; it may have been prolonged since
     * @param untilNanos when it has done its time
     */
    record Ejection(long sinceNanos, long untilNanos, String reason, Cause cause) {
        Ejection seenByProbes() {
            return new Ejection(sinceNanos, untilNanos, reason, Cause.CONNECTING);
        }

        boolean lasts(long nowNanos) {
            // By the difference: nanoTime may be negative and may wrap.
            return untilNanos - nowNanos > 0;
        }
    }

    /** Nobody probes it any more. */
    Condition unprobed() {
        return new Condition(BackendState.UNKNOWN, "", ejection, degraded, returned, backNanos, draining);
    }

    /** What a backend is ejected for. */
    enum Cause {
        /** Requests failed there. */
        FAILURES,
        /** It could not be connected to, or probes fail as well as requests. */
        CONNECTING,
        /** It owed bytes and sent none. */
        SILENCE
    }

    /** Probes say that it answers, and that is all there is to say. */
    Condition answering() {
        return new Condition(BackendState.UP, "", ejection, degraded, returned, backNanos, draining);
    }

    Condition suspect(String reason) {
        return new Condition(BackendState.SUSPECT, reason, ejection, degraded, returned, backNanos, draining);
    }

    Condition down(String reason) {
        return new Condition(BackendState.DOWN, reason, ejection, degraded, returned, backNanos, draining);
    }

    Condition ejected(Ejection next) {
        return new Condition(probed, probeReason, next, degraded, returned, backNanos, draining);
    }

    /** It takes traffic again, little at first. */
    Condition back(long sinceNanos) {
        BackendState now = probed == BackendState.UNKNOWN ? probed : BackendState.UP;
        return new Condition(now, "", null, degraded, true, sinceNanos, draining);
    }

    /** It takes little traffic until it is well again. */
    Condition degraded(String how) {
        return new Condition(probed, probeReason, ejection, how, returned, backNanos, draining);
    }

    /** It answers as it did before: its share grows as that of one that is back. */
    Condition recovered(long sinceNanos) {
        return new Condition(probed, probeReason, ejection, null, true, sinceNanos, draining);
    }

    Condition drained(boolean wanted) {
        return new Condition(probed, probeReason, ejection, degraded, returned, backNanos, wanted);
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
        if (degraded != null) {
            return LEAST;
        }
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
        Ejection last = ejection;
        boolean lasts = last != null && last.lasts(nowNanos);
        // Before what somebody wanted: who waits there for an answer waits in vain.
        if (last != null && lasts && last.cause == Cause.SILENCE) {
            return BackendState.WEDGED;
        }
        if (draining) {
            return BackendState.DRAINING;
        }
        if (lasts) {
            return BackendState.EJECTED;
        }
        if (probed == BackendState.SUSPECT) {
            return BackendState.SUSPECT;
        }
        if (degraded != null) {
            return BackendState.DEGRADED;
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
