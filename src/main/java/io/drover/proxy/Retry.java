package io.drover.proxy;

/** Whether and how a request is sent again after a call has failed. The one place that decides it. */
final class Retry {
    /** What comes next. */
    enum Decision {
        /** The same backend on a new connection; costs no attempt. */
        FRESH_CONNECTION,
        /** Another backend. */
        NEXT_BACKEND,
        /** The client is told. */
        GIVE_UP
    }

    private Retry() {}

    /**
     * @param failure how the call failed
     * @param replayable whether the route allows the request to be sent again
     * @param safe whether the request has no body and a method without side effects: GET, HEAD, OPTIONS
     * @param staleConnection whether it failed on a reused connection before any byte of a response: no evidence
     *     against the backend, only against the connection
     * @param bodyWhole whether the body can be sent from its first byte on
     * @param attemptsLeft tries that {@code retry.attempts} still allows
     */
    static Decision decide(
            CallFailure failure,
            boolean replayable,
            boolean safe,
            boolean staleConnection,
            boolean bodyWhole,
            int attemptsLeft) {
        if (!bodyWhole) {
            return Decision.GIVE_UP;
        }
        if (failure.isConnecting()) {
            // Nothing was sent, so any request may go elsewhere.
            return attemptsLeft > 0 ? Decision.NEXT_BACKEND : Decision.GIVE_UP;
        }
        boolean unanswered = failure == CallFailure.CLOSED || failure == CallFailure.RESET;
        if (staleConnection && unanswered && (replayable || safe)) {
            return Decision.FRESH_CONNECTION;
        }
        // A backend that is silent for long is loading a model: sending the prompt to the next one doubles the work.
        boolean another = replayable && failure != CallFailure.FIRST_BYTE_TIMED_OUT;
        return another && attemptsLeft > 0 ? Decision.NEXT_BACKEND : Decision.GIVE_UP;
    }
}
