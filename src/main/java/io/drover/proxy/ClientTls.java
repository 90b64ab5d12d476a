package io.drover.proxy;

import io.drover.tls.ServerTls;
import io.drover.upstream.Wire;
import io.drover.upstream.WriteProgress;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS on one client's connection, below its {@link ClientConnection}. Lets the first byte decide: who speaks plain HTTP
 * is told so in plain HTTP, and who says nothing costs no engine.
 *
 * <p>Belongs to one event loop.
 */
final class ClientTls extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ClientTls.class);

    /** The type of the record that a handshake begins with (RFC 8446, 5.1). */
    private static final int HANDSHAKE = 0x16;

    /** So many reads may TLS itself answer, as it does to new keys, to a client that takes none of the answers. */
    private static final int MOST_UNTAKEN = 16;

    private enum State {
        /** Nothing has come, or the handshake is under way. */
        BEGINNING,
        SECURE,
        /** What came is no TLS. */
        PLAIN
    }

    private final ProxyContext context;
    private final ServerTls rules;
    private final Wire wire = new Wire();
    private State state = State.BEGINNING;
    private @Nullable SslHandler handler;
    private int untaken;

    /** @param rules as of the time when the connection was accepted */
    ClientTls(ProxyContext context, ServerTls rules) {
        this.context = context;
        this.rules = rules;
    }

    void addTo(ChannelPipeline pipeline, ChannelHandler connection) {
        pipeline.addLast(wire, this, connection);
    }

    /** Whether nothing can be said to the client yet. */
    boolean isBeginning() {
        return state == State.BEGINNING;
    }

    boolean isSecure() {
        return state == State.SECURE;
    }

    /** Whether the client speaks plain HTTP, here where TLS is spoken. */
    boolean isPlain() {
        return state == State.PLAIN;
    }

    /** Of the bytes on the wire. */
    WriteProgress progress() {
        return wire.progress();
    }

    /**
     * Sends what was written.
     *
     * @param whole whether that is all and nothing was left out, which the client is then told (RFC 8446, 6.1)
     * @return succeeds when it is with the kernel
     */
    ChannelFuture end(ChannelHandlerContext connection, boolean whole) {
        connection.flush();
        if (whole && handler != null) {
            handler.closeOutbound();
        }
        return wire.flushed();
    }

    /** Ends the connection without a word. */
    void close() {
        wire.close();
    }

    /** What an event of TLS means to the connection. */
    enum Told {
        NOTHING,
        /** The handshake is done: the client can be told something. */
        BEGUN,
        /** The client says that it sends no more. */
        ENDED
    }

    Told read(Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake) {
            if (handshake.isSuccess()) {
                state = State.SECURE;
                return Told.BEGUN;
            }
            LOG.debug("TLS with a client fails", handshake.cause());
            context.metrics().onTlsHandshakeFailure();
        }
        return event instanceof SslCloseCompletionEvent closed && closed.isSuccess() ? Told.ENDED : Told.NOTHING;
    }

    /** Whether {@code cause} is a client's breach of TLS and no fault of ours. */
    static boolean isBroken(Throwable cause) {
        return cause instanceof DecoderException && cause.getCause() instanceof SSLException;
    }

    @Override
    public void channelRead(ChannelHandlerContext reading, Object message) {
        if (handler == null && state == State.BEGINNING) {
            begin(reading, (ByteBuf) message);
        }
        boolean full = !reading.channel().isWritable();
        long before = wire.progress().handedOver();
        reading.fireChannelRead(message);
        untaken = !full ? 0 : wire.progress().handedOver() > before ? untaken + 1 : untaken;
        if (untaken > MOST_UNTAKEN || isHandshakeAgain()) {
            LOG.debug("{} asks TLS for too much", reading.channel().remoteAddress());
            wire.close();
        }
    }

    /** Within a connection of TLS 1.2, which Java allows: a load on the server for nothing (CVE-2011-1473). */
    private boolean isHandshakeAgain() {
        if (state != State.SECURE || handler == null) {
            return false;
        }
        SSLEngine engine = handler.engine();
        boolean ending = engine.isInboundDone() || engine.isOutboundDone(); // then a close_notify is waited for
        return !ending && engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_UNWRAP;
    }

    private void begin(ChannelHandlerContext reading, ByteBuf bytes) {
        if (bytes.getUnsignedByte(bytes.readerIndex()) == HANDSHAKE) {
            SslHandler fresh = rules.newHandler(reading.alloc());
            handler = fresh;
            reading.pipeline().addAfter(reading.name(), null, fresh);
        } else {
            state = State.PLAIN;
            context.metrics().onTlsHandshakeFailure();
        }
    }
}
