package io.drover.bench;

/**
 * What a client saw of the answer to one request. Times are those of {@link System#nanoTime}.
 *
 * @param firstNanos when it began; 0: it never did
 * @param why it was not complete, in a few words; empty if it was
 * @param backend that answered, where the proxy tells; else empty
 */
record SeenAnswer(Ending ending, long startedNanos, long firstNanos, long endedNanos, String why, String backend) {
    /** How it ended. */
    enum Ending {
        /** As it should. */
        COMPLETE,
        /** With an error, or not at all, before it had begun. */
        FAILED,
        /** Before its end, and the client can tell: by a line of error or by a connection that broke. */
        BROKEN,
        /** Before its end, and it looks as if that were all. */
        BROKEN_UNTOLD,
        /** Because the client left. */
        LEFT
    }
}
