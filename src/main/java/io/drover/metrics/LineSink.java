package io.drover.metrics;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where a {@link LineWriter}'s lines go, a batch at a time. Used by one thread at a time. */
interface LineSink {
    /**
     * Writes whole lines; may wait for as long as it takes.
     *
     * @throws IOException if they are lost; nobody knows how much of them was written
     */
    void write(ByteBuffer lines) throws IOException;

    /** Opens what it writes to anew, by its name. */
    void reopen() throws IOException;

    /** Ends it; nothing is written any more. */
    void close() throws IOException;
}
