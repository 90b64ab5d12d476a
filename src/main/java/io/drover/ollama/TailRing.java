package io.drover.ollama;

import io.netty.buffer.ByteBuf;

/**
 * The last 2 KiB of an answer, copied as they pass. Copied and not kept as buffers: a line may be 2 MB long and cut
 * anywhere, and kept duplicates would hold whole receive buffers. Belongs to one exchange, used on its event loop.
 */
public final class TailRing {
    static final int CAPACITY = 2048;

    private final byte[] ring = new byte[CAPACITY];
    /** Where the next byte goes. */
    private int next;

    private int size;

    /**
     * Appends bytes, over the oldest ones.
     *
     * @param buf is only read; the caller keeps it
     */
    public void append(ByteBuf buf, int index, int length) {
        int kept = Math.min(length, CAPACITY);
        int from = index + length - kept;
        int first = Math.min(kept, CAPACITY - next);
        buf.getBytes(from, ring, next, first);
        if (kept > first) {
            buf.getBytes(from + first, ring, 0, kept - first);
        }
        next = (next + kept) % CAPACITY;
        size = Math.min(size + kept, CAPACITY);
    }

    /** Whether the last byte appended was LF: only then may a line be added to a stream of lines. */
    public boolean endsWithNewline() {
        return isNewline(1);
    }

    /** Whether the last two bytes appended were LF: only then may an event be added to a stream of events. */
    public boolean endsWithEmptyLine() {
        return isNewline(1) && isNewline(2);
    }

    /** @param back 1 for the last byte */
    private boolean isNewline(int back) {
        return size >= back && ring[(next + CAPACITY - back) % CAPACITY] == '\n';
    }

    /** Forgets everything, for the next answer. */
    public void clear() {
        next = 0;
        size = 0;
    }

    /** Another one that holds the same. */
    public TailRing copy() {
        TailRing copy = new TailRing();
        System.arraycopy(ring, 0, copy.ring, 0, CAPACITY);
        copy.next = next;
        copy.size = size;
        return copy;
    }

    /** A copy of what it holds, oldest byte first. */
    byte[] toArray() {
        byte[] bytes = new byte[size];
        int start = (next + CAPACITY - size) % CAPACITY;
        int first = Math.min(size, CAPACITY - start);
        System.arraycopy(ring, start, bytes, 0, first);
        System.arraycopy(ring, 0, bytes, first, size - first);
        return bytes;
    }
}
