package io.drover.backend;

/** Who is told when the state of a backend changes. */
public interface BackendObserver {
    /**
     * Called after the change, from whichever thread made it, an event loop too: it must not block. An ejection whose
     * time has passed is told of only when the next success or probe confirms it.
     *
     * @param reason a few words, such as {@code connection refused}
     */
    void onChange(Backend backend, BackendState from, BackendState to, String reason);
}
