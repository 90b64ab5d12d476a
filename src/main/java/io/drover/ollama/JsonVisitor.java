package io.drover.ollama;

import org.jspecify.annotations.Nullable;

/**
 * Is told by {@link JsonFieldScanner} what a JSON value is made of, while it is read. Offsets count the bytes of the
 * whole value's text from 0, wherever the pieces that it came in were cut. On the thread that feeds the scanner.
 */
public interface JsonVisitor {
    /** Whether the names of the object that is read now are of interest; else they are given as null. */
    boolean wantsName();

    /** Whether the text of the string that begins now is of interest. */
    boolean wantsText();

    /**
     * A member of the object that is read now begins.
     *
     * @param name with its escapes decoded; null where it is longer than any known one, or not wanted
     * @param at offset of its quote
     */
    void onName(@Nullable String name, long at);

    /** A value begins at this offset. */
    void onValue(JsonKind kind, long at);

    /** The text of the string that ends now, if it was wanted and is no longer than any known name. */
    void onText(String text);

    /**
     * The value that began last, and has not ended yet, ends.
     *
     * @param end offset behind its last byte
     * @param whole for a number whether it has neither a fraction nor an exponent
     */
    void onEnd(long end, boolean whole);
}
