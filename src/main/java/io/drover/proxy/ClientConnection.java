package io.drover.proxy;

import io.drover.config.DroverConfig;
import io.drover.http.BadMessageException;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.drover.upstream.WriteProgress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's TCP connection: parses requests, one after the other, gives each to an {@link Exchange}, and writes the
 * responses in order. Whatever is unsure about its framing closes it; nothing is parsed after a violation.
 *
 * <p>Belongs to one event loop.
 */
public final class ClientConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ClientConnection.class);

    /** Pipelined bytes kept while a response runs; beyond that the client is not read. */
    private static final int MAX_PIPELINED = 16 * 1024;

    /** Why the client is not read; several reasons may hold at once. */
    private static final int PIPELINED = 1;

    private static final int BODY_HAS_NO_ROOM = 2;

    /** The client takes no answers, so that it may ask for no more. */
    private static final int ANSWERS_NOT_TAKEN = 4;

    private enum State {
        OPEN,
        /** The last response waits for the client to take it; then the connection ends. */
        FLUSHING,
        /** The last response was written; what still comes is thrown away, so that it can be read (RFC 9112, 9.6). */
        LINGERING,
        CLOSED
    }

    private final Worker worker;
    private final HeadParser parser;
    private final MessageHead head = new MessageHead();
    private final WriteProgress progress = new WriteProgress();
    private final @Nullable ClientTls tls;
    private final AddressCount addressCount;
    private final Scratch scratch = new Scratch();
    private final Deadlines.Node deadline = new Deadlines.Node() {
        @Override
        void onDeadline(long nowNanos) {
            ClientConnection.this.onDeadline(nowNanos);
        }
    };

    private @Nullable ChannelHandlerContext context;
    private @Nullable Peer peer;
    private State state = State.OPEN;
    private @Nullable ByteBuf pending;
    private @Nullable Exchange exchange;
    private boolean processing;
    private boolean broken;
    private int paused;
    private long sinceNanos;

    /** @param tls below it; null on a port of plain HTTP */
    ClientConnection(Worker worker, @Nullable ClientTls tls) {
        this.worker = worker;
        this.tls = tls;
        this.parser = worker.newRequestParser();
        this.addressCount = new AddressCount(worker.context());
    }

    MessageHead head() {
        return head;
    }

    /** Memory of its requests, which come one after the other. */
    Scratch scratch() {
        return scratch;
    }

    /** Who asks: whom a believed PROXY header names, else who the socket is connected to. */
    Peer peer() {
        Peer known = peer;
        if (known == null) {
            known = Peer.of(channel().remoteAddress());
            peer = known;
        }
        return known;
    }

    /** Whether the address that was connected to is one that only this machine reaches. */
    boolean isOnLoopbackListener() {
        Channel listener = channel().parent();
        return listener != null
                && listener.localAddress() instanceof InetSocketAddress address
                && address.getAddress().isLoopbackAddress();
    }

    /** What the client speaks: {@code http} or {@code https}. */
    String scheme() {
        return tls != null && tls.isSecure() ? "https" : "http";
    }

    /** Bytes written to this client so far, queued ones included. */
    long bytesWritten() {
        return progress.handedOver();
    }

    /** For how long the client has taken nothing of what waits for it. */
    long stalledNanos(long nowNanos) {
        return (tls == null ? progress : tls.progress()).stalledNanos(channel(), nowNanos);
    }

    /** Whether the client takes bytes without their being queued beyond its limit; one that has left needs no wait. */
    boolean isWritable() {
        return state == State.CLOSED || channel().isWritable();
    }

    /** Bytes that wait for the client to take them. */
    long waiting() {
        return WriteProgress.waiting(channel());
    }

    /** Queues bytes; releases them. */
    void write(ByteBuf bytes) {
        if (state == State.CLOSED) {
            bytes.release();
            return;
        }
        ChannelHandlerContext to = context();
        progress.add(bytes.readableBytes());
        to.write(Compaction.of(bytes, to.channel(), worker), to.voidPromise());
    }

    void flush() {
        context().flush();
    }

    /** The exchange's next look at its own deadlines. */
    void setDeadline(long atNanos) {
        worker.deadlines().set(deadline, atNanos);
    }

    /** Passes over bytes behind the head that was parsed last, if they are all there; whether it did. */
    boolean skip(long bytes) {
        ByteBuf in = pending;
        if (in == null || in.readableBytes() < bytes) {
            return false;
        }
        in.skipBytes((int) bytes);
        return true;
    }

    /** An exchange that had to wait for that knows now who asks; if it has ended meanwhile, nothing follows. */
    void onIdentified(Exchange waiting) {
        if (exchange != waiting) {
            return;
        }
        try {
            waiting.admit();
        } catch (BadMessageException e) {
            waiting.refuse(e);
        }
        resume(PIPELINED);
        process();
    }

    /** The body has room again after it had none. */
    void onBodyRoom() {
        if ((paused & BODY_HAS_NO_ROOM) != 0) {
            resume(BODY_HAS_NO_ROOM);
            process();
        }
    }

    /**
     * The exchange is over and its response written.
     *
     * @param reusable whether another request may follow on this connection
     * @param unread whether the client may still be sending, so that the connection must not be cut at once
     */
    void onExchangeDone(boolean reusable, boolean unread) {
        exchange = null;
        if (state == State.CLOSED) {
            forget();
        }
        if (state != State.OPEN) {
            return;
        }
        if (!reusable) {
            closeAfterFlush(unread);
            return;
        }
        sinceNanos = worker.clock().now();
        parser.reset(head);
        setDeadline(sinceNanos + timeouts().keepAlive().toNanos());
        resume(PIPELINED | BODY_HAS_NO_ROOM);
        process();
    }

    /**
     * Ends the connection behind what waits for the client, in a way that it cannot take for the end of a whole
     * response.
     *
     * @param reset whether an orderly end would be taken for one
     */
    void cut(boolean reset) {
        exchange = null;
        broken = true;
        if (state == State.OPEN) {
            if (reset) {
                endWithReset();
            }
            closeAfterFlush(!reset);
        }
    }

    /** Ends the connection at once; what waits for the client is lost. */
    void drop() {
        exchange = null;
        if (state == State.OPEN) {
            state = State.FLUSHING;
            closeNow();
        }
    }

    /** Ends whatever runs on the connection, and the connection. */
    void abort(String cause) {
        Exchange running = exchange;
        if (running != null) {
            running.onAborted(cause);
        }
        closeNow();
    }

    /** Closes at once, so that what the client has not taken is not followed by what looks like an orderly end. */
    void closeNow() {
        if (!WriteProgress.isAllTaken(channel())) {
            endWithReset();
        }
        close();
    }

    /** Over TLS without a close_notify: whoever has more to tell by it has sent it before. */
    private void close() {
        if (tls == null) {
            channel().close();
        } else {
            tls.close();
        }
    }

    private void endWithReset() {
        if (channel().isOpen()) {
            channel().config().setOption(ChannelOption.SO_LINGER, 0);
        }
    }

    /** The request that runs; null between two. */
    @Nullable
    Exchange running() {
        return exchange;
    }

    void closeIfIdle() {
        if (state == State.OPEN && exchange == null && !parser.isStarted()) {
            closeAfterFlush(false);
        }
    }

    private void closeAfterFlush(boolean linger) {
        Channel open = channel();
        if (tls != null && tls.isBeginning()) {
            closeNow();
            return;
        }
        state = State.FLUSHING;
        releasePending();
        resume(PIPELINED | BODY_HAS_NO_ROOM | ANSWERS_NOT_TAKEN);
        setDeadline(worker.clock().now() + Look.within(timeouts().clientWrite().toNanos()));
        ChannelFuture written = tls == null ? open.writeAndFlush(Unpooled.EMPTY_BUFFER) : tls.end(context(), !broken);
        written.addListener(done -> {
            if (linger && open instanceof DuplexChannel duplex && open.isActive()) {
                // Closing with unread input would make the kernel send a reset, and that can eat the response.
                state = State.LINGERING;
                duplex.shutdownOutput();
                setDeadline(worker.clock().read() + timeouts().lingeringClose().toNanos());
            } else {
                close();
            }
        });
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "context");
    }

    private DroverConfig.Timeouts timeouts() {
        return worker.context().config().timeouts();
    }

    private Channel channel() {
        return context().channel();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        worker.clients().add(this);
        worker.context().clientConnections().incrementAndGet();
        parser.reset(head);
        sinceNanos = worker.clock().read();
        setDeadline(sinceNanos + timeouts().requestHead().toNanos());
        refuseIfOneTooMany();
    }

    private void refuseIfOneTooMany() {
        try {
            boolean known = peer != null || !worker.context().config().proxyProtocol();
            addressCount.open(known ? peer() : null);
        } catch (BadMessageException tooMany) {
            if (tls == null || !tls.isBeginning()) {
                begin().refuse(tooMany);
            } else {
                // It is told once it can be, if that is no longer than others linger after they were told.
                setDeadline(sinceNanos + timeouts().lingeringClose().toNanos());
            }
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof Peer told) {
            peer = told; // By PeerHeader, before the first byte of TLS or of a request.
            refuseIfOneTooMany();
        } else if (tls != null) {
            worker.clock().read();
            switch (tls.read(event)) {
                case BEGUN -> refuseIfOneTooMany();
                case ENDED -> onEnded();
                case NOTHING -> {}
            }
        }
    }

    /** Whoever says that it is done is told the same, unless something of it is broken off by that (RFC 8446, 6.1). */
    private void onEnded() {
        closeIfIdle();
        if (state != State.FLUSHING) {
            closeNow();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        worker.clock().read();
        state = State.CLOSED;
        worker.context().clientConnections().decrementAndGet();
        addressCount.close();
        worker.setSlow(this, false);
        releasePending();
        Exchange running = exchange;
        if (running == null || !running.onClientGone()) {
            exchange = null;
            forget();
        }
    }

    private void forget() {
        worker.clients().remove(this);
        worker.deadlines().clear(deadline);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (state != State.OPEN) {
            bytes.release();
            return;
        }
        worker.clock().read();
        ByteBuf before = pending;
        if (before == null) {
            pending = bytes;
        } else {
            pending = worker.allocate(before.readableBytes() + bytes.readableBytes())
                    .writeBytes(before)
                    .writeBytes(bytes);
            before.release();
            bytes.release();
        }
        process();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (paused != 0 && state == State.OPEN && worker.peerState().hasLeft(channel())) {
            // Once its end has come, epoll and io_uring read a client whether they should or not: what comes unasked
            // is that, and over TLS perhaps not even one record. How it ended must be asked for: of a reset behind
            // bytes io_uring tells nothing then.
            closeNow();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        worker.clock().read();
        boolean writable = channel().isWritable();
        worker.setSlow(this, !writable && state != State.CLOSED);
        Exchange running = exchange;
        if (running != null) {
            running.onClientWritability(writable);
        }
        if (writable && (paused & ANSWERS_NOT_TAKEN) != 0) {
            resume(ANSWERS_NOT_TAKEN);
            process();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException) && !(tls != null && ClientTls.isBroken(cause))) {
            LOG.error("client connection fails by a fault of ours", cause);
        }
        if (tls == null || !tls.isBeginning()) {
            closeNow(); // else an alert is on its way that says why
        }
    }

    /** Works through what has come: heads, bodies, and again, until it is used up or must wait. */
    private void process() {
        if (processing) {
            return;
        }
        processing = true;
        try {
            // A loop and not a recursion: a client may pipeline thousands of requests that end at once.
            while (state == State.OPEN && (step() || advance())) {
                // Each turn has used some bytes, or begun or ended an exchange.
            }
        } finally {
            processing = false;
        }
        ByteBuf left = pending;
        if (left != null && !left.isReadable()) {
            releasePending();
        } else if (left != null && exchange != null && !exchange.wantsBody() && left.readableBytes() > MAX_PIPELINED) {
            pause(PIPELINED);
        }
    }

    /** The input is used up for now, so the exchange may go on; whether it has ended by that. */
    private boolean advance() {
        Exchange running = exchange;
        if (running == null) {
            return false;
        }
        running.onInputUsed();
        return exchange != running;
    }

    /** Whether there is more to do at once. */
    private boolean step() {
        ByteBuf in = pending;
        if (in == null || !in.isReadable()) {
            return false;
        }
        Exchange running = exchange;
        if (running == null) {
            if (!channel().isWritable()) {
                pause(ANSWERS_NOT_TAKEN);
                return false;
            }
            return head(in);
        }
        if (!running.wantsBody()) {
            return false;
        }
        if (!running.bodyHasRoom()) {
            pause(BODY_HAS_NO_ROOM);
            return false;
        }
        try {
            running.onBody(in);
        } catch (BadMessageException e) {
            running.refuse(e);
        }
        return true;
    }

    private boolean head(ByteBuf in) {
        boolean started = parser.isStarted();
        try {
            if (!parser.parse(in, head)) {
                if (!started && parser.isStarted()) {
                    sinceNanos = worker.clock().now();
                    setDeadline(sinceNanos + timeouts().requestHead().toNanos());
                }
                return false;
            }
            if (tls != null && tls.isPlain()) {
                throw BadMessageException.badRequest("plain HTTP on a port that speaks TLS (https)");
            }
        } catch (BadMessageException e) {
            begin().refuse(e);
            return false;
        }
        Exchange next = begin();
        try {
            next.onRequestHead();
        } catch (BadMessageException e) {
            next.refuse(e);
        }
        return true;
    }

    private Exchange begin() {
        Exchange next = new Exchange(worker, this);
        exchange = next;
        return next;
    }

    private void onDeadline(long nowNanos) {
        try {
            deadline(nowNanos);
        } catch (RuntimeException e) {
            // Without a deadline the connection could stay for ever.
            LOG.error("a deadline fails by a fault of ours", e);
            closeNow();
        }
    }

    private void deadline(long nowNanos) {
        Exchange running = exchange;
        if (running != null) {
            running.onDeadline(nowNanos);
        } else if (state == State.FLUSHING && channel().isActive()) {
            long limit = timeouts().clientWrite().toNanos();
            if (stalledNanos(nowNanos) < limit) {
                setDeadline(nowNanos + Look.within(limit));
            } else {
                closeNow();
            }
        } else if (state != State.OPEN || !channel().isActive()) {
            closeNow();
        } else if (parser.isStarted()) {
            long limit = timeouts().requestHead().toMillis();
            begin().refuse(new BadMessageException(
                    408, "the request's head took longer than " + limit + " ms (timeouts.request-head)"));
        } else {
            closeAfterFlush(false);
        }
    }

    private void pause(int reason) {
        paused |= reason;
        channel().config().setAutoRead(false);
    }

    private void resume(int reasons) {
        paused &= ~reasons;
        if (paused == 0) {
            channel().config().setAutoRead(true);
        }
    }

    private void releasePending() {
        ByteBuf left = pending;
        pending = null;
        if (left != null) {
            left.release();
        }
    }

    @Override
    public String toString() {
        return "client " + (context == null ? "" : context.channel().remoteAddress());
    }
}
