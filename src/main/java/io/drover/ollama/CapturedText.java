package io.drover.ollama;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A string of a JSON text as far as it was read, if somebody wants it: in UTF-8, its escapes decoded. Used again for each
 * string; not safe for use by several threads at once.
 */
final class CapturedText {
    private byte[] bytes = new byte[64];
    private int length;
    private int limit;
    private boolean overflow;
    /** A first half of a surrogate pair that waits for its second; 0: none. */
    private int highSurrogate;

    /** @param most bytes that are kept; 0: the string is not wanted */
    void begin(int most) {
        length = 0;
        limit = most;
        overflow = false;
        highSurrogate = 0;
    }

    void end() {
        flushSurrogate();
    }

    int limit() {
        return limit;
    }

    /** Whether it was wanted and no longer than its limit. */
    boolean isWhole() {
        return limit > 0 && !overflow;
    }

    /** Whether it is this name; ignores case as Go's fold does: the long s (U+017F) is an s to both. */
    boolean is(String name) {
        if (overflow || length < name.length()) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[i] < 0) {
                return toString().equalsIgnoreCase(name);
            }
            if (i == name.length() || Character.toLowerCase(bytes[i]) != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    void keepAscii(byte b) {
        if (limit > 0) {
            flushSurrogate();
            keep(b);
        }
    }

    void keepCodeUnit(char unit) {
        if (limit == 0) {
            return;
        }
        if (highSurrogate != 0 && Character.isLowSurrogate(unit)) {
            int codePoint = Character.toCodePoint((char) highSurrogate, unit);
            highSurrogate = 0;
            keep(codePoint);
            return;
        }
        flushSurrogate();
        if (Character.isHighSurrogate(unit)) {
            highSurrogate = unit;
        } else {
            keep(unit);
        }
    }

    void keep(ByteBuf buf, int index, int count) {
        if (limit == 0) {
            return;
        }
        flushSurrogate();
        if (hasRoom(count)) {
            buf.getBytes(index, bytes, length, count);
            length += count;
        }
    }

    private void flushSurrogate() {
        if (highSurrogate != 0) {
            int alone = highSurrogate;
            highSurrogate = 0;
            keep(alone);
        }
    }

    /** Keeps a code point; half a surrogate pair becomes U+FFFD, as in Go. */
    private void keep(int codePoint) {
        boolean half = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        byte[] encoded = Character.toString(half ? 0xFFFD : codePoint).getBytes(StandardCharsets.UTF_8);
        if (hasRoom(encoded.length)) {
            System.arraycopy(encoded, 0, bytes, length, encoded.length);
            length += encoded.length;
        }
    }

    private boolean hasRoom(int count) {
        if (overflow || count > limit - length) {
            overflow = true;
            return false;
        }
        if (length + count > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(length + count, 2 * bytes.length));
        }
        return true;
    }

    /** What was kept. */
    @Override
    public String toString() {
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }
}
