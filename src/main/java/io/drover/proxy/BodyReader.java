package io.drover.proxy;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Takes a request's body off the wire: finds its end, counts it, refuses what is too large. */
final class BodyReader implements ChunkedFraming.Payload {
    private final ChunkedFraming.Payload sink;
    private final @Nullable ChunkedFraming chunks;
    private long limit;
    private long remaining;
    private long wireBytes;
    private long payloadBytes;

    /**
     * @param limit most bytes of payload; beyond it reading fails with 413
     * @param chunks for a body in chunks, else null
     */
    BodyReader(BodyFraming framing, long limit, @Nullable ChunkedFraming chunks, ChunkedFraming.Payload sink) {
        this.chunks = chunks;
        this.remaining = framing.length();
        this.limit = limit;
        this.sink = sink;
    }

    /** Consumes the body's bytes from {@code in}, and none behind them. */
    void read(ByteBuf in) throws BadMessageException {
        int start = in.readerIndex();
        int end;
        if (chunks != null) {
            end = chunks.scan(in, this);
        } else {
            end = start + (int) Math.min(remaining, in.readableBytes());
            remaining -= end - start;
            onPayload(in, start, end);
        }
        in.readerIndex(end);
        wireBytes += end - start;
        if (payloadBytes > limit) {
            throw new BadMessageException(413, "request body larger than " + limit + " bytes (limits.request-body)");
        }
    }

    /** What is still read is thrown away: how much it is does not matter any more. */
    void liftLimit() {
        limit = Long.MAX_VALUE;
    }

    @Override
    public void onPayload(ByteBuf in, int from, int to) {
        payloadBytes += to - from;
        if (payloadBytes <= limit) {
            sink.onPayload(in, from, to);
        }
    }

    boolean isComplete() {
        return chunks == null ? remaining == 0 : chunks.isDone();
    }

    /** Bytes still to come where that is known, else 0. */
    long remaining() {
        return remaining;
    }

    long wireBytes() {
        return wireBytes;
    }

    long payloadBytes() {
        return payloadBytes;
    }
}
