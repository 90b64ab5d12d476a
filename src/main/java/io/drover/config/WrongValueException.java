package io.drover.config;

/** A value that is not what its key needs; the message says what that is. Stackless: it is a result, not a fault. */
final class WrongValueException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String expected;

    WrongValueException(String expected) {
        super(expected, null, false, false);
        this.expected = expected;
    }

    String expected() {
        return expected;
    }
}
