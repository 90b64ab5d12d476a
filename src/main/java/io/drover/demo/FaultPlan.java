package io.drover.demo;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The faults to come, in the order they were asked for. Safe for any thread. */
final class FaultPlan {
    private static final class Entry {
        final Fault fault;
        long left;

        Entry(Fault fault, long left) {
            this.fault = fault;
            this.left = left;
        }
    }

    private final List<Entry> entries = new ArrayList<>();

    // Read without the lock on every request: a benchmark has no faults.
    private volatile boolean empty = true;

    synchronized void add(Fault fault, long times) {
        if (times < 1) {
            throw new IllegalArgumentException("times: " + times + " (expected: >= 1)");
        }
        entries.add(new Entry(fault, times));
        empty = false;
    }

    synchronized void clear() {
        entries.clear();
        empty = true;
    }

    /** Takes the first fault that strikes this request. */
    Fault take(String path, boolean inference) {
        return empty ? Fault.NONE : takeFirst(path, inference);
    }

    private synchronized Fault takeFirst(String path, boolean inference) {
        for (Iterator<Entry> all = entries.iterator(); all.hasNext(); ) {
            Entry entry = all.next();
            if (entry.fault.strikes(path, inference)) {
                entry.left--;
                if (entry.left == 0) {
                    all.remove();
                    empty = entries.isEmpty();
                }
                return entry.fault;
            }
        }
        return Fault.NONE;
    }
}
