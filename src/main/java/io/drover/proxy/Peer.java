package io.drover.proxy;

import io.drover.admission.IpAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * An address that requests come from, in the three forms that are asked for with each of them. Immutable.
 *
 * @param address null if it is not known
 * @param text as logs and backends are told it
 * @param ip null if the address is
 */
record Peer(
        @Nullable InetAddress address,
        String text,
        @Nullable IpAddress ip) {
    private static final Peer UNKNOWN = new Peer(null, "unknown", null);

    static Peer of(InetAddress address) {
        return new Peer(address, address.getHostAddress(), IpAddress.of(address));
    }

    /** The one that a socket is connected to. */
    static Peer of(@Nullable SocketAddress socket) {
        InetAddress address = socket instanceof InetSocketAddress internet ? internet.getAddress() : null;
        return address == null ? UNKNOWN : of(address);
    }
}
