package io.drover.ollama;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Finds {@code model}, {@code name}, {@code stream} and the bound of the answer in a request's JSON body while it
 * arrives: fed piece by piece, cut anywhere, it keeps a few hundred bytes however long the prompt is. A
 * {@link JsonVisitor} may look on.
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
    private static final int MAX_NAME_BYTES = 24;
    /** Larger numbers count as this one. */
    private static final long MOST_TOKENS = Integer.MAX_VALUE;

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
        STREAM,
        OPTIONS,
        NUM_PREDICT,
        MAX_TOKENS
    }

    private State state = State.VALUE;
    private int depth;
    /** One bit per level: whether it is an object. */
    private final long[] objects = new long[MAX_DEPTH / Long.SIZE];

    /** Whose value comes next, at the top level. */
    private Field field = Field.NONE;

    private boolean inName;
    private long nameOffset;
    private String literal = "";
    private int literalLength;
    private int hexDigits;
    private int codeUnit;

    /** The wanted string so far. */
    private final CapturedText text = new CapturedText();

    private @Nullable String model;
    private @Nullable String name;
    private @Nullable Boolean stream;

    /** Whether what is read lies in {@code options}. */
    private boolean inOptions;
    /** Whether the number that is read bounds the answer. */
    private boolean bounding;
    /** What was read of that number. */
    private long number;

    private long numPredict;
    private long maxTokens;

    private @Nullable JsonVisitor visitor;
    /** Bytes of all pieces before this one. */
    private long consumed;
    /** Where the byte stands that is read now. */
    private long offset;

    /** Has {@code looker} told what is read, until the next {@link #reset}. */
    public void visit(JsonVisitor looker) {
        visitor = looker;
    }

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

    /** The value of {@code options.num_predict}, at most {@code Integer.MAX_VALUE}; -1 where it bounds nothing. */
    public long numPredict() {
        return numPredict > 0 ? numPredict : -1;
    }

    /**
     * The largest value of {@code max_tokens}, {@code max_completion_tokens} and {@code max_output_tokens}, at most
     * {@code Integer.MAX_VALUE}; -1 where they bound nothing.
     */
    public long maxTokens() {
        return maxTokens > 0 ? maxTokens : -1;
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
        text.begin(0);
        model = null;
        name = null;
        stream = null;
        inOptions = false;
        bounding = false;
        numPredict = 0;
        maxTokens = 0;
        visitor = null;
        consumed = 0;
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
            offset = consumed + at - from;
            if (state == State.STRING) {
                at = readString(buf, from, at, to);
            } else if (state.isNumber()) {
                at = readNumber(buf, from, at, to);
            } else {
                step(buf.getByte(at++));
            }
        }
        consumed += to - from;
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
        if (visitor != null) {
            visitor.onValue(JsonKind.of(b), offset);
        }
        switch (b) {
            case '{' -> open(true);
            case '[' -> open(false);
            case '"' -> beginString(wantedOfString());
            case 't' -> beginLiteral("true");
            case 'f' -> beginLiteral("false");
            case 'n' -> beginLiteral("null");
            default -> beginNumber(b);
        }
    }

    private boolean isOption() {
        return depth == 2 && inOptions;
    }

    private int wantedOfString() {
        if (depth == 1 && (field == Field.MODEL || field == Field.NAME)) {
            return MAX_MODEL_BYTES;
        }
        return visitor != null && visitor.wantsText() ? MAX_NAME_BYTES : 0;
    }

    private void beginNumber(byte b) {
        bounding = (depth == 1 && field == Field.MAX_TOKENS) || (depth == 2 && field == Field.NUM_PREDICT);
        number = isDigit(b) ? (long) b - '0' : 0;
        state = b == '-' ? State.MINUS : b == '0' ? State.ZERO : isDigit(b) ? State.INTEGER : State.MALFORMED;
        if (b == '-') {
            // Without a bound: so Ollama takes a negative number.
            setBound(0);
        }
    }

    /** 0: none. A client that gives several names the one that is larger, whichever the backend heeds. */
    private void setBound(long tokens) {
        if (bounding && field == Field.NUM_PREDICT) {
            numPredict = tokens;
        } else if (bounding) {
            maxTokens = Math.max(maxTokens, tokens);
        }
        bounding = false;
    }

    private void beginName(byte b) {
        if (b != '"') {
            state = State.MALFORMED;
            return;
        }
        inName = true;
        nameOffset = offset;
        boolean wanted = depth == 1 || isOption() || (visitor != null && visitor.wantsName());
        beginString(wanted ? MAX_NAME_BYTES : 0);
    }

    private void open(boolean object) {
        if (depth == MAX_DEPTH) {
            state = State.MALFORMED;
            return;
        }
        long bit = 1L << depth;
        int word = depth / Long.SIZE;
        objects[word] = object ? objects[word] | bit : objects[word] & ~bit;
        if (depth == 1) {
            inOptions = object && field == Field.OPTIONS;
        }
        depth++;
        state = object ? State.FIRST_NAME : State.FIRST_ELEMENT;
    }

    private void close(byte b) {
        if (b != (inObject() ? '}' : ']')) {
            state = State.MALFORMED;
            return;
        }
        depth--;
        endValue(offset + 1);
    }

    private boolean inObject() {
        int level = depth - 1;
        return (objects[level / Long.SIZE] & 1L << level) != 0;
    }

    private void endValue(long end) {
        if (depth <= 1) {
            field = Field.NONE;
            inOptions = false;
        }
        if (visitor != null) {
            visitor.onEnd(end, state == State.INTEGER || state == State.ZERO);
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
        endValue(offset + 1);
    }

    /** @param start index of the piece's first byte */
    private int readNumber(ByteBuf buf, int start, int from, int to) {
        for (int at = from; at < to; at++) {
            byte b = buf.getByte(at);
            State next = numberState(b);
            if (next == State.AFTER_VALUE) {
                setBound(state == State.INTEGER ? number : 0);
                endValue(consumed + at - start);
                return at;
            }
            if (bounding && next == State.INTEGER) {
                number = Math.min(MOST_TOKENS, 10 * number + b - '0');
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
        text.begin(limit);
        state = State.STRING;
    }

    /** @param start index of the piece's first byte */
    private int readString(ByteBuf buf, int start, int from, int to) {
        int stop = plainEnd(buf, from, to);
        if (stop > from) {
            text.keep(buf, from, stop - from);
        }
        if (stop == to) {
            return to;
        }
        switch (buf.getByte(stop)) {
            case '"' -> {
                offset = consumed + stop - start;
                endString();
            }
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
        text.end();
        if (inName) {
            inName = false;
            field = depth == 1 ? fieldNamed() : isOption() && text.is("num_predict") ? Field.NUM_PREDICT : Field.NONE;
            if (visitor != null) {
                visitor.onName(visitor.wantsName() && text.isWhole() ? text.toString() : null, nameOffset);
            }
            state = State.COLON;
            return;
        }
        if (text.limit() == MAX_MODEL_BYTES) {
            keepModel();
        } else if (visitor != null && text.isWhole()) {
            visitor.onText(text.toString());
        }
        endValue(offset + 1);
    }

    private void keepModel() {
        String read = text.toString();
        String kept = !text.isWhole() || read.length() > MAX_MODEL_LENGTH ? null : read;
        if (field == Field.MODEL) {
            model = kept;
        } else {
            name = kept;
        }
    }

    private Field fieldNamed() {
        if (text.is("model")) {
            return Field.MODEL;
        } else if (text.is("name")) {
            return Field.NAME;
        } else if (text.is("stream")) {
            return Field.STREAM;
        } else if (text.is("options")) {
            return Field.OPTIONS;
        }
        boolean bound = text.is("max_tokens") || text.is("max_completion_tokens") || text.is("max_output_tokens");
        return bound ? Field.MAX_TOKENS : Field.NONE;
    }

    private void escape(byte b) {
        state = State.STRING;
        switch (b) {
            case '"', '\\', '/' -> text.keepAscii(b);
            case 'b' -> text.keepAscii((byte) '\b');
            case 'f' -> text.keepAscii((byte) '\f');
            case 'n' -> text.keepAscii((byte) '\n');
            case 'r' -> text.keepAscii((byte) '\r');
            case 't' -> text.keepAscii((byte) '\t');
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
        text.keepCodeUnit((char) codeUnit);
    }
}
