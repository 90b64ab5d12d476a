package io.drover.proxy;

import java.util.Arrays;

/**
 * Where in a buffer the payload stands: pairs of absolute indices. One per event loop, filled and read within one read
 * event, so that telling payload from framing allocates nothing.
 */
final class PayloadRanges {
    private int[] bounds = new int[64];
    private int count;

    void clear() {
        count = 0;
    }

    void add(int from, int to) {
        if (2 * count == bounds.length) {
            bounds = Arrays.copyOf(bounds, 2 * bounds.length);
        }
        bounds[2 * count] = from;
        bounds[2 * count + 1] = to;
        count++;
    }

    int count() {
        return count;
    }

    int from(int i) {
        return bounds[2 * i];
    }

    int to(int i) {
        return bounds[2 * i + 1];
    }
}
