package io.drover.proxy;

/** Writes an answer to the client that no call of its own exchange brings. Belongs to that exchange, on its event loop. */
interface Playback {
    /** Writes on, as long as the client takes it. */
    void write();

    /** The exchange is over; nothing is written any more. */
    void close();
}
