package io.drover.bench;

import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The threads of the load, one per core it may use: backends and clients share them, so that no hand-over is measured. */
record Loops(
        MultiThreadIoEventLoopGroup group,
        Class<? extends SocketChannel> channel,
        Class<? extends ServerChannel> listener)
        implements AutoCloseable {
    static Loops start(int threads) {
        boolean epoll = Epoll.isAvailable();
        IoHandlerFactory handlers = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        return new Loops(
                new MultiThreadIoEventLoopGroup(threads, handlers),
                epoll ? EpollSocketChannel.class : NioSocketChannel.class,
                epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class);
    }

    /** One thread that sleeps {@code pause} before it looks at its channels again: cheap readers. */
    static Loops drowsy(Duration pause) {
        Loops loops = start(1);
        EventLoop loop = (EventLoop) loops.group().next();
        loop.execute(new Runnable() {
            @Override
            public void run() {
                Pause.of(pause);
                if (!loop.isShuttingDown()) {
                    // Not execute(): what is added to its queue the loop runs up to 64 times before it looks at
                    // channels.
                    loop.schedule(this, 1, TimeUnit.NANOSECONDS);
                }
            }
        });
        return loops;
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
