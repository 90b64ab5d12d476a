package io.drover.cache;

import io.drover.ollama.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * An answer with status 200 as it came. Whether it is whole, and where it tells times and ids, is read when somebody asks
 * for it again, which for most answers nobody does: reading is the largest part of what keeping a stream costs.
 */
public final class UnreadAnswer implements KeptAnswer {
    private final Endpoint endpoint;
    private final Form form;
    private final String contentType;
    private final byte[] body;
    private final Origin origin;
    private final long fewerTokensThan;

    /**
     * @param body becomes the answer's own
     * @param fewerTokensThan an answer of as many, with its prompt's, must not be served: it may have been cut
     */
    public UnreadAnswer(
            Endpoint endpoint, Form form, String contentType, byte[] body, Origin origin, long fewerTokensThan) {
        this.endpoint = endpoint;
        this.form = form;
        // One text for all of them, as most say the same.
        String usual = ContentTypes.of(endpoint, form);
        this.contentType = usual.equals(contentType) ? usual : contentType;
        this.body = body;
        this.origin = origin;
        this.fewerTokensThan = fewerTokensThan;
    }

    @Override
    public @Nullable CachedAnswer read() {
        CachedAnswer answer = CachedAnswer.of(endpoint, form, contentType, body, origin);
        return answer == null || answer.tokens() >= fewerTokensThan ? null : answer;
    }

    @Override
    public Form form() {
        return form;
    }

    @Override
    public Origin origin() {
        return origin;
    }

    @Override
    public int weight() {
        return CachedAnswer.OVERHEAD
                + body.length
                + contentType.length()
                + origin.model().length();
    }
}
