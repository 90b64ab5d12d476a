package io.drover.bench;

import io.drover.http.BadMessageException;
import io.drover.http.ChunkedFraming;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** A client's connection that asks for one stream and measures its tokens. */
final class StreamClient extends ChannelInboundHandlerAdapter implements TokenReader.Sink {
    private static final int OK = 200;

    private final byte[] request;
    /** Holds the window that counts now. */
    private final StreamWindow[] window;

    private final HeadParser parser = HeadParser.ofResponses(HttpText.MAX_HEAD, HttpText.MAX_FIELDS);
    private final MessageHead head = new MessageHead();
    private final ChunkedFraming chunks = new ChunkedFraming(HttpText.MAX_HEAD);
    private final TokenReader reader = new TokenReader(this);
    private boolean inBody;
    private boolean failed;
    private int expected;
    private long asked;
    private long arrived;
    private long now;

    StreamClient(byte[] request, StreamWindow[] window) {
        this.request = request;
        this.window = window;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        asked = System.nanoTime();
        context.writeAndFlush(Unpooled.wrappedBuffer(request), context.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws BadMessageException {
        ByteBuf in = (ByteBuf) message;
        try {
            now = System.nanoTime();
            if (!inBody) {
                if (!parser.parse(in, head)) {
                    return;
                }
                if (head.status() != OK) {
                    fail("status " + head.status());
                }
                inBody = true;
            }
            in.readerIndex(chunks.scan(in, reader));
        } finally {
            in.release();
        }
    }

    @Override
    public void onToken(long sentNanos, int number) {
        if (number != expected) {
            fail("token " + number + " (expected: " + expected + ")");
        }
        expected = number + 1;
        if (number == 0) {
            window[0].onFirstToken(now - asked);
        } else {
            window[0].onToken(now - sentNanos, now - arrived);
        }
        arrived = now;
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        fail("the stream ended after " + expected + " tokens");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail(cause.toString());
        context.close();
    }

    private void fail(String what) {
        if (!failed) {
            failed = true;
            window[0].onFailure(what);
        }
    }
}
