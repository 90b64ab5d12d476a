package io.drover.proxy;

import io.drover.upstream.WriteProgress;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;

/**
 * Copies small pieces that must wait: a token in a read buffer of its own would hold twenty times its size, for as long
 * as a slow client takes.
 */
final class Compaction {
    /** Bytes that wait before a piece, from which on it is copied. */
    private static final int BEHIND = 16 * 1024;

    /** Most bytes of a piece that is copied. */
    private static final int MOST = 1024;

    private Compaction() {}

    /** What is to be written in place of {@code bytes}: these, or a copy, and then they are released. */
    static ByteBuf of(ByteBuf bytes, Channel to, Worker worker) {
        int size = bytes.readableBytes();
        if (size > MOST || WriteProgress.waiting(to) < BEHIND) {
            return bytes;
        }
        ByteBuf copy = worker.allocate(size).writeBytes(bytes);
        bytes.release();
        return copy;
    }
}
