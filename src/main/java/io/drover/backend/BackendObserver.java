package io.drover.backend;

/** Who is told when the state of a backend changes. */
public interface BackendObserver {
    /**
     * Called after the change, from whichever thread made it, an event loop too: it must not block. What
     * time alone has changed is told of at the next {@link Backend#onTime}.
     *
     * @param reason a few words, such as {@code connection refused}
     */
    void onChange(Backend backend, BackendState from, BackendState to, String reason);
}
