package io.drover.demo;

/** How one API tells a generated text. One instance serves one answer. */
interface Dialect {
    String streamType();

    /** Writes what comes before the first token, together with it. */
    default void open(Answer answer, int promptTokens) {}

    /**
     * Writes one token.
     *
     * @return false if a fault has struck and the generation has to stop
     */
    boolean token(Answer answer, byte[] word);

    /** Writes what comes after the last token; the caller ends the stream. */
    void close(Answer answer, Totals totals);

    /** Answers with the whole text at once. */
    void whole(Answer answer, String text, Totals totals);
}
