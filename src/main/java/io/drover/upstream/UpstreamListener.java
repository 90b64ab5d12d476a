package io.drover.upstream;

import io.netty.buffer.ByteBuf;

/**
 * The user of one upstream connection: told of everything that happens on it, decides everything. All calls come on the
 * connection's event loop; after {@link #onConnectFailed} or {@link #onClosed} none follows.
 */
public interface UpstreamListener {
    /** The connection is there and is the listener's until it is given back to its pool or closed. */
    void onConnected(UpstreamConnection connection);

    /** No connection could be made; nothing was sent. */
    void onConnectFailed(ConnectFailure failure);

    /** Bytes came. The listener owns the buffer. */
    void onRead(ByteBuf bytes);

    /** The bytes of one read from the socket have all been told. */
    void onReadComplete();

    /** The connection takes bytes again, or no longer. */
    void onWritabilityChanged();

    /**
     * The connection has ended, by the backend or by an error.
     *
     * @param reset whether it ended by an error, such as a reset, rather than in order
     */
    void onClosed(boolean reset);
}
