package io.drover.bench;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Small requests at a fixed rate, whether earlier ones were answered or not. A request's time begins when it was due,
 * so that a proxy that holds up one of them is charged for all that wait behind it (no coordinated omission).
 */
final class RequestLoad {
    private static final int OK = 200;

    private final EventLoop loop;
    private final Pacer pacer;
    private final List<Channel> channels = new ArrayList<>();
    private final ArrayDeque<Client> idle = new ArrayDeque<>();
    private final ArrayDeque<Long> waiting = new ArrayDeque<>();
    private Histogram latencies = Latencies.histogram();
    private @Nullable String failure;

    private RequestLoad(EventLoop loop) {
        this.loop = loop;
        pacer = new Pacer(loop);
    }

    /** What was seen: {@code failure} is null when every request was answered with 200. */
    record Result(Histogram latencies, @Nullable String failure) {}

    /**
     * Runs on one of {@code loops}; the first quarter of {@code time} is not counted.
     *
     * @param rate requests per second
     */
    static Result run(Loops loops, int port, int connections, double rate, Duration time) {
        RequestLoad load = new RequestLoad((EventLoop) loops.group().next());
        Bootstrap bootstrap =
                new Bootstrap().group(load.loop).channel(loops.channel()).option(ChannelOption.TCP_NODELAY, true);
        for (int i = 0; i < connections; i++) {
            Channel channel = bootstrap
                    .clone()
                    .handler(load.new Client())
                    .connect("127.0.0.1", port)
                    .syncUninterruptibly()
                    .channel();
            load.channels.add(channel);
        }
        long end = System.nanoTime() + time.toNanos();
        Arrivals arrivals = load.new Arrivals((long) (TimeUnit.SECONDS.toNanos(1) / rate), end);
        load.loop.execute(() -> load.pacer.add(arrivals));
        Pause.of(time.dividedBy(4));
        Futures.get(load.loop.submit(() -> load.latencies = Latencies.histogram()));
        Pause.of(Duration.ofNanos(end - System.nanoTime()));
        Result result = Futures.get(load.loop.submit(load::result));
        load.channels.forEach(channel -> channel.close().syncUninterruptibly());
        return result;
    }

    private Result result() {
        // Those that still wait have waited this long at least.
        long now = System.nanoTime();
        waiting.forEach(due -> Latencies.record(latencies, now - due));
        idle.clear();
        return new Result(latencies, failure);
    }

    private final class Arrivals implements Pacer.Paced {
        private final long period;
        private final long end;
        private long due = System.nanoTime();

        Arrivals(long period, long end) {
            this.period = period;
            this.end = end;
        }

        @Override
        public long due() {
            return due;
        }

        @Override
        public boolean run(long now) {
            Client client = idle.poll();
            if (client == null) {
                waiting.add(due);
            } else {
                client.ask(due);
            }
            due += period;
            return due < end;
        }
    }

    private final class Client extends ChannelInboundHandlerAdapter {
        private final HeadParser parser = HeadParser.ofResponses(HttpText.MAX_HEAD, HttpText.MAX_FIELDS);
        private final MessageHead head = new MessageHead();
        private @Nullable ChannelHandlerContext context;
        private boolean inBody;
        private long remaining;
        private long asked;

        @Override
        public void channelActive(ChannelHandlerContext active) {
            context = active;
            idle.add(this);
        }

        void ask(long due) {
            asked = due;
            if (context != null) {
                context.writeAndFlush(Unpooled.wrappedBuffer(HttpText.SMALL_REQUEST), context.voidPromise());
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext reading, Object message) throws BadMessageException {
            ByteBuf in = (ByteBuf) message;
            try {
                if (!inBody) {
                    if (!parser.parse(in, head)) {
                        return;
                    }
                    inBody = true;
                    remaining = BodyFraming.contentLengthOrNone(head);
                    if (head.status() != OK || remaining < 0) {
                        failure = "status " + head.status() + ", length " + remaining;
                    }
                }
                remaining -= in.readableBytes();
                if (remaining <= 0) {
                    answered();
                }
            } finally {
                in.release();
            }
        }

        private void answered() {
            Latencies.record(latencies, System.nanoTime() - asked);
            inBody = false;
            parser.reset(head);
            Long due = waiting.poll();
            if (due == null) {
                idle.add(this);
            } else {
                ask(due);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext caught, Throwable cause) {
            failure = cause.toString();
            caught.close();
        }
    }
}
