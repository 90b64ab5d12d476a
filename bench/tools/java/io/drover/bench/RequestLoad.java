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
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Small requests at a fixed rate, whether earlier ones were answered or not. A request's time begins when it was due,
 * so that a proxy that holds up one of them is charged for all that wait behind it (no coordinated omission).
 */
final class RequestLoad {
    private static final int OK = 200;
    /** For answers that are still missing at the end. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    private final EventLoop loop;
    private final Supplier<byte[]> requests;
    private final Pacer pacer;
    private final List<Channel> channels = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final ArrayDeque<Client> idle = new ArrayDeque<>();
    private final ArrayDeque<Long> waiting = new ArrayDeque<>();
    private Histogram latencies = Latencies.histogram();
    private boolean isAsking = true;
    private long failed;
    private @Nullable String failure;

    private RequestLoad(EventLoop loop, Supplier<byte[]> requests) {
        this.loop = loop;
        this.requests = requests;
        pacer = new Pacer(loop);
    }

    /**
     * What was seen.
     *
     * @param failed answered with anything but 200, or not at all until a second after the end
     * @param failure the last one; null when each answer was a 200, though some may be missing
     */
    record Result(
            Histogram latencies, long failed, @Nullable String failure) {}

    /**
     * Runs on one of {@code loops}; the first quarter of {@code time} is not counted.
     *
     * @param rate requests per second
     */
    static Result run(Loops loops, int port, int connections, double rate, Duration time) {
        return run(loops, port, connections, rate, time, () -> HttpText.SMALL_REQUEST);
    }

    /** @param requests is asked for each of them, by one thread */
    static Result run(Loops loops, int port, int connections, double rate, Duration time, Supplier<byte[]> requests) {
        RequestLoad load = new RequestLoad((EventLoop) loops.group().next(), requests);
        Bootstrap bootstrap =
                new Bootstrap().group(load.loop).channel(loops.channel()).option(ChannelOption.TCP_NODELAY, true);
        for (int i = 0; i < connections; i++) {
            Client client = load.new Client();
            load.clients.add(client);
            Channel channel = bootstrap
                    .clone()
                    .handler(client)
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
        Pause.until(end);
        while (Futures.get(load.loop.submit(load::missing)) > 0 && System.nanoTime() < end + GRACE.toNanos()) {
            Pause.of(Duration.ofMillis(5));
        }
        Result result = Futures.get(load.loop.submit(load::result));
        load.channels.forEach(channel -> channel.close().syncUninterruptibly());
        return result;
    }

    private Result result() {
        // Those that still wait have waited this long at least.
        long now = System.nanoTime();
        long missing = missing();
        waiting.forEach(due -> Latencies.record(latencies, now - due));
        clients.stream()
                .filter(client -> client.isWaiting)
                .forEach(client -> Latencies.record(latencies, now - client.asked));
        waiting.clear();
        idle.clear();
        return new Result(latencies, failed + missing, failure);
    }

    private long missing() {
        return (isAsking ? 1 : 0)
                + waiting.size()
                + clients.stream().filter(client -> client.isWaiting).count();
    }

    private void fail(String why) {
        failed++;
        failure = why;
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
            isAsking = due < end;
            return isAsking;
        }
    }

    private final class Client extends ChannelInboundHandlerAdapter {
        private final HeadParser parser = HeadParser.ofResponses(HttpText.MAX_HEAD, HttpText.MAX_FIELDS);
        private final MessageHead head = new MessageHead();
        private @Nullable ChannelHandlerContext context;
        private boolean inBody;
        private boolean isWaiting;
        private long remaining;
        private long asked;

        @Override
        public void channelActive(ChannelHandlerContext active) {
            context = active;
            idle.add(this);
        }

        void ask(long due) {
            asked = due;
            isWaiting = true;
            if (context != null) {
                context.writeAndFlush(Unpooled.wrappedBuffer(requests.get()), context.voidPromise());
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
                        fail("status " + head.status() + ", length " + remaining);
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
            isWaiting = false;
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

        @Override
        public void channelInactive(ChannelHandlerContext gone) {
            idle.remove(this);
            if (isWaiting) {
                isWaiting = false;
                fail(failure == null ? "connection closed" : failure);
            }
        }
    }
}
