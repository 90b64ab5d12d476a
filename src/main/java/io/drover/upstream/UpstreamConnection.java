package io.drover.upstream;

import io.drover.backend.Backend;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import java.io.IOException;
import java.net.InetSocketAddress;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One TCP connection to a backend. It belongs to one event loop and serves one request at a time: while it does, its
 * listener owns it; while it does not, its pool does, and any byte or end from the backend closes it.
 */
public final class UpstreamConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(UpstreamConnection.class);

    private final UpstreamPool pool;
    private final InetSocketAddress address;
    private final HeadParser headParser;
    private final MessageHead head = new MessageHead();
    private final WriteProgress progress = new WriteProgress();
    private final @Nullable Wire wire;

    private @Nullable Channel channel;
    private @Nullable UpstreamListener listener;
    private boolean reused;
    private boolean failed;
    /** TLS only: the backend has said that nothing more comes. */
    private boolean notified;

    private boolean reading = true;
    private boolean inRead;
    private boolean parksWhenRead;
    private long idleSinceNanos;

    /** @param wire below TLS; null where there is none */
    UpstreamConnection(
            UpstreamPool pool,
            InetSocketAddress address,
            HeadParser headParser,
            @Nullable Wire wire,
            UpstreamListener listener) {
        this.pool = pool;
        this.address = address;
        this.headParser = headParser;
        this.wire = wire;
        this.listener = listener;
    }

    public Backend backend() {
        return pool.backend();
    }

    /** Whether it has served a request before. */
    public boolean isReused() {
        return reused;
    }

    /** The parser of the responses that come on this connection, with {@link #head} to parse into. */
    public HeadParser headParser() {
        return headParser;
    }

    public MessageHead head() {
        return head;
    }

    /** Writes without flushing. Releases the buffer. A failure ends in {@link UpstreamListener#onClosed}. */
    public void write(ByteBuf bytes) {
        Channel open = open();
        progress.add(bytes.readableBytes());
        open.write(bytes, open.voidPromise());
    }

    public void flush() {
        open().flush();
    }

    /** Whether it can take more bytes without queueing beyond its limit. */
    public boolean isWritable() {
        return open().isWritable();
    }

    /** For how long the backend has taken nothing of what waits for it. */
    public long stalledNanos(long nowNanos) {
        return (wire == null ? progress : wire.progress()).stalledNanos(open(), nowNanos);
    }

    /** Stops or resumes reading from the backend: how a slow client slows its backend down. */
    public void setReading(boolean on) {
        if (reading != on) {
            reading = on;
            open().config().setAutoRead(on);
        }
    }

    /** Ends the listener's use: back to the pool, or closed where that is not {@link ConnectionReuse} 's verdict. */
    public void release(boolean reusable) {
        listener = null;
        Channel open = open();
        // A body that was answered before the backend took it would stand before the next request.
        if (!reusable || failed || !open.isActive() || !WriteProgress.isAllTaken(open)) {
            close(open);
            return;
        }
        setReading(true);
        reused = true;
        // More may have come in the same read, behind the response: not before its end is it known that none has.
        parksWhenRead = inRead;
        if (!inRead) {
            pool.park(this);
        }
    }

    /** Closes the connection; the listener hears no more of it. How a backend learns to stop generating. */
    public void close() {
        listener = null;
        if (channel != null) {
            close(channel);
        }
    }

    private void close(Channel open) {
        if (wire != null && !WriteProgress.isAllTaken(open)) {
            // The close_notify would wait for a backend that takes nothing.
            wire.close();
        } else {
            open.close();
        }
    }

    @Nullable
    Wire wire() {
        return wire;
    }

    /** Whether nothing is known against another request on it. */
    boolean isUsable() {
        return !failed && channel != null && channel.isActive();
    }

    /** Where it leads. */
    InetSocketAddress address() {
        return address;
    }

    void lend(UpstreamListener to) {
        listener = to;
    }

    void onConnected(Channel connected) {
        channel = connected;
    }

    void parkedAt(long nanos) {
        idleSinceNanos = nanos;
    }

    long idleSinceNanos() {
        return idleSinceNanos;
    }

    /** Who is told what happens; while TLS begins, nobody. */
    private @Nullable UpstreamListener user() {
        return channel == null ? null : listener;
    }

    private Channel open() {
        Channel open = channel;
        if (open == null) {
            throw new IllegalStateException("not connected");
        }
        return open;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        inRead = true;
        UpstreamListener user = user();
        if (user != null) {
            user.onRead(bytes);
        } else {
            // Bytes that belong to no request poison whatever would come next (CVE-2025-4366 and its kin).
            bytes.release();
            failed = true;
            context.close();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        inRead = false;
        if (parksWhenRead && isUsable()) {
            parksWhenRead = false;
            pool.park(this);
        }
        UpstreamListener user = user();
        if (user != null) {
            user.onReadComplete();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        UpstreamListener user = user();
        if (user != null) {
            user.onWritabilityChanged();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslCloseCompletionEvent closed && closed.isSuccess()) {
            notified = true;
            context.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (channel == null) {
            return; // TLS did not begin: the pool learns it by another way.
        }
        pool.onClosed(this);
        UpstreamListener user = listener;
        listener = null;
        if (user != null) {
            // Anybody on the way can end a TCP connection; over TLS only the backend can say that this was all.
            user.onClosed(failed || (wire != null && !notified));
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        failed = true;
        boolean ofTls = wire != null && cause instanceof DecoderException && cause.getCause() instanceof SSLException;
        if (!(cause instanceof IOException) && !ofTls) {
            LOG.error("upstream connection fails by a fault of ours", cause);
            context.close();
        }
        // A failed write leaves the reading side open: the backend may have answered early and closed
        // (an existing blob), and that answer is worth reading. A failed read is followed by channelInactive.
    }
}
