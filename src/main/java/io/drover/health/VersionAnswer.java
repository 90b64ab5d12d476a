package io.drover.health;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.drover.http.MessageHead;
import io.drover.ollama.ServerVersion;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer to a probe, as far as it is worth reading. Any body will do: one that tells no version is no
 * failure of anything.
 */
final class VersionAnswer implements ChunkedFraming.Payload {
    /** Ollama's has some 20; what is longer is of something else. */
    static final int MAX_BYTES = 1024;

    private final ByteArrayOutputStream text = new ByteArrayOutputStream(64);
    private final AnswerBody body;
    private boolean tooLarge;

    /**
     * @param head of a final response; not kept
     * @param maxExtraBytes of chunk extensions and trailers
     * @throws BadMessageException if the end of its body cannot be found
     */
    VersionAnswer(MessageHead head, int maxExtraBytes) throws BadMessageException {
        BodyFraming framing = BodyFraming.ofResponse(head, false);
        tooLarge = framing.length() > MAX_BYTES;
        body = new AnswerBody(framing, maxExtraBytes, this);
    }

    /**
     * Reads on; the buffer remains the caller's.
     *
     * @return whether nothing more needs to be read
     */
    boolean read(ByteBuf bytes) throws BadMessageException {
        return tooLarge || body.read(bytes) || tooLarge;
    }

    @Override
    public void onPayload(ByteBuf buf, int from, int to) {
        tooLarge |= text.size() + to - from > MAX_BYTES;
        if (!tooLarge) {
            byte[] bytes = new byte[to - from];
            buf.getBytes(from, bytes);
            text.writeBytes(bytes);
        }
    }

    /** The version that it tells as far as it was read; null if it tells none. */
    @Nullable
    String version() {
        return tooLarge ? null : ServerVersion.of(text.toByteArray());
    }
}
