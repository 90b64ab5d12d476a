package io.drover.proxy;

import io.drover.http.BadMessageException;
import org.jspecify.annotations.Nullable;

/** Whether one client connection may be, and its count among those from its address. Belongs to that connection. */
final class AddressCount {
    private final ProxyContext context;
    private boolean admitted;
    private @Nullable String counted;

    AddressCount(ProxyContext context) {
        this.context = context;
    }

    /**
     * Counts it, once; may be asked again as soon as more is known, or whether there is room now.
     *
     * @param peer null as long as it is not known
     * @throws BadMessageException if there are too many, of all clients or of this one
     */
    void open(@Nullable Peer peer) throws BadMessageException {
        int limit = context.config().limits().connections();
        if (!admitted && context.clientConnections().get() > limit) {
            throw new BadMessageException(503, "more than " + limit + " connections (limits.connections)");
        }
        admitted = true;
        int most = context.config().limits().connectionsPerClient();
        if (most == 0 || peer == null || counted != null) {
            return;
        }
        String address = peer.text();
        if (!context.connectionsByAddress().open(address, most)) {
            throw new BadMessageException(
                    429, "more than " + most + " connections from " + address + " (limits.connections-per-client)");
        }
        counted = address;
    }

    /** Counts it no more, if it was counted. */
    void close() {
        String address = counted;
        counted = null;
        if (address != null) {
            context.connectionsByAddress().close(address);
        }
    }
}
