package io.drover.proxy;

import io.drover.config.DroverConfig.Timeouts;
import io.drover.ollama.Endpoint;

/**
 * When an exchange looks at its limits again, as nanoseconds from now. A peer that takes no bytes is looked at several
 * times within the time it has, since only a comparison of two looks tells whether it took any.
 */
final class Look {
    private static final int LOOKS_PER_LIMIT = 4;

    private Look() {}

    /** At a peer that has {@code limitNanos} to take something. */
    static long within(long limitNanos) {
        return limitNanos / LOOKS_PER_LIMIT;
    }

    /** At a request on its way: whichever limit may end first. */
    static long whileSending(Timeouts timeouts, Endpoint endpoint, boolean uploading) {
        long write = within(timeouts.upstreamWrite().toNanos());
        if (uploading) {
            return Math.min(write, timeouts.requestBody().toNanos());
        }
        return endpoint.unhurried()
                ? write
                : Math.min(write, timeouts.firstByte().toNanos());
    }

    /** At an answer on its way. */
    static long whileRelaying(Timeouts timeouts, Endpoint endpoint) {
        long clientWrite = within(timeouts.clientWrite().toNanos());
        return endpoint.inference()
                ? Math.min(clientWrite, within(timeouts.idle().toNanos()))
                : clientWrite;
    }
}
