package io.drover.upstream;

/** Why no connection could be made. */
public enum ConnectFailure {
    /** Nobody listens there. */
    REFUSED("connection refused"),
    /** No answer within {@code timeouts.connect}. */
    TIMED_OUT("connect timed out"),
    /** The name has no address. */
    UNRESOLVED("name not resolved"),
    /** No socket could be made here, such as for want of a descriptor. */
    NO_SOCKET("no socket left here"),
    /** Anything else, such as no route. */
    FAILED("connect failed");

    private final String text;

    ConnectFailure(String text) {
        this.text = text;
    }

    /** A few words for logs and errors. */
    public String text() {
        return text;
    }
}
