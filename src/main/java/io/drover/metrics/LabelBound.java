package io.drover.metrics;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A bound on the values of one label: the first so many keep their name, all later ones are {@code other}. Every
 * series lives until the process ends, here and in Prometheus, so no text that comes from outside may make them
 * without end. Any thread.
 */
final class LabelBound {
    static final String OTHER = "other";

    private final int most;
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    LabelBound(int most) {
        this.most = most;
    }

    String label(String value) {
        if (known.contains(value)) {
            return value;
        }
        synchronized (known) {
            if (known.size() < most) {
                known.add(value);
                return value;
            }
            return known.contains(value) ? value : OTHER;
        }
    }
}
