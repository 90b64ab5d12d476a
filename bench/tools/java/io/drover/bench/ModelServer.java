package io.drover.bench;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.HdrHistogram.Histogram;

/**
 * The backends: they speak enough of Ollama's protocol to be measured through a proxy, and cost little. What they
 * answer is asked for in the request's body: {@code num_predict} tokens, {@code rate} of them per second.
 */
final class ModelServer implements AutoCloseable {
    private static final int BACKLOG = 4096;

    private final AtomicInteger streams = new AtomicInteger();
    private final LongAdder computed = new LongAdder();
    private final Map<EventExecutor, Pacer> pacers;
    private final List<Channel> listeners = new ArrayList<>();

    private ModelServer(Map<EventExecutor, Pacer> pacers) {
        this.pacers = pacers;
    }

    /** Listens on each of {@code ports} of the loopback address; they all belong to the same threads. */
    static ModelServer start(Loops loops, List<Integer> ports) {
        ModelServer server = new ModelServer(StreamSupport.stream(loops.group().spliterator(), false)
                .collect(Collectors.toMap(Function.identity(), loop -> new Pacer((EventLoop) loop))));
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.group())
                .channel(loops.listener())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(new ModelConnection(server.pacer(channel), server.streams, server.computed));
                    }
                });
        for (int port : ports) {
            server.listeners.add(
                    bootstrap.bind("127.0.0.1", port).syncUninterruptibly().channel());
        }
        return server;
    }

    private Pacer pacer(Channel channel) {
        Pacer pacer = pacers.get(channel.eventLoop());
        if (pacer == null) {
            throw new IllegalStateException("a channel of a loop that is not ours");
        }
        return pacer;
    }

    /** Answers that are being streamed. */
    int streams() {
        return streams.get();
    }

    /** Answers that were asked for since the start. */
    long computed() {
        return computed.sum();
    }

    /** How late tokens were sent since the last call, nanoseconds: what the load side itself could not keep up with. */
    Histogram lateness() {
        Histogram all = Latencies.histogram();
        for (Pacer pacer : pacers.values()) {
            all.add(Futures.get(pacer.loop().submit(pacer::takeLateness)));
        }
        return all;
    }

    @Override
    public void close() {
        listeners.forEach(listener -> listener.close().syncUninterruptibly());
    }
}
