package io.drover.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** Writes the chunked coding (RFC 9112, 7.1) where a body cannot pass as it came: one plain size line per chunk. */
public final class ChunkWriter {
    private static final int MAX_SIZE_LINE = 10;

    private static final ByteBuf CRLF = constant("\r\n");
    private static final ByteBuf LAST_CHUNK = constant("0\r\n\r\n");

    private ChunkWriter() {}

    private static ByteBuf constant(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return Unpooled.unreleasableBuffer(
                Unpooled.directBuffer(bytes.length).writeBytes(bytes).asReadOnly());
    }

    /** The line before a chunk of {@code size} bytes, above 0. */
    public static ByteBuf sizeLine(ByteBufAllocator allocator, int size) {
        ByteBuf line = allocator.ioBuffer(MAX_SIZE_LINE);
        int shift = (Integer.SIZE - 1 - Integer.numberOfLeadingZeros(size)) & ~3;
        for (; shift >= 0; shift -= 4) {
            line.writeByte(Character.forDigit((size >> shift) & 0xf, 16));
        }
        return line.writeByte('\r').writeByte('\n');
    }

    /** What follows a chunk's data; may be written and released any number of times. */
    public static ByteBuf crlf() {
        return CRLF.duplicate();
    }

    /** The end of a body without trailers. */
    public static ByteBuf lastChunk() {
        return LAST_CHUNK.duplicate();
    }
}
