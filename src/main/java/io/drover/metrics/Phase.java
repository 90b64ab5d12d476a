package io.drover.metrics;

/** Where an exchange is. The order is that of a request's life; {@code docs/life-of-a-request.md} tells it whole. */
public enum Phase {
    /** The request's head is being read. */
    READ_HEAD,
    /** The route is known; it is decided whether the request may pass. */
    ADMIT,
    /** A body that must be known whole before the choice of a backend is being read. */
    READ_BODY,
    /** The cache is asked. */
    LOOKUP,
    /** A backend is being chosen, or waited for. */
    QUEUE,
    /** A connection to the chosen backend is being made. */
    CONNECT,
    /** The request is being written. */
    SEND,
    /** The request was written, no final response head has come. */
    AWAIT_HEAD,
    /** The response is being passed on. */
    RELAY,
    /** It is over. */
    DONE;

    private final String label = name().toLowerCase(java.util.Locale.ROOT);

    /** The name as it stands in metrics and log lines. */
    public String label() {
        return label;
    }
}
