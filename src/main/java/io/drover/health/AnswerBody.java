package io.drover.health;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.netty.buffer.ByteBuf;

/** The body of one answer, in any framing: hands on its payload and knows where it ends. */
final class AnswerBody {
    private final BodyFraming framing;
    private final ChunkedFraming.Payload payload;
    private final ChunkedFraming chunks;
    private long received;

    /** @param maxExtraBytes as {@link ChunkedFraming#ChunkedFraming} takes it */
    AnswerBody(BodyFraming framing, int maxExtraBytes, ChunkedFraming.Payload payload) {
        this.framing = framing;
        this.payload = payload;
        chunks = new ChunkedFraming(maxExtraBytes);
        chunks.reset(false);
    }

    /**
     * Reads on; bytes behind the end stay in {@code bytes}, which remains the caller's.
     *
     * @return whether it has ended
     */
    boolean read(ByteBuf bytes) throws BadMessageException {
        return switch (framing.kind()) {
            case NONE -> true;
            case LENGTH -> {
                take(bytes, (int) Math.min(framing.length() - received, bytes.readableBytes()));
                yield received == framing.length();
            }
            case CHUNKED -> {
                bytes.readerIndex(chunks.scan(bytes, payload));
                yield chunks.isDone();
            }
            case UNTIL_CLOSE -> {
                take(bytes, bytes.readableBytes());
                yield false;
            }
        };
    }

    private void take(ByteBuf bytes, int size) {
        int from = bytes.readerIndex();
        received += size;
        payload.onPayload(bytes, from, from + size);
        bytes.skipBytes(size);
    }

    /** Whether the connection's end is its end. */
    boolean endsWithConnection() {
        return framing.kind() == BodyFraming.Kind.UNTIL_CLOSE;
    }
}
