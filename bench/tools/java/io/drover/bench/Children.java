package io.drover.bench;

import java.util.ArrayDeque;
import java.util.Deque;

/** The processes that this one has started; they end with it, however it ends. Any thread. */
final class Children implements AutoCloseable {
    private final Deque<Runnable> endings = new ArrayDeque<>();

    Children() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "children"));
    }

    /** @param ending ends it; may be called for one that has ended */
    synchronized void add(Runnable ending) {
        endings.push(ending);
    }

    /** Ends all of them, the last one first. */
    @Override
    public synchronized void close() {
        while (!endings.isEmpty()) {
            endings.pop().run();
        }
    }
}
