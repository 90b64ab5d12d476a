package io.drover.proxy;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.netty.buffer.ByteBuf;

/** Takes a request's body off the wire: finds its end, counts it, refuses what is too large. */
final class BodyReader {
    private final ChunkedFraming.Payload sink;
    private final ChunkedFraming chunks;
    private final boolean chunked;
    private final ChunkedFraming.Payload counter = this::count;
    private long limit;
    private long remaining;
    private long wireBytes;
    private long payloadBytes;

    /** @param limit most bytes of payload; beyond it reading fails with 413 */
    BodyReader(BodyFraming framing, long limit, ChunkedFraming chunks, ChunkedFraming.Payload sink) {
        this.chunked = framing.kind() == BodyFraming.Kind.CHUNKED;
        this.remaining = framing.length();
        this.limit = limit;
        this.chunks = chunks;
        this.sink = sink;
    }

    /** Consumes the body's bytes from {@code in}, and none behind them. */
    void read(ByteBuf in) throws BadMessageException {
        int start = in.readerIndex();
        int end;
        if (chunked) {
            end = chunks.scan(in, counter);
        } else {
            end = start + (int) Math.min(remaining, in.readableBytes());
            remaining -= end - start;
            count(in, start, end);
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

    private void count(ByteBuf in, int from, int to) {
        payloadBytes += to - from;
        if (payloadBytes <= limit) {
            sink.onPayload(in, from, to);
        }
    }

    boolean isComplete() {
        return chunked ? chunks.isDone() : remaining == 0;
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
