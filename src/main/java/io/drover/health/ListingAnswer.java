package io.drover.health;

import io.drover.config.DroverConfig;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.drover.ollama.ModelListing;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The answer to one question for models: its head, its body in any framing, and what stands there. */
final class ListingAnswer implements ChunkedFraming.Payload {
    /** Some 400 bytes tell a model: enough for {@link ModelListing#MAX_MODELS} of them. */
    static final int MAX_BYTES = 4 << 20;

    private final HeadParser parser;
    private final int maxExtraBytes;
    private final MessageHead head = new MessageHead();
    private final ModelListing listing = new ModelListing();

    private boolean begun;
    private @Nullable AnswerBody body;
    private long received;
    private boolean complete;
    private @Nullable IOException failure;

    /** @param limits of heads and trailers */
    ListingAnswer(DroverConfig.Limits limits) {
        parser = HeadParser.ofResponses(limits.requestHead(), limits.headers());
        parser.reset(head);
        maxExtraBytes = limits.requestHead();
    }

    /**
     * Reads on; bytes behind the answer's end stay in {@code bytes}, which remains the caller's.
     *
     * @return whether the answer has ended
     * @throws IOException if it is no listing, or too large
     */
    boolean read(ByteBuf bytes) throws IOException, BadMessageException {
        begun |= bytes.isReadable();
        AnswerBody known = body == null ? readHead(bytes) : body;
        if (known == null) {
            return false;
        }
        body = known;
        complete = known.read(bytes);
        if (failure != null) {
            throw failure;
        }
        return complete;
    }

    private @Nullable AnswerBody readHead(ByteBuf bytes) throws IOException, BadMessageException {
        while (parser.parse(bytes, head)) {
            int status = head.status();
            if (status == 200) {
                BodyFraming found = BodyFraming.ofResponse(head, false);
                if (found.length() > MAX_BYTES) {
                    throw tooLarge();
                }
                return new AnswerBody(found, maxExtraBytes, this);
            }
            if (status >= 200 || status == 101) {
                throw new IOException("answered " + status);
            }
            // An interim answer: the final one follows (RFC 9110, 15.2).
            parser.reset(head);
        }
        return null;
    }

    @Override
    public void onPayload(ByteBuf buf, int from, int to) {
        received += to - from;
        try {
            if (failure == null && received > MAX_BYTES) {
                throw tooLarge();
            }
            if (failure == null) {
                listing.read(buf, from, to);
            }
        } catch (IOException e) {
            failure = e;
        }
    }

    private static IOException tooLarge() {
        return new IOException("a listing of more than " + MAX_BYTES + " bytes");
    }

    /** Whether nothing of it has come. */
    boolean isUntouched() {
        return !begun;
    }

    /** Whether the connection's end is its end, as the framing has it. */
    boolean endsWithConnection() {
        return body != null && body.endsWithConnection();
    }

    /** Whether the connection that it has come on may carry another request. */
    boolean isReusable() {
        return complete && head.minorVersion() == 1 && !head.connectionLists(MessageHead.CLOSE);
    }

    /**
     * What it lists, once it has ended.
     *
     * @return digests by routing key
     * @throws IOException if it is no listing
     */
    Map<String, String> models() throws IOException {
        return listing.end();
    }

    /** As {@link ModelListing#contextLengths}, behind {@link #models}. */
    Map<String, Integer> contextLengths() {
        return listing.contextLengths();
    }
}
