package io.drover.admission;

import io.drover.admission.RequestLook.Source;
import io.drover.ollama.JsonKind;
import io.drover.ollama.Shape;

/** A value of a request's body: where it stands, what it is and what it should be. */
final class SeenValue {
    /** Longer numbers and strings are not shown; nobody sends such a number but to do harm. */
    private static final int MOST_SHOWN = 20;

    private final String path;
    private final Shape shape;
    private final JsonKind kind;
    private final long from;
    private long to;
    private boolean whole;

    /** @param from offset of its first byte */
    SeenValue(String path, Shape shape, JsonKind kind, long from) {
        this.path = path;
        this.shape = shape;
        this.kind = kind;
        this.from = from;
        this.to = from;
    }

    /** @param isWhole for a number whether it has neither a fraction nor an exponent */
    void end(long end, boolean isWhole) {
        to = end;
        whole = isWhole;
    }

    /** The same by its path, which costs to make. */
    SeenValue at(String known) {
        SeenValue same = new SeenValue(known, shape, kind, from);
        same.end(to, whole);
        return same;
    }

    String path() {
        return path;
    }

    Shape shape() {
        return shape;
    }

    JsonKind kind() {
        return kind;
    }

    long from() {
        return from;
    }

    long to() {
        return to;
    }

    boolean isWrong() {
        return !shape.accepts(kind) || (kind == JsonKind.NUMBER && shape.isWhole() && !whole);
    }

    /** A number's value without its fraction, as Ollama takes it; one of more digits than any has is very large. */
    long number(Source body) {
        return to - from > MOST_SHOWN + 10 ? Long.MAX_VALUE : (long) Double.parseDouble(body.text(from, to));
    }

    /** What is wrong with its type. */
    String told(Source body) {
        return told(body, shape.toString());
    }

    String told(Source body, String expected) {
        String what = path.isEmpty() ? "the request's body" : path;
        return what + ": " + shown(body) + ", at byte " + from + " (expected: " + expected + ")";
    }

    private String shown(Source body) {
        boolean isShort = to > from && to - from <= MOST_SHOWN;
        return switch (kind) {
            case OBJECT, ARRAY, NULL -> kind.toString();
            case BOOLEAN -> body.text(from, to);
            case NUMBER -> isShort ? kind + ", " + body.text(from, to) : "a number of " + (to - from) + " characters";
            case STRING ->
                isShort && isWord(body.text(from, to))
                        ? kind + ", " + body.text(from, to)
                        : "a string of " + (to - from) + " bytes";
        };
    }

    /** What a client means for a number or a name; text of a conversation must not get into the log. */
    private static boolean isWord(String text) {
        return text.chars().allMatch(c -> c > ' ' && c < 127);
    }
}
