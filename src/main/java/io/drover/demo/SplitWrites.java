package io.drover.demo;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;

/** Stands below the codec and sends every byte on its own. */
// The outcome of the last byte stands for all.
@SuppressWarnings("FutureReturnValueIgnored")
final class SplitWrites extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
        if (!(msg instanceof ByteBuf bytes) || bytes.readableBytes() < 2) {
            ctx.writeAndFlush(msg, promise);
            return;
        }
        while (bytes.readableBytes() > 1) {
            ctx.writeAndFlush(bytes.readRetainedSlice(1), ctx.voidPromise());
        }
        ctx.writeAndFlush(bytes, promise);
    }
}
