package io.drover.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/** A port that leads to another one of this machine, whose answers it holds back for a while. */
final class DelayedPort implements AutoCloseable {
    private final int to;
    private final Loops loops;
    private final Channel listener;
    private volatile long delayNanos;

    private DelayedPort(Loops loops, int from, int to) {
        this.loops = loops;
        this.to = to;
        this.listener = new ServerBootstrap()
                .group(loops.group())
                .channel(loops.listener())
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        connect(channel);
                    }
                })
                .bind("127.0.0.1", from)
                .syncUninterruptibly()
                .channel();
    }

    static DelayedPort open(Loops loops, int from, int to) {
        return new DelayedPort(loops, from, to);
    }

    /** From now on each answer comes so much later. */
    void delay(Duration delay) {
        delayNanos = delay.toNanos();
    }

    private void connect(Channel client) {
        new Bootstrap()
                .group(client.eventLoop())
                .channel(loops.channel())
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new Passing(client, true))
                .connect("127.0.0.1", to)
                .addListener((ChannelFuture connected) -> {
                    if (connected.isSuccess()) {
                        client.pipeline().addLast(new Passing(connected.channel(), false));
                        client.config().setAutoRead(true);
                    } else {
                        client.close();
                    }
                });
    }

    private final class Passing extends ChannelInboundHandlerAdapter {
        private final Channel other;
        private final boolean isAnswer;
        private final ArrayDeque<Later> held = new ArrayDeque<>();

        /** @param due by {@link System#nanoTime()} */
        private record Later(long due, Runnable step) {}

        Passing(Channel other, boolean isAnswer) {
            this.other = other;
            this.isAnswer = isAnswer;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            pass(context, () -> other.writeAndFlush(message));
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            pass(context, other::close);
        }

        /** In order, also when the delay was just taken away. */
        private void pass(ChannelHandlerContext context, Runnable step) {
            boolean isFirst = held.isEmpty();
            held.add(new Later(System.nanoTime() + (isAnswer ? delayNanos : 0), step));
            if (isFirst) {
                release(context.channel().eventLoop());
            }
        }

        private void release(EventLoop loop) {
            long now = System.nanoTime();
            Later next = held.peek();
            while (next != null && next.due() <= now) {
                held.remove();
                next.step().run();
                next = held.peek();
            }
            if (next != null) {
                loop.schedule(() -> release(loop), next.due() - now, TimeUnit.NANOSECONDS);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    @Override
    public void close() {
        listener.close().syncUninterruptibly();
    }
}
