package io.drover.bench;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * One token of an answer as Ollama streams it, in a chunk of its own. Its text is {@code @}, when it was sent and which
 * one of its stream it is, as hexadecimal numbers of 16 and 8 digits; both ends take the time from the same clock.
 */
final class Token {
    static final byte MARK = '@';
    static final int TIME_DIGITS = 16;
    static final int NUMBER_DIGITS = 8;
    static final int DIGITS = TIME_DIGITS + NUMBER_DIGITS;

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final String LINE = "{\"model\":\"bench\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\","
            + "\"message\":{\"role\":\"assistant\",\"content\":\"@" + "0".repeat(DIGITS) + "\"},\"done\":false}\n";
    private static final byte[] CHUNK = HttpText.chunk(LINE);
    private static final int TEXT = HttpText.indexOf(CHUNK, MARK) + 1;

    /** Bytes of one token on the wire. */
    static final int WIRE_BYTES = CHUNK.length;

    private Token() {}

    /** Appends a token to {@code out}. */
    static void write(ByteBuf out, long nanoTime, int number) {
        int start = out.writerIndex() + TEXT;
        out.writeBytes(CHUNK);
        hex(out, start, TIME_DIGITS, nanoTime);
        hex(out, start + TIME_DIGITS, NUMBER_DIGITS, number);
    }

    private static void hex(ByteBuf out, int index, int digits, long value) {
        for (int i = 0; i < digits; i++) {
            out.setByte(index + i, HEX[(int) (value >>> (4 * (digits - 1 - i))) & 0xf]);
        }
    }
}
