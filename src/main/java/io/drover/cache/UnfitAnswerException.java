package io.drover.cache;

/** An answer that must not be kept, or cannot be told in another form for sure. The message says what was found. */
final class UnfitAnswerException extends Exception {
    private static final long serialVersionUID = 1L;

    UnfitAnswerException(String message) {
        // Nobody reads a stack trace: such an answer is a miss.
        super(message, null, false, false);
    }
}
