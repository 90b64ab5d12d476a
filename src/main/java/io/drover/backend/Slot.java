package io.drover.backend;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The right to run one request on one backend. Whoever got it must release it, from any thread; a second release does
 * nothing.
 */
public final class Slot {
    private final Backend backend;
    private final AtomicBoolean released = new AtomicBoolean();

    /** The backend has counted it already. */
    Slot(Backend backend) {
        this.backend = backend;
    }

    public Backend backend() {
        return backend;
    }

    public void release() {
        if (released.compareAndSet(false, true)) {
            backend.onRelease();
        }
    }
}
