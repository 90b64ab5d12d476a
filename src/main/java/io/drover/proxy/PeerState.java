package io.drover.proxy;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.epoll.EpollTcpInfo;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.channel.uring.IoUringTcpInfo;

/**
 * Asks the kernel whether a peer has left whose end stands behind bytes that are not read. One look is one system call
 * of about a microsecond. Belongs to one event loop.
 */
final class PeerState {
    /** The kernel's numbers, of {@code net/tcp_states.h}. */
    private static final int CLOSE = 7;

    private static final int CLOSE_WAIT = 8;

    private final EpollTcpInfo epoll = new EpollTcpInfo();
    private final IoUringTcpInfo ioUring = new IoUringTcpInfo();

    /** Whether the peer's FIN or reset has come; false too where the transport cannot tell. */
    boolean hasLeft(Channel channel) {
        int state;
        if (!channel.isActive()) {
            return false;
        } else if (channel instanceof IoUringSocketChannel socket) {
            state = socket.tcpInfo(ioUring).state();
        } else if (channel instanceof EpollSocketChannel socket) {
            state = socket.tcpInfo(epoll).state();
        } else {
            return false;
        }
        return state == CLOSE || state == CLOSE_WAIT;
    }
}
