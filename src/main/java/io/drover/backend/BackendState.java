package io.drover.backend;

/** What is thought of a backend. */
public enum BackendState {
    /** No probe has told anything yet; it counts as up. */
    UNKNOWN,
    /** It answers. */
    UP,
    /** It was away and is back: its share grows until {@code health.slow-start} has passed. */
    SLOW_START,
    /** It answers, but worse than it did: it gets the least share until it is well again. */
    DEGRADED,
    /** The last probe failed: the others are preferred until the next one tells. */
    SUSPECT,
    /** Requests failed there; it is out of rotation until its time has passed or a request succeeds. */
    EJECTED,
    /** It owed bytes and sent none for {@code health.wedged-after}; as {@link #EJECTED}, until a byte comes from it. */
    WEDGED,
    /** Probes say that it does not answer; only a probe can change that. */
    DOWN,
    /** Somebody wants it out of rotation; what runs there goes on. */
    DRAINING
}
