package io.drover.http;

/**
 * A message that breaks HTTP/1.1's grammar, its framing rules or our limits. Carries the status a client is told; on a
 * response from a backend the caller answers 502 instead. Stackless: hostile input must stay cheap.
 */
public final class BadMessageException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;

    public BadMessageException(int status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    /** A plain 400. */
    public static BadMessageException badRequest(String message) {
        return new BadMessageException(400, message);
    }

    public int status() {
        return status;
    }
}
