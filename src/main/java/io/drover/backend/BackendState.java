package io.drover.backend;

/** What is thought of a backend. */
public enum BackendState {
    /** No probe has told anything yet; it counts as up. */
    UNKNOWN,
    /** It answers. */
    UP,
    /** Requests failed there; it is out of rotation until its time has passed or a request succeeds. */
    EJECTED,
    /** Probes say that it does not answer; only a probe can change that. */
    DOWN
}
