package io.drover.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Clients that hold open streams through a proxy; as many as are asked for, until it is closed. */
final class StreamLoad implements AutoCloseable {
    private static final int ENDLESS = 1_000_000_000;
    private static final Duration CLOSING = Duration.ofSeconds(10);

    private final Loops loops;
    private final int port;
    private final byte[] request;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    /** The window each loop's streams write to; one entry per loop, replaced on that loop. */
    private final Map<EventExecutor, StreamWindow[]> windows = new HashMap<>();

    private int open;

    /** Streams of {@code tokensPerSecond} each through the proxy at {@code port} of the loopback address. */
    StreamLoad(Loops loops, int port, int tokensPerSecond) {
        this.loops = loops;
        this.port = port;
        request = HttpText.request(
                "POST",
                "/api/chat",
                "{\"model\":\"bench\",\"options\":{\"num_predict\":" + ENDLESS + ",\"rate\":" + tokensPerSecond
                        + "},\"messages\":[{\"role\":\"user\",\"content\":\"Why is the sky blue?\"}]}");
        loops.group().forEach(loop -> windows.put(loop, new StreamWindow[] {new StreamWindow()}));
    }

    /** Opens {@code count} more streams, evenly over {@code time}; returns when the last one was begun. */
    void open(int count, Duration time) {
        long start = System.nanoTime();
        Bootstrap bootstrap = bootstrap();
        for (int i = 0; i < count; i++) {
            Pause.until(start + time.toNanos() * i / count);
            ChannelFuture connect = bootstrap.connect("127.0.0.1", port);
            channels.add(connect.channel());
            connect.addListener(done -> {
                if (!done.isSuccess()) {
                    window(connect.channel().eventLoop())[0].onFailure(String.valueOf(done.cause()));
                }
            });
            open++;
        }
    }

    int open() {
        return open;
    }

    private Bootstrap bootstrap() {
        return new Bootstrap()
                .group(loops.group())
                .channel(loops.channel())
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new StreamClient(request, window(channel.eventLoop())));
                    }
                });
    }

    private StreamWindow[] window(EventExecutor loop) {
        StreamWindow[] window = windows.get(loop);
        if (window == null) {
            throw new IllegalStateException("a channel of a loop that is not ours");
        }
        return window;
    }

    /** What was seen since the last call. */
    StreamWindow takeWindow() {
        StreamWindow all = new StreamWindow();
        for (Map.Entry<EventExecutor, StreamWindow[]> entry : windows.entrySet()) {
            all.add(Futures.get(entry.getKey().submit(() -> {
                StreamWindow seen = entry.getValue()[0];
                entry.getValue()[0] = new StreamWindow();
                return seen;
            })));
        }
        return all;
    }

    @Override
    public void close() {
        // Failures from here on are our own doing.
        for (Channel channel : channels) {
            channel.eventLoop().execute(() -> channel.pipeline().removeLast());
        }
        channels.close().awaitUninterruptibly(CLOSING.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits until the backends have heard that the clients left. */
    static void awaitNone(ModelServer server) {
        long deadline = System.nanoTime() + CLOSING.toNanos();
        while (server.streams() > 0 && System.nanoTime() < deadline) {
            Pause.of(Duration.ofMillis(20));
        }
    }
}
