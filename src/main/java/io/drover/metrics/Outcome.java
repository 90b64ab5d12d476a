package io.drover.metrics;

import org.jspecify.annotations.Nullable;

/**
 * How an exchange ended; what log and metrics print.
 *
 * @param status HTTP status sent to the client; 499 where it left before one was sent (nginx's number)
 * @param failedIn the phase in which it failed; null where it did not
 * @param side who caused the failure; null where there was none
 * @param cause a few fixed words on the failure, such as {@code connection refused}; null where there was none
 */
public record Outcome(
        int status,
        @Nullable Phase failedIn,
        @Nullable Side side,
        @Nullable String cause) {

    /** Status logged for a client that left before any status was sent to it. */
    public static final int CLIENT_CLOSED_REQUEST = 499;

    public static Outcome complete(int status) {
        return new Outcome(status, null, null, null);
    }

    public static Outcome failed(int status, Phase failedIn, Side side, String cause) {
        return new Outcome(status, failedIn, side, cause);
    }
}
