package io.drover.metrics;

import io.prometheus.client.Counter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A counter with one label, whose series are held: simpleclient's own look-up makes a list of the labels each time. Any
 * thread.
 */
final class HeldCounter {
    private final Counter counter;
    private final LabelBound bound;
    private final Map<String, Counter.Child> known = new ConcurrentHashMap<>();

    /** @param most values of the label, beyond which they are {@link LabelBound#OTHER} */
    HeldCounter(Counter counter, int most) {
        this.counter = counter;
        this.bound = new LabelBound(most);
    }

    void inc(String value) {
        Counter.Child child = known.get(value);
        if (child == null) {
            child = known.computeIfAbsent(bound.label(value), counter::labels);
        }
        child.inc();
    }
}
