package io.drover.server;

import io.drover.config.DroverConfig.TransportKind;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.kqueue.KQueueSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringBufferRingConfig;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringFixedBufferRingAllocator;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How sockets are driven: one of Netty's transports.
 *
 * @param kind never {@code AUTO}
 */
public record Transport(
        TransportKind kind,
        IoHandlerFactory ioHandlers,
        Class<? extends ServerSocketChannel> serverChannel,
        Class<? extends SocketChannel> channel) {

    /**
     * Names the ring of buffers into which the kernel puts what backends send, 2 MiB for each loop. A read that needs neither
     * a buffer of its own nor a poll makes a relayed token a tenth cheaper ({@code docs/decisions.md}).
     */
    private static final short RING_ID = 1;

    private static final short RING_BUFFERS = 512;

    /** Several tokens, most answers; a buffer this size is held for each small piece that waits for its client. */
    private static final int RING_BUFFER_BYTES = 4096;

    private static final List<TransportKind> BY_PREFERENCE =
            List.of(TransportKind.IO_URING, TransportKind.EPOLL, TransportKind.KQUEUE, TransportKind.NIO);

    static {
        // A reset that comes while bytes are read is told of once, and then missed for good: a poll that stays armed
        // tells of changes only, and Netty 4.2.18 reads no further than the last byte. A new poll for each read asks
        // the socket.
        unlessSet("io.netty.iouring.pollAddMultishotEnabled");
        // A receive that stays armed forgets, in Netty 4.2.18, that it was to go on: when reading is stopped and
        // resumed before the kernel has told that it stopped, the rest of an answer is never read.
        unlessSet("io.netty.iouring.recvMultiShotEnabled");
    }

    /**
     * The transport asked for, or the best that works here.
     *
     * @throws UnsupportedOperationException with the reason, when the one asked for does not work here
     */
    public static Transport choose(TransportKind wanted) {
        if (wanted != TransportKind.AUTO) {
            Throwable cause = unavailability(wanted);
            if (cause != null) {
                throw new UnsupportedOperationException(
                        "transport " + name(wanted) + " does not work here: " + reason(cause), cause);
            }
            return of(wanted);
        }
        return of(working().findFirst().orElseThrow());
    }

    /** Those that work here, best first; never empty. */
    public static List<TransportKind> available() {
        return working().toList();
    }

    /** Asked one by one, since each that is asked unpacks and loads its native library. */
    private static Stream<TransportKind> working() {
        return BY_PREFERENCE.stream().filter(kind -> unavailability(kind) == null);
    }

    /** Its name as the configuration has it. */
    public String name() {
        return name(kind);
    }

    /**
     * Bounds what the kernel holds for a client that reads slowly, where the transport can. Without it up to megabytes
     * wait unsent per stream, and room is told of in leaps so large that a slow reader looks like one that has stopped.
     */
    void boundUnsent(ServerBootstrap bootstrap, long bytes) {
        switch (kind) {
            case IO_URING -> bootstrap.childOption(IoUringChannelOption.TCP_NOTSENT_LOWAT, bytes);
            case EPOLL -> bootstrap.childOption(EpollChannelOption.TCP_NOTSENT_LOWAT, bytes);
            case KQUEUE, NIO, AUTO -> {}
        }
    }

    /** What makes sockets to backends on {@code loop}, one of this transport's; handlers and limits are to be added. */
    Bootstrap upstream(EventLoop loop) {
        Bootstrap bootstrap = new Bootstrap().group(loop).channel(channel);
        if (kind == TransportKind.IO_URING && ringWorks()) {
            bootstrap.option(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, RING_ID);
        }
        return bootstrap;
    }

    /** Switches off what Netty does on io_uring; Netty reads it when its class {@link IoUring} is loaded. */
    private static void unlessSet(String property) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, "false");
        }
    }

    private static IoHandlerFactory ioUringHandlers() {
        IoUringIoHandlerConfig config = new IoUringIoHandlerConfig();
        if (ringWorks()) {
            config.setBufferRingConfig(IoUringBufferRingConfig.builder()
                    .bufferGroupId(RING_ID)
                    .bufferRingSize(RING_BUFFERS)
                    .batchSize(RING_BUFFERS)
                    .allocator(new IoUringFixedBufferRingAllocator(PooledByteBufAllocator.DEFAULT, RING_BUFFER_BYTES))
                    .build());
        }
        return IoUringIoHandler.newFactory(config);
    }

    /** Linux 5.19 and later. */
    private static boolean ringWorks() {
        return IoUring.isRegisterBufferRingSupported();
    }

    private static String name(TransportKind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    private static @Nullable Throwable unavailability(TransportKind kind) {
        return switch (kind) {
            case IO_URING -> IoUring.isAvailable() ? null : IoUring.unavailabilityCause();
            case EPOLL -> Epoll.isAvailable() ? null : Epoll.unavailabilityCause();
            case KQUEUE -> KQueue.isAvailable() ? null : KQueue.unavailabilityCause();
            case NIO, AUTO -> null;
        };
    }

    private static String reason(Throwable cause) {
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    private static Transport of(TransportKind kind) {
        return switch (kind) {
            case IO_URING ->
                new Transport(kind, ioUringHandlers(), IoUringServerSocketChannel.class, IoUringSocketChannel.class);
            case EPOLL ->
                new Transport(
                        kind, EpollIoHandler.newFactory(), EpollServerSocketChannel.class, EpollSocketChannel.class);
            case KQUEUE ->
                new Transport(
                        kind, KQueueIoHandler.newFactory(), KQueueServerSocketChannel.class, KQueueSocketChannel.class);
            case NIO, AUTO ->
                new Transport(
                        TransportKind.NIO,
                        NioIoHandler.newFactory(),
                        NioServerSocketChannel.class,
                        NioSocketChannel.class);
        };
    }
}
