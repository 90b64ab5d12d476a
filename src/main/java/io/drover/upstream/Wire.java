package io.drover.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import org.jspecify.annotations.Nullable;

/**
 * What stands between TLS and the socket. Counts what goes out as it goes out, since encrypted it is more and
 * {@link WriteProgress} compares; and ends a connection without the close_notify by which TLS tells that all was said.
 */
public final class Wire extends ChannelOutboundHandlerAdapter {
    private final WriteProgress progress = new WriteProgress();
    private @Nullable ChannelHandlerContext context;

    /** Of the bytes on the wire. */
    public WriteProgress progress() {
        return progress;
    }

    /** Succeeds when everything that TLS has handed over so far is with the kernel. */
    public ChannelFuture flushed() {
        return context().writeAndFlush(Unpooled.EMPTY_BUFFER);
    }

    /** Ends the connection as if there were no TLS. */
    public void close() {
        context().close();
    }

    private ChannelHandlerContext context() {
        ChannelHandlerContext mine = context;
        if (mine == null) {
            throw new IllegalStateException("in no pipeline");
        }
        return mine;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        progress.add(((ByteBuf) message).readableBytes());
        context.write(message, promise);
    }
}
