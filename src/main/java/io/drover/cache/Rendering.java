package io.drover.cache;

import io.netty.buffer.ByteBuf;

/** An answer on its way to one client, with times and ids of its own. Belongs to one event loop. */
public interface Rendering {
    /** Bytes of all of it. */
    long length();

    /** Writes on, as much as {@code out} has room for without growing. */
    void writeTo(ByteBuf out);

    /** Whether all of it was written. */
    boolean isDone();
}
