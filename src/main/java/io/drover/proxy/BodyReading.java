package io.drover.proxy;

import io.drover.cache.Asked;
import io.drover.cache.Bypass;
import io.drover.cache.EmbedQuestion;
import io.drover.cache.QuestionReader;
import io.drover.cache.Reading;
import io.drover.ollama.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A request's body read for the cache, on any thread. */
final class BodyReading {
    private final Endpoint endpoint;
    private final Asked asked;
    private final InputStream whole;
    private final @Nullable InputStream inputs;
    private Reading reading = Bypass.UNPARSABLE;
    private @Nullable EmbedQuestion byInput;

    /**
     * @param body opens it, here only; what was opened is closed by {@link #read} or {@link #close}
     */
    BodyReading(Endpoint endpoint, Asked asked, Supplier<InputStream> body) {
        this.endpoint = endpoint;
        this.asked = asked;
        this.whole = body.get();
        this.inputs = endpoint.generates() ? null : body.get();
    }

    void read() {
        try (whole;
                inputs) {
            reading = QuestionReader.read(endpoint, whole, asked);
            byInput = inputs == null ? null : EmbedQuestion.read(endpoint, asked, inputs);
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    /** Lets go of what is not read. */
    void close() {
        try (whole;
                inputs) {
            // They hold buffers.
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    Reading reading() {
        return reading;
    }

    /** The request input by input; null where it cannot be read so. */
    @Nullable
    EmbedQuestion inputs() {
        return byInput;
    }
}
