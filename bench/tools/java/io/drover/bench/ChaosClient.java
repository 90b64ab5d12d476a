package io.drover.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client that asks again when it was answered, over the same connection as long as that lasts. On Netty's own HTTP
 * codec, so that it does not share Drover's idea of where an answer ends. Belongs to one event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what fails ends the connection, and that is seen
final class ChaosClient {
    /** Silence after which it gives up: longer than any time-out of the proxies. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final long RETREAT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final Asking asking;
    private final Consumer<SeenAnswer> seen;
    private boolean stopped;
    private @Nullable Channel channel;

    /**
     * @param bootstrap with the loop, the channel's class and the remote address set
     * @param seen is told of each answer
     */
    ChaosClient(EventLoop loop, Bootstrap bootstrap, Asking asking, Consumer<SeenAnswer> seen) {
        this.loop = loop;
        this.bootstrap = bootstrap.clone();
        this.asking = asking;
        this.seen = seen;
    }

    void start() {
        pause(asking.next(), null, 0);
    }

    /** What runs is forgotten. */
    void stop() {
        stopped = true;
        Channel open = channel;
        if (open != null) {
            open.close();
        }
    }

    private void pause(Ask ask, @Nullable Talk open, long atLeastNanos) {
        loop.schedule(() -> ask(ask, open), Math.max(ask.pauseNanos(), atLeastNanos), TimeUnit.NANOSECONDS);
    }

    private void ask(Ask ask, @Nullable Talk open) {
        if (stopped) {
            return;
        }
        if (open != null && open.context != null && open.context.channel().isActive()) {
            open.ask(ask);
            return;
        }
        Talk talk = new Talk(ask);
        channel = bootstrap
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel opened) {
                        opened.pipeline().addLast(new HttpClientCodec(), talk);
                    }
                })
                .connect()
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        talk.end(talk.reader.broken("cannot connect", System.nanoTime()), null, RETREAT_NANOS);
                    }
                })
                .channel();
    }

    /** One connection, with one request at a time. */
    private final class Talk extends SimpleChannelInboundHandler<HttpObject> {
        private Ask current;
        private AnswerReader reader;
        private @Nullable ChannelHandlerContext context;
        private boolean answered;
        private boolean keepAlive;
        private int turn;
        private long heardNanos;

        Talk(Ask first) {
            current = first;
            reader = new AnswerReader(first.status(), System.nanoTime());
        }

        @Override
        public void channelActive(ChannelHandlerContext active) {
            context = active;
            ask(current);
        }

        void ask(Ask ask) {
            long now = System.nanoTime();
            current = ask;
            reader = new AnswerReader(ask.status(), now);
            answered = false;
            heardNanos = now;
            turn++;
            FullHttpRequest request = new DefaultFullHttpRequest(
                    HttpVersion.HTTP_1_1,
                    HttpMethod.POST,
                    ask.path(),
                    Unpooled.copiedBuffer(ask.body(), StandardCharsets.US_ASCII));
            request.headers().set(HttpHeaderNames.HOST, "chaos");
            request.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/json");
            HttpUtil.setContentLength(request, request.content().readableBytes());
            int asked = turn;
            ChannelHandlerContext to = context;
            if (to != null) {
                to.writeAndFlush(request);
                loop.schedule(() -> look(asked), PATIENCE_NANOS, TimeUnit.NANOSECONDS);
                if (ask.hangUpNanos() != Long.MAX_VALUE) {
                    loop.schedule(() -> hangUp(asked), ask.hangUpNanos(), TimeUnit.NANOSECONDS);
                }
            }
        }

        private void look(int asked) {
            long silent = System.nanoTime() - heardNanos;
            if (answered || asked != turn) {
                return;
            }
            if (silent < PATIENCE_NANOS) {
                loop.schedule(() -> look(asked), PATIENCE_NANOS - silent, TimeUnit.NANOSECONDS);
                return;
            }
            end(reader.broken("silent for " + PATIENCE_NANOS / 1_000_000_000 + " s", System.nanoTime()), null, 0);
        }

        private void hangUp(int asked) {
            if (!answered && asked == turn) {
                end(reader.left(System.nanoTime()), null, 0);
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext reading, HttpObject message) {
            long now = System.nanoTime();
            heardNanos = now;
            if (answered) {
                return;
            }
            if (message.decoderResult().isFailure()) {
                end(reader.broken("no HTTP: " + message.decoderResult().cause(), now), null, RETREAT_NANOS);
                return;
            }
            if (message instanceof HttpResponse response) {
                keepAlive = HttpUtil.isKeepAlive(response);
                reader.onHead(response.status().code(), response.headers().get("X-Drover-Backend", ""), now);
            }
            if (message instanceof HttpContent content) {
                reader.onPayload(ByteBufUtil.getBytes(content.content()));
            }
            if (message instanceof LastHttpContent) {
                end(reader.ended(now), keepAlive ? this : null, 0);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext inactive) {
            end(reader.broken("connection closed", System.nanoTime()), null, RETREAT_NANOS);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext caught, Throwable cause) {
            end(reader.broken(String.valueOf(cause.getMessage()), System.nanoTime()), null, RETREAT_NANOS);
        }

        /** @param goingOn this if the connection is good for another request */
        private void end(SeenAnswer answer, @Nullable Talk goingOn, long retreatNanos) {
            if (answered) {
                return;
            }
            answered = true;
            if (goingOn == null && context != null) {
                context.close();
            }
            if (!stopped) {
                seen.accept(answer);
                pause(asking.next(), goingOn, retreatNanos);
            }
        }
    }
}
