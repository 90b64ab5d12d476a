package io.drover.backend;

/** What degraded a backend, and can tell when it is well again. Any thread. */
interface Culprit {
    /** When it last had an answer to judge. */
    long lastNanos();

    /** What was wrong is too long ago to be true still. */
    void forget();
}
