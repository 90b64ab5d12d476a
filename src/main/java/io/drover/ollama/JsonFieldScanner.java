package io.drover.ollama;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds {@code model}, {@code name} and {@code stream} in a request's JSON body while it arrives: fed piece by piece,
 * cut anywhere, it keeps a few hundred bytes however long the prompt is.
 *
 * <p>It decides as Go's {@code encoding/json} does, because a backend reads the same body again and must come to the
 * same model: names match in any case, the last duplicate wins, {@code null} leaves a string as it was, and whatever
 * follows the first JSON value is ignored. Bytes inside strings need not be valid UTF-8. Not safe for use by several
 * threads at once.
 */
public final class JsonFieldScanner {
    /** Deepest nesting; Go allows 10,000, no tool schema comes near either. */
    static final int MAX_DEPTH = 512;
    /** Longest name kept, in chars: host, namespace, model and tag of a valid one together have no more. */
    static final int MAX_MODEL_LENGTH = 512;

    private static final int MAX_MODEL_BYTES = 3 * MAX_MODEL_LENGTH;
    /** More bytes than any spelling of the wanted names has. */
    private static final int MAX_NAME_BYTES = 16;

    private static final long EACH_BYTE = 0x0101010101010101L;
    private static final long HIGH_BITS = EACH_BYTE << 7;
    private static final long QUOTES = EACH_BYTE * '"';
    private static final long BACKSLASHES = EACH_BYTE * '\\';
    private static final long SPACES = EACH_BYTE * ' ';

    private enum State {
        VALUE,
        FIRST_ELEMENT,
        FIRST_NAME,
        NAME,
        COLON,
        AFTER_VALUE,
        STRING,
        ESCAPE,
        HEX,
        LITERAL,
        MINUS,
        ZERO,
        INTEGER,
        POINT,
        FRACTION,
        EXPONENT,
        EXPONENT_SIGN,
        EXPONENT_DIGITS,
        DONE,
        MALFORMED;

        boolean isNumber() {
            return this.compareTo(MINUS) >= 0 && this.compareTo(EXPONENT_DIGITS) <= 0;
        }

        boolean mayEndNumber() {
            return this == ZERO || this == INTEGER || this == FRACTION || this == EXPONENT_DIGITS;
        }
    }

    private enum Field {
        NONE,
        MODEL,
        NAME,
        STREAM
    }

    private State state = State.VALUE;
    private int depth;
    /** One bit per level: whether it is an object. */
    private final long[] objects = new long[MAX_DEPTH / Long.SIZE];

    /** Whose value comes next, at the top level. */
    private Field field = Field.NONE;

    private boolean inName;
    private String literal = "";
    private int literalLength;
    private int hexDigits;
    private int codeUnit;

    /** The wanted string so far, in UTF-8; {@code captureLimit} 0: the string is not wanted. */
    private byte[] capture = new byte[64];

    private int captured;
    private int captureLimit;
    private boolean captureOverflow;
    /** A first half of a surrogate pair that waits for its second; 0: none. */
    private int highSurrogate;

    private @Nullable String model;
    private @Nullable String name;
    private @Nullable Boolean stream;

    /** The value of {@code model}; null where there is none, it is no string, or longer than any name may be. */
    public @Nullable String model() {
        return model;
    }

    /** The value of {@code name}, as {@link #model}: what some routes called it once, and Ollama's own client still does. */
    public @Nullable String name() {
        return name;
    }

    /** The value of {@code stream}; null where it is absent, null, or neither true nor false. */
    public @Nullable Boolean stream() {
        return stream;
    }

    /** Whether a whole JSON value was read; a number on its own counts as soon as it may end. */
    public boolean complete() {
        return state == State.DONE || (depth == 0 && state.mayEndNumber());
    }

    /** Whether what was read cannot begin a JSON value, or nests too deeply. */
    public boolean malformed() {
        return state == State.MALFORMED;
    }

    /** Forgets everything, for the next body. */
    public void reset() {
        state = State.VALUE;
        depth = 0;
        field = Field.NONE;
        inName = false;
        captureLimit = 0;
        model = null;
        name = null;
        stream = null;
    }

    /**
     * Reads the next piece of the body.
     *
     * @param buf is only read, its indices stay; the caller keeps it
     * @param from index of the first byte
     * @param to index after the last byte
     */
    public void feed(ByteBuf buf, int from, int to) {
        int at = from;
        while (at < to && state != State.DONE && state != State.MALFORMED) {
            if (state == State.STRING) {
                at = readString(buf, at, to);
            } else if (state.isNumber()) {
                at = readNumber(buf, at, to);
            } else {
                step(buf.getByte(at++));
            }
        }
    }

    private void step(byte b) {
        switch (state) {
            case ESCAPE -> escape(b);
            case HEX -> hex(b);
            case LITERAL -> literal(b);
            default -> {
                if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                    structure(b);
                }
            }
        }
    }

    private void structure(byte b) {
        switch (state) {
            case VALUE -> beginValue(b);
            case FIRST_ELEMENT -> {
                if (b == ']') {
                    close(b);
                } else {
                    beginValue(b);
                }
            }
            case FIRST_NAME -> {
                if (b == '}') {
                    close(b);
                } else {
                    beginName(b);
                }
            }
            case NAME -> beginName(b);
            case COLON -> state = b == ':' ? State.VALUE : State.MALFORMED;
            default -> {
                if (b != ',') {
                    close(b);
                } else {
                    state = inObject() ? State.NAME : State.VALUE;
                }
            }
        }
    }

    private void beginValue(byte b) {
        switch (b) {
            case '{' -> open(true);
            case '[' -> open(false);
            case '"' -> beginString((field == Field.MODEL || field == Field.NAME) && depth == 1 ? MAX_MODEL_BYTES : 0);
            case 't' -> beginLiteral("true");
            case 'f' -> beginLiteral("false");
            case 'n' -> beginLiteral("null");
            case '-' -> state = State.MINUS;
            case '0' -> state = State.ZERO;
            default -> state = isDigit(b) ? State.INTEGER : State.MALFORMED;
        }
    }

    private void beginName(byte b) {
        if (b != '"') {
            state = State.MALFORMED;
            return;
        }
        inName = true;
        beginString(depth == 1 ? MAX_NAME_BYTES : 0);
    }

    private void open(boolean object) {
        if (depth == MAX_DEPTH) {
            state = State.MALFORMED;
            return;
        }
        long bit = 1L << depth;
        int word = depth / Long.SIZE;
        objects[word] = object ? objects[word] | bit : objects[word] & ~bit;
        depth++;
        state = object ? State.FIRST_NAME : State.FIRST_ELEMENT;
    }

    private void close(byte b) {
        if (b != (inObject() ? '}' : ']')) {
            state = State.MALFORMED;
            return;
        }
        depth--;
        endValue();
    }

    private boolean inObject() {
        int level = depth - 1;
        return (objects[level / Long.SIZE] & 1L << level) != 0;
    }

    private void endValue() {
        if (depth <= 1) {
            field = Field.NONE;
        }
        state = depth == 0 ? State.DONE : State.AFTER_VALUE;
    }

    private void beginLiteral(String expected) {
        literal = expected;
        literalLength = 1;
        state = State.LITERAL;
    }

    private void literal(byte b) {
        if (b != literal.charAt(literalLength)) {
            state = State.MALFORMED;
            return;
        }
        literalLength++;
        if (literalLength < literal.length()) {
            return;
        }
        if (field == Field.STREAM && depth == 1) {
            stream = literal.equals("null") ? null : Boolean.valueOf(literal);
        }
        endValue();
    }

    private int readNumber(ByteBuf buf, int from, int to) {
        for (int at = from; at < to; at++) {
            State next = numberState(buf.getByte(at));
            if (next == State.AFTER_VALUE) {
                endValue();
                return at;
            }
            state = next;
            if (next == State.MALFORMED) {
                return at;
            }
        }
        return to;
    }

    /** The state after one more byte; AFTER_VALUE if the number ended before it. */
    private State numberState(byte b) {
        boolean digit = isDigit(b);
        boolean exponent = b == 'e' || b == 'E';
        return switch (state) {
            case MINUS -> b == '0' ? State.ZERO : digit ? State.INTEGER : State.MALFORMED;
            case INTEGER -> digit ? State.INTEGER : fractionOr(exponent, b);
            case ZERO -> fractionOr(exponent, b);
            case POINT -> digit ? State.FRACTION : State.MALFORMED;
            case FRACTION -> digit ? State.FRACTION : exponent ? State.EXPONENT : State.AFTER_VALUE;
            case EXPONENT -> {
                boolean sign = b == '+' || b == '-';
                yield sign ? State.EXPONENT_SIGN : digit ? State.EXPONENT_DIGITS : State.MALFORMED;
            }
            case EXPONENT_SIGN -> digit ? State.EXPONENT_DIGITS : State.MALFORMED;
            default -> digit ? State.EXPONENT_DIGITS : State.AFTER_VALUE;
        };
    }

    private static State fractionOr(boolean exponent, byte b) {
        return b == '.' ? State.POINT : exponent ? State.EXPONENT : State.AFTER_VALUE;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private void beginString(int limit) {
        captured = 0;
        captureLimit = limit;
        captureOverflow = false;
        highSurrogate = 0;
        state = State.STRING;
    }

    private int readString(ByteBuf buf, int from, int to) {
        int stop = plainEnd(buf, from, to);
        if (captureLimit > 0 && stop > from) {
            keep(buf, from, stop - from);
        }
        if (stop == to) {
            return to;
        }
        switch (buf.getByte(stop)) {
            case '"' -> endString();
            case '\\' -> state = State.ESCAPE;
            default -> state = State.MALFORMED;
        }
        return stop + 1;
    }

    /**
     * Index of the first quote, backslash or control character. Prompts of megabytes pass here, on an event loop: eight
     * bytes are looked at at once. A byte that is found may also flag bytes above it by the borrow, never below it, and
     * only the lowest counts.
     */
    private static int plainEnd(ByteBuf buf, int from, int to) {
        int at = from;
        for (; to - at >= Long.BYTES; at += Long.BYTES) {
            long bytes = buf.getLongLE(at);
            long quotes = bytes ^ QUOTES;
            long backslashes = bytes ^ BACKSLASHES;
            long found = (((quotes - EACH_BYTE) & ~quotes)
                            | ((backslashes - EACH_BYTE) & ~backslashes)
                            | ((bytes - SPACES) & ~bytes))
                    & HIGH_BITS;
            if (found != 0) {
                return at + Long.numberOfTrailingZeros(found) / Byte.SIZE;
            }
        }
        for (; at < to; at++) {
            byte b = buf.getByte(at);
            if (b == '"' || b == '\\' || (b >= 0 && b < ' ')) {
                return at;
            }
        }
        return to;
    }

    private void endString() {
        flushSurrogate();
        if (inName) {
            inName = false;
            field = depth == 1 ? fieldNamed() : Field.NONE;
            state = State.COLON;
            return;
        }
        if (captureLimit > 0) {
            String text = captured();
            String kept = captureOverflow || text.length() > MAX_MODEL_LENGTH ? null : text;
            if (field == Field.MODEL) {
                model = kept;
            } else {
                name = kept;
            }
        }
        endValue();
    }

    private Field fieldNamed() {
        if (captureOverflow || captured < "name".length()) {
            return Field.NONE;
        }
        // Ignores case as Go's fold does: the long s (U+017F) is an s to both.
        String spelled = captured();
        if (spelled.equalsIgnoreCase("model")) {
            return Field.MODEL;
        }
        if (spelled.equalsIgnoreCase("name")) {
            return Field.NAME;
        }
        return spelled.equalsIgnoreCase("stream") ? Field.STREAM : Field.NONE;
    }

    private String captured() {
        return new String(capture, 0, captured, StandardCharsets.UTF_8);
    }

    private void escape(byte b) {
        state = State.STRING;
        switch (b) {
            case '"', '\\', '/' -> keepAscii(b);
            case 'b' -> keepAscii((byte) '\b');
            case 'f' -> keepAscii((byte) '\f');
            case 'n' -> keepAscii((byte) '\n');
            case 'r' -> keepAscii((byte) '\r');
            case 't' -> keepAscii((byte) '\t');
            case 'u' -> {
                hexDigits = 0;
                codeUnit = 0;
                state = State.HEX;
            }
            default -> state = State.MALFORMED;
        }
    }

    private void hex(byte b) {
        int digit = Character.digit(b, 16);
        if (digit < 0) {
            state = State.MALFORMED;
            return;
        }
        codeUnit = codeUnit << 4 | digit;
        hexDigits++;
        if (hexDigits < 4) {
            return;
        }
        state = State.STRING;
        if (captureLimit > 0) {
            keepCodeUnit((char) codeUnit);
        }
    }

    private void keepCodeUnit(char unit) {
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

    private void flushSurrogate() {
        if (highSurrogate != 0) {
            int alone = highSurrogate;
            highSurrogate = 0;
            keep(alone);
        }
    }

    private void keepAscii(byte b) {
        if (captureLimit > 0) {
            flushSurrogate();
            keep(b);
        }
    }

    /** Keeps a code point; half a surrogate pair becomes U+FFFD, as in Go. */
    private void keep(int codePoint) {
        boolean half = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        byte[] bytes = Character.toString(half ? 0xFFFD : codePoint).getBytes(StandardCharsets.UTF_8);
        if (room(bytes.length)) {
            System.arraycopy(bytes, 0, capture, captured, bytes.length);
            captured += bytes.length;
        }
    }

    private void keep(ByteBuf buf, int index, int length) {
        flushSurrogate();
        if (room(length)) {
            buf.getBytes(index, capture, captured, length);
            captured += length;
        }
    }

    private boolean room(int length) {
        if (captureOverflow || length > captureLimit - captured) {
            captureOverflow = true;
            return false;
        }
        if (captured + length > capture.length) {
            capture = Arrays.copyOf(capture, Math.max(captured + length, 2 * capture.length));
        }
        return true;
    }
}
