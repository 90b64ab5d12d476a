package io.drover.metrics;

import java.util.Locale;

/** How an attempt to connect to a backend ended. */
public enum ConnectResult {
    /** The connection stands. */
    CONNECTED,
    /** Nobody listens there. */
    REFUSED,
    /** No answer within the connect time-out. */
    TIMEOUT,
    /** Anything else: no route, no address, no file descriptor. */
    ERROR;

    private final String label = name().toLowerCase(Locale.ROOT);

    /** The name as it stands in metrics. */
    public String label() {
        return label;
    }
}
