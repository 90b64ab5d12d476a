package io.drover.proxy;

import io.drover.metrics.Outcome;

/** Writes an answer to the client that no call of its own exchange brings. Belongs to that exchange, on its event loop. */
interface Playback {
    /** Writes on, as long as the client takes it. */
    void write();

    /** Ends what was begun, and the exchange: the client is told that it is not whole. */
    void breakOff(Outcome outcome);

    /** The exchange is over; nothing is written any more. */
    void close();
}
