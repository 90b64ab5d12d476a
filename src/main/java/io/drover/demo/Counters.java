package io.drover.demo;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What a simulated Ollama has seen. Safe for any thread. */
final class Counters {
    final LongAdder requests = new LongAdder();
    final LongAdder cancelled = new LongAdder();
    final LongAdder accepted = new LongAdder();
    private final AtomicInteger active = new AtomicInteger();
    private final AtomicInteger maxActive = new AtomicInteger();
    private final ArrayDeque<ReceivedRequest> received = new ArrayDeque<>();
    private final int keep;

    /** @param keep most requests remembered; the oldest goes first */
    Counters(int keep) {
        this.keep = keep;
    }

    boolean remembers() {
        return keep > 0;
    }

    void remember(ReceivedRequest request) {
        synchronized (received) {
            if (received.size() == keep) {
                received.removeFirst();
            }
            received.addLast(request);
        }
    }

    List<ReceivedRequest> received() {
        synchronized (received) {
            return List.copyOf(received);
        }
    }

    void begin() {
        maxActive.accumulateAndGet(active.incrementAndGet(), Math::max);
    }

    void end() {
        active.decrementAndGet();
    }

    int active() {
        return active.get();
    }

    int maxActive() {
        return maxActive.get();
    }
}
