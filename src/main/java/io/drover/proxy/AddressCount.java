package io.drover.proxy;

import io.drover.http.BadMessageException;
import org.jspecify.annotations.Nullable;

/** Counts one client connection among those from its address. Belongs to that connection. */
final class AddressCount {
    private final ProxyContext context;
    private @Nullable String counted;

    AddressCount(ProxyContext context) {
        this.context = context;
    }

    /** Counts it, once. */
    void open(String address) throws BadMessageException {
        int most = context.config().limits().connectionsPerClient();
        if (most == 0 || counted != null) {
            return;
        }
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
