package io.drover.metrics;

import java.io.IOException;

/** How a log's records become lines. Used by one thread. */
interface LineFormat<T> {
    void write(T record, JsonFields line) throws IOException;

    /** The line that tells how many lines are missing. */
    void writeLost(long lines, JsonFields line) throws IOException;
}
