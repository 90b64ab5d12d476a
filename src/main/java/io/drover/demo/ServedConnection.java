package io.drover.demo;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection: takes requests one after the other, as Go's server does, and tells the running one when the
 * client has gone. Confined to its event loop but for {@link #adjustReading} and {@link #disconnect}.
 */
// What fails here fails because the connection is closed, which is what was wanted.
@SuppressWarnings("FutureReturnValueIgnored")
final class ServedConnection extends ChannelInboundHandlerAdapter {
    // Go's rstAvoidanceDelay: so long it waits between closing its half and closing all.
    private static final long HALF_CLOSED_MILLIS = 500;

    private final Simulation simulation;
    private final Channel channel;
    private final ArrayDeque<Object> held = new ArrayDeque<>();
    private @Nullable Incoming current;
    private boolean refusing;
    private boolean holding;

    ServedConnection(Simulation simulation, Channel channel) {
        this.simulation = simulation;
        this.channel = channel;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        simulation.counters.accepted.increment();
        simulation.connections.add(this);
        adjustReading();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        simulation.connections.remove(this);
        Incoming gone = current;
        if (gone != null) {
            current = null;
            gone.onClientGone();
        }
        held.forEach(ReferenceCountUtil::release);
        held.clear();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // A reset by the client and the like; what was running ends in channelInactive.
        ctx.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        Incoming running = current;
        if (refusing) {
            ReferenceCountUtil.release(msg);
        } else if ((running != null && running.isRead()) || !held.isEmpty()) {
            // The next request waits until this one is answered; meanwhile, as with Go, nobody sees the client leave.
            held.add(msg);
            holding = true;
            adjustReading();
        } else {
            take(msg);
        }
    }

    private void take(Object msg) {
        try {
            if (msg instanceof HttpRequest request) {
                begin(request);
            }
            if (msg instanceof HttpContent content && current != null) {
                if (content.decoderResult().isFailure()) {
                    refuse("400 Bad Request", "");
                    return;
                }
                current.onContent(content.content(), content instanceof LastHttpContent);
            }
        } finally {
            ReferenceCountUtil.release(msg);
        }
    }

    private void begin(HttpRequest request) {
        if (request.decoderResult().isFailure()) {
            Throwable cause = request.decoderResult().cause();
            boolean tooLong = cause instanceof TooLongHttpHeaderException || cause instanceof TooLongHttpLineException;
            refuse(tooLong ? "431 Request Header Fields Too Large" : "400 Bad Request", "");
            return;
        }
        int hosts = request.headers().getAll(HttpHeaderNames.HOST).size();
        if (hosts > 1 || (hosts == 0 && request.protocolVersion().equals(HttpVersion.HTTP_1_1))) {
            refuse("400 Bad Request", hosts > 1 ? ": too many Host headers" : ": missing required Host header");
            return;
        }
        simulation.counters.requests.increment();
        Incoming incoming = new Incoming(simulation, codec(), request, this);
        current = incoming;
        incoming.start();
    }

    private ChannelHandlerContext codec() {
        return channel.pipeline().context(HttpServerCodec.class);
    }

    /** Answers what is no HTTP as Go does, and closes. */
    private void refuse(String status, String reason) {
        refusing = true;
        Incoming running = current;
        current = null;
        if (running != null) {
            running.onClientGone();
        }
        String text = "HTTP/1.1 " + status + "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
                + status + reason;
        codec().writeAndFlush(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII))
                .addListener(ChannelFutureListener.CLOSE);
    }

    /** The running request was answered; its body may still be on its way. */
    void onAnswered(boolean close) {
        Incoming running = current;
        if (running == null) {
            return;
        }
        if (close) {
            current = null;
            refusing = true;
            if (running.isRead()) {
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            } else {
                running.onAbandoned();
                closeWithUnreadBody();
            }
        } else if (running.isRead()) {
            next();
        }
    }

    private void closeWithUnreadBody() {
        channel.config().setAutoRead(false);
        ((DuplexChannel) channel).shutdownOutput();
        channel.eventLoop().schedule(() -> channel.close(), HALF_CLOSED_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Called by the running request when its body has been read although it was answered before. */
    void next() {
        current = null;
        // Not from within the call that answered: its caller may still look at its own state.
        if (!held.isEmpty()) {
            channel.eventLoop().execute(this::takeHeld);
        }
    }

    private void takeHeld() {
        while (!held.isEmpty() && (current == null || !current.isRead()) && !refusing) {
            take(held.remove());
        }
        if (held.isEmpty() && holding) {
            holding = false;
            adjustReading();
        }
    }

    /** Reads, unless the server is frozen or a request waits. Any thread. */
    void adjustReading() {
        if (!channel.eventLoop().inEventLoop()) {
            channel.eventLoop().execute(this::adjustReading);
        } else if (!refusing) {
            channel.config().setAutoRead(!simulation.isFrozen() && !holding);
        }
    }

    /** Closes without a word. Any thread. */
    void disconnect(boolean reset) {
        channel.eventLoop().execute(() -> {
            if (reset) {
                channel.config().setOption(ChannelOption.SO_LINGER, 0);
            }
            channel.close();
        });
    }
}
