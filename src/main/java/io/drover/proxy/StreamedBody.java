package io.drover.proxy;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkWriter;
import io.drover.http.ChunkedFraming;
import io.drover.http.HeadWriter;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A body that passes through, of any size, in bounded memory. The payload is framed anew: what the client sent as
 * framing never reaches a backend.
 */
final class StreamedBody implements RequestBody, ChunkedFraming.Payload {
    /** What a waiting piece costs besides its bytes: a client may send them one by one. */
    private static final int PIECE_OVERHEAD = 256;

    private final Worker worker;
    private final BodyFraming framing;
    private final BodyReader reader;
    private final @Nullable BodyCopy copy;
    private final int room;
    private final Deque<ByteBuf> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private @Nullable UpstreamConnection to;
    private boolean sent;
    private boolean stopped;

    /** @param copy for the audit log, sees the payload as it comes; null where that does not want it */
    StreamedBody(Worker worker, BodyFraming framing, long limit, @Nullable BodyCopy copy) {
        this.worker = worker;
        this.framing = framing;
        this.copy = copy;
        this.reader = new BodyReader(framing, limit, worker.chunksOf(framing), this);
        this.room = worker.context().config().buffers().streamHigh();
    }

    @Override
    public void read(ByteBuf in) throws BadMessageException {
        reader.read(in);
        UpstreamConnection open = to;
        if (open != null) {
            if (reader.isComplete() && framing.kind() == BodyFraming.Kind.CHUNKED) {
                open.write(ChunkWriter.lastChunk());
            }
            open.flush();
        }
    }

    @Override
    public void onPayload(ByteBuf in, int from, int to) {
        if (stopped || from == to) {
            return;
        }
        if (copy != null) {
            copy.feed(in, from, to);
        }
        ByteBuf piece = in.retainedSlice(from, to - from);
        UpstreamConnection open = this.to;
        if (open == null) {
            waiting.add(piece);
            waitingBytes += piece.readableBytes() + PIECE_OVERHEAD;
        } else {
            write(piece, open);
        }
    }

    private void write(ByteBuf piece, UpstreamConnection open) {
        if (framing.kind() == BodyFraming.Kind.CHUNKED) {
            open.write(ChunkWriter.sizeLine(worker.allocator(), piece.readableBytes()));
            open.write(piece);
            open.write(ChunkWriter.crlf());
        } else {
            open.write(piece);
        }
    }

    @Override
    public boolean isComplete() {
        return reader.isComplete();
    }

    @Override
    public boolean hasRoom() {
        UpstreamConnection open = to;
        return stopped || (open == null ? waitingBytes < room : open.isWritable());
    }

    @Override
    public long wireBytes() {
        return reader.wireBytes();
    }

    @Override
    public boolean isReplayable() {
        return !sent;
    }

    @Override
    public void frame(HeadWriter writer) {
        if (framing.kind() == BodyFraming.Kind.CHUNKED) {
            writer.chunked();
        } else {
            writer.contentLength(framing.length());
        }
    }

    @Override
    public void send(ByteBuf head, UpstreamConnection connection) {
        to = connection;
        sent = true;
        connection.write(head);
        for (ByteBuf piece = waiting.poll(); piece != null; piece = waiting.poll()) {
            write(piece, connection);
        }
        waitingBytes = 0;
        if (reader.isComplete() && framing.kind() == BodyFraming.Kind.CHUNKED) {
            connection.write(ChunkWriter.lastChunk());
        }
        connection.flush();
    }

    @Override
    public void stop() {
        to = null;
        stopped = true;
        reader.liftLimit();
        release();
    }

    @Override
    public void release() {
        for (ByteBuf piece = waiting.poll(); piece != null; piece = waiting.poll()) {
            piece.release();
        }
        waitingBytes = 0;
    }
}
