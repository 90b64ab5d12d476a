package io.drover.health;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig;
import io.drover.http.BadMessageException;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.drover.tls.BackendContexts;
import io.drover.tls.TlsFailure;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One probe: a connection of its own, one request, the answer, all within one deadline. Its head alone is the result,
 * told to the backend as soon as it is there; what its body says of the version, and that it has none, follows. Then
 * whoever waits for the end is told, once. Belongs to one event loop.
 */
final class Probe extends ChannelInboundHandlerAdapter {
    private final Backend backend;
    private final byte[] request;
    private final HeadParser parser;
    private final int maxExtraBytes;
    private final Runnable onEnd;
    private final MessageHead head = new MessageHead();

    private @Nullable Channel channel;
    private @Nullable Future<?> deadline;
    private boolean connected;
    private boolean secured;
    private boolean ended;
    private boolean answered;
    private @Nullable VersionAnswer version;

    Probe(Backend backend, byte[] request, DroverConfig.Limits limits, Runnable onEnd) {
        this.backend = backend;
        this.request = request;
        this.parser = HeadParser.ofResponses(limits.requestHead(), limits.headers());
        this.maxExtraBytes = limits.requestHead();
        this.onEnd = onEnd;
    }

    /** @param bootstrap with the transport and {@code loop} set */
    void start(Bootstrap bootstrap, BackendContexts tls, EventLoop loop, InetSocketAddress address, long timeoutNanos) {
        parser.reset(head);
        deadline = loop.schedule(
                () -> fail(
                        !connected ? "connect timed out" : secured ? "probe timed out" : TlsFailure.TIMED_OUT.text()),
                timeoutNanos,
                TimeUnit.NANOSECONDS);
        secured = !backend.config().isTls();
        ChannelFuture connect =
                bootstrap.clone().handler(tls.before(this, backend.config())).connect(address);
        channel = connect.channel();
        if (connect.isDone()) {
            // Without a channel there is no loop either: a listener would be called on a strange thread.
            onConnectDone(connect.cause());
        } else {
            connect.addListener(done -> onConnectDone(done.cause()));
        }
    }

    /** Ends it without a result and without telling anybody. */
    void cancel() {
        ended = true;
        release();
    }

    /** Whether it has succeeded. */
    boolean isAnswered() {
        return answered;
    }

    private void onConnectDone(@Nullable Throwable cause) {
        if (cause == null) {
            connected = true;
        } else if (cause instanceof ChannelException) {
            // No socket to be had, most likely for want of descriptors: that tells nothing about the backend.
            end(() -> {});
        } else {
            boolean refused = cause instanceof ConnectException && !(cause instanceof NoRouteToHostException);
            fail(refused ? "connection refused" : "connect failed");
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.writeAndFlush(context.alloc().ioBuffer(request.length).writeBytes(request));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            if (!ended) {
                read(bytes);
            }
        } catch (BadMessageException malformed) {
            fail("malformed answer");
        } finally {
            bytes.release();
        }
    }

    private void read(ByteBuf bytes) throws BadMessageException {
        if (answered) {
            if (isVersionRead(bytes)) {
                end(() -> {});
            }
            return;
        }
        while (parser.parse(bytes, head)) {
            int status = head.status();
            if (status >= 200 || status == 101) {
                onStatus(status, bytes);
                return;
            }
            // An interim answer: the final one follows (RFC 9110, 15.2).
            parser.reset(head);
        }
    }

    private void onStatus(int status, ByteBuf bytes) {
        if (status >= 200 && status < 300) {
            answered = true;
            // As a rule all of it is here: then its version is known before it gets a request.
            if (isVersionRead(bytes)) {
                end(this::succeed);
            } else {
                succeed();
            }
        } else {
            // 401 and 403 too: with the same Host and Authorization, every client's request would get them.
            fail("answered " + status);
        }
    }

    private void succeed() {
        backend.onProbe(true, "", System.nanoTime());
    }

    private boolean isVersionRead(ByteBuf bytes) {
        try {
            VersionAnswer known = version == null ? new VersionAnswer(head, maxExtraBytes) : version;
            version = known;
            if (!known.read(bytes)) {
                return false;
            }
        } catch (BadMessageException malformed) {
            version = null;
        }
        tellVersion();
        return true;
    }

    private void tellVersion() {
        backend.onVersion(version == null ? null : version.version());
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake) {
            secured = handshake.isSuccess();
            if (!secured) {
                fail(TlsFailure.of(handshake.cause()).text());
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        fail("connection closed");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail("connection closed");
    }

    private void fail(String reason) {
        end(() -> {
            if (answered) {
                // Where its connection ends, its body may do so too; what is cut short tells no version.
                tellVersion();
            } else {
                backend.onProbe(false, reason, System.nanoTime());
            }
        });
    }

    private void end(Runnable report) {
        if (ended) {
            return;
        }
        ended = true;
        release();
        try {
            report.run();
        } finally {
            onEnd.run();
        }
    }

    private void release() {
        if (deadline != null) {
            deadline.cancel(false);
        }
        // A channel that could not be made has no loop to be closed on.
        if (channel != null && channel.isRegistered()) {
            channel.close();
        }
    }
}
