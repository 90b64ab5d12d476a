package io.drover.cache;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A JSON value where it stands in an answer's bytes, which are kept as they are: numbers are never read and written again.
 *
 * @param text is only read
 * @param from index of its first byte
 * @param to index behind its last
 */
record Slice(byte[] text, int from, int to) {
    static Slice of(byte[] text) {
        return new Slice(text, 0, text.length);
    }

    int length() {
        return to - from;
    }

    /** The first byte tells the kind of a value. */
    private byte first() {
        return from < to ? text[from] : 0;
    }

    boolean isString() {
        return first() == '"';
    }

    boolean isObject() {
        return first() == '{';
    }

    boolean isArray() {
        return first() == '[';
    }

    boolean isNull() {
        return first() == 'n';
    }

    boolean isTrue() {
        return first() == 't';
    }

    boolean isNumber() {
        return first() == '-' || (first() >= '0' && first() <= '9');
    }

    /** What stands between the quotes of a string, or the brackets of an array without the space around it. */
    Slice inside() {
        int start = from + 1;
        int end = to - 1;
        if (!isString()) {
            while (start < end && isSpace(text[start])) {
                start++;
            }
            while (start < end && isSpace(text[end - 1])) {
                end--;
            }
        }
        return new Slice(text, start, end);
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || b == '\n' || b == '\r' || b == '\t';
    }

    /** Whether it is a string or an array with nothing in it. */
    boolean isEmpty() {
        return inside().length() <= 0;
    }

    /** Whether it is a string that says this, spelled without escapes. */
    boolean says(String ascii) {
        return isString() && inside().toString().equals(ascii);
    }

    /** The value of a number without sign, point and exponent; -1 for any other, and for one of more than 18 digits. */
    long count() {
        if (length() == 0 || length() > 18) {
            return -1;
        }
        long value = 0;
        for (int i = from; i < to; i++) {
            if (text[i] < '0' || text[i] > '9') {
                return -1;
            }
            value = 10 * value + text[i] - '0';
        }
        return value;
    }

    /** Whether the same bytes stand in both. */
    boolean isSameAs(Slice other) {
        return Arrays.equals(text, from, to, other.text, other.from, other.to);
    }

    /** The bytes as characters of UTF-8. */
    @Override
    public String toString() {
        return new String(text, from, to - from, StandardCharsets.UTF_8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Slice slice && isSameAs(slice);
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }
}
