package io.drover.backend;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A count that all event loops read and write, alone on its cache lines. Without the padding every request on one
 * backend would also slow who reads this backend's state, or its neighbour's count.
 */
final class InFlight {
    /** Two lines of 64 bytes on either side: processors fetch lines in pairs. */
    private static final int PADDING = 2 * 64 / Integer.BYTES;

    private final AtomicIntegerArray cells = new AtomicIntegerArray(PADDING + 1 + PADDING);

    int get() {
        return cells.get(PADDING);
    }

    boolean increment(int seen) {
        return cells.compareAndSet(PADDING, seen, seen + 1);
    }

    void increment() {
        cells.getAndIncrement(PADDING);
    }

    void decrement() {
        cells.getAndDecrement(PADDING);
    }
}
