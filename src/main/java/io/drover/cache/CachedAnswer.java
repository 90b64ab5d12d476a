package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A complete answer with status 200 as it is kept: the bytes that came, without HTTP's framing. Immutable; any thread. */
public final class CachedAnswer implements KeptAnswer {
    private static final Logger LOG = LoggerFactory.getLogger(CachedAnswer.class);

    /** Objects, their headers and the places of an entry in a map, about. */
    static final int OVERHEAD = 256;

    private final Endpoint endpoint;
    private final Form form;
    private final String contentType;
    private final Origin origin;
    private final long tokens;
    private final Patches patches;
    /** With values of fixed widths where each replay has its own. */
    private final byte[] body;
    /** {@code NaN}: it is what was asked for. */
    private final double similarity;

    CachedAnswer(Endpoint endpoint, Form form, String contentType, Origin origin, long tokens, Places.Result kept) {
        this.endpoint = endpoint;
        this.form = form;
        this.contentType = contentType;
        this.origin = origin;
        this.tokens = tokens;
        this.patches = kept.patches();
        this.body = kept.body();
        this.similarity = Double.NaN;
    }

    private CachedAnswer(CachedAnswer answer, double similarity) {
        this.endpoint = answer.endpoint;
        this.form = answer.form;
        this.contentType = answer.contentType;
        this.origin = answer.origin;
        this.tokens = answer.tokens;
        this.patches = answer.patches;
        this.body = answer.body;
        this.similarity = similarity;
    }

    /**
     * An answer that has just come. Reads all of it: about half a millisecond for 300 lines, longer for megabytes of vectors.
     *
     * @param body becomes the answer's own
     * @return null where it must not be kept: it is no whole answer, or an error, or tells of a model that was loaded only
     */
    public static @Nullable CachedAnswer of(
            Endpoint endpoint, Form form, String contentType, byte[] body, Origin origin) {
        try {
            AnswerFacts reading = AnswerReader.read(endpoint, form, contentType, body);
            Places.Result kept = reading.places().in(body);
            return new CachedAnswer(endpoint, form, contentType, origin, reading.tokens(), kept);
        } catch (UnfitAnswerException unfit) {
            LOG.debug("Not kept, {} of {}: {}", form, endpoint.label(), unfit.getMessage());
        } catch (RuntimeException fault) {
            // Whoever asks for it must get an answer all the same.
            LOG.error("an answer of {} is not kept by a fault of ours", endpoint.label(), fault);
        }
        return null;
    }

    /** One that was put together from answers, and is the same for each client. */
    static CachedAnswer joined(Endpoint endpoint, byte[] body, Origin origin) {
        Places.Result kept = new Places.Result(body, Patches.NONE);
        return new CachedAnswer(endpoint, Form.WHOLE, ContentTypes.of(endpoint, Form.WHOLE), origin, -1, kept);
    }

    /**
     * Reads what {@link #toBytes} wrote.
     *
     * @return null for anything else: damaged, cut, of another version of Drover
     */
    public static @Nullable CachedAnswer fromBytes(byte[] bytes) {
        return AnswerBytes.read(bytes);
    }

    /** The answer for another process, with all that belongs to it. */
    public byte[] toBytes() {
        return AnswerBytes.write(this);
    }

    /**
     * The same answer in another form, as the backend would have told it. Reads and writes all of it, as {@link #of} does.
     *
     * @return this where it has that form; null where the form cannot be made of it for sure
     */
    public @Nullable CachedAnswer as(Form other) {
        if (other == form) {
            return this;
        }
        try {
            byte[] told = AnswerForms.told(endpoint, body, form, other);
            return of(endpoint, other, ContentTypes.of(endpoint, other), told, origin);
        } catch (UnfitAnswerException unfit) {
            LOG.debug("Not told as {}, {} of {}: {}", other, form, endpoint.label(), unfit.getMessage());
        } catch (RuntimeException fault) {
            LOG.error("an answer of {} is not told as {} by a fault of ours", endpoint.label(), other, fault);
        }
        return null;
    }

    /**
     * The answer as one client gets it.
     *
     * @param wallMillis when it is served, in milliseconds since 1970
     * @param random for its ids, and what the clock cannot tell
     */
    public Rendering rendering(long wallMillis, RandomGenerator random) {
        return new Replay(body, patches, patches.values(body, wallMillis, random));
    }

    /** The same answer for somebody who has asked something similar; not to be kept. */
    public CachedAnswer toSimilar(double similarity) {
        return new CachedAnswer(this, similarity);
    }

    /** How similar the question is that it answers to the one that was asked; {@code NaN} where it is that one. */
    public double similarity() {
        return similarity;
    }

    public Endpoint endpoint() {
        return endpoint;
    }

    @Override
    public Form form() {
        return form;
    }

    public String contentType() {
        return contentType;
    }

    @Override
    public Origin origin() {
        return origin;
    }

    /** How many seconds ago it was complete; 0 where the clock that told so is ahead. */
    public long ageSeconds(long wallMillis) {
        return Math.max(0, wallMillis - origin.atMillis()) / 1000;
    }

    /** Tokens of the prompt and generated ones, as the answer tells; -1 where it does not. */
    public long tokens() {
        return tokens;
    }

    @Override
    public int weight() {
        return OVERHEAD
                + body.length
                + patches.weight()
                + contentType.length()
                + origin.model().length();
    }

    @Override
    public CachedAnswer read() {
        return this;
    }

    Patches patches() {
        return patches;
    }

    /** What is kept; the caller only reads it. */
    byte[] body() {
        return body;
    }
}
