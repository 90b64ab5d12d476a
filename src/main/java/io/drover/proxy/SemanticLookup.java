package io.drover.proxy;

import io.drover.backend.HerdModel;
import io.drover.cache.Asked;
import io.drover.cache.CachedAnswer;
import io.drover.cache.Question;
import io.drover.cache.SemanticQuestion;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the answer to a question that is similar to one exchange's, and lets similar ones find the answer that this
 * exchange gets. It costs the embedding of the prompt, for which the exchange waits no longer than
 * {@code cache.semantic.timeout}; whatever fails is a miss.
 *
 * <p>Belongs to one exchange, used on its event loop.
 */
final class SemanticLookup {
    /** Larger bodies, which hold long conversations mostly, are seldom asked twice, and take long to be read. */
    private static final int LARGEST_BODY = 64 * 1024;

    private enum Step {
        IDLE,
        /** The exchange waits. */
        WAITING,
        /** It does not. */
        DECIDED
    }

    private final Worker worker;
    private final Lookup lookup;
    private final ClientRequest request;
    private final SemanticTier tier;
    private final RetainedBody body;
    private final Asked whom;

    private Step step = Step.IDLE;
    private @Nullable Question question;
    private String model = "";
    private String group = "";
    private @Nullable EmbeddingCall call;
    private float @Nullable [] vector;
    private @Nullable ScheduledFuture<?> timer;
    private boolean isLate;
    private boolean recorded;

    private SemanticLookup(
            Worker worker, Lookup lookup, ClientRequest request, SemanticTier tier, RetainedBody body, Asked whom) {
        this.worker = worker;
        this.lookup = lookup;
        this.request = request;
        this.tier = tier;
        this.body = body;
        this.whom = whom;
    }

    /** @return null where similar questions are not looked for */
    static @Nullable SemanticLookup of(
            Worker worker, Lookup lookup, ClientRequest request, Caching caching, RetainedBody body, Asked whom) {
        SemanticTier tier = caching.semantic();
        boolean fit = tier != null && request.endpoint().generates() && body.size() <= LARGEST_BODY;
        return fit ? new SemanticLookup(worker, lookup, request, Objects.requireNonNull(tier), body, whom) : null;
    }

    /**
     * Begins, where the body is still there and the exact question was not found.
     *
     * @param asked what the body asks
     * @param ofModel as {@link io.drover.ollama.ModelName#key} spells it
     * @return whether {@link Lookup#onSimilar} follows, possibly before this returns
     */
    boolean begin(Question asked, String ofModel) {
        HerdModel embedder = worker.context()
                .cluster()
                .model(tier.model().key(), worker.clock().now());
        if (embedder.accord() != HerdModel.Accord.AGREED || !tier.hasRoom()) {
            return false;
        }
        SemanticQuestion said = SemanticQuestion.read(request.endpoint(), bytes(), whom);
        if (said == null) {
            return false;
        }
        question = asked;
        model = ofModel;
        // Vectors of different models, or releases, are not to be compared.
        group = said.group() + embedder.digest() + embedder.version();
        step = Step.WAITING;
        EmbeddingCall asking = new EmbeddingCall(
                worker, tier.model(), said.text(), request.caller().requestId(), this::onVector);
        call = asking;
        timer = worker.loop().schedule(this::onTimeout, tier.timeout().toNanos(), TimeUnit.NANOSECONDS);
        asking.start();
        return true;
    }

    private byte[] bytes() {
        try (InputStream in = body.open()) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    /** @param embedding null: there is none */
    private void onVector(float @Nullable [] embedding) {
        call = null;
        vector = embedding;
        if (isLate) {
            isLate = false;
            tier.onLate(-1);
            add();
        } else if (embedding == null) {
            tier.metrics().onEmbeddingFailure();
            decide(null);
        } else {
            long now = worker.clock().wallMillis();
            tier.find(
                    group,
                    embedding,
                    Objects.requireNonNull(question),
                    model,
                    kept -> lookup.isRecent(kept, now),
                    found -> worker.loop().execute(() -> {
                        worker.clock().read();
                        decide(found);
                    }));
        }
    }

    private void onTimeout() {
        if (step != Step.WAITING) {
            return;
        }
        worker.clock().read();
        tier.metrics().onEmbeddingFailure();
        if (call != null) {
            isLate = true;
            tier.onLate(1);
        }
        decide(null);
    }

    private void decide(@Nullable CachedAnswer found) {
        if (step == Step.WAITING) {
            settle();
            lookup.onSimilar(found);
        }
    }

    private void settle() {
        step = Step.DECIDED;
        if (timer != null) {
            timer.cancel(false);
        }
    }

    /** The exchange's own answer was kept, or will not be. */
    void onRecorded() {
        recorded = true;
        add();
    }

    private void add() {
        float[] embedding = vector;
        if (recorded && embedding != null) {
            vector = null;
            tier.add(group, embedding, Objects.requireNonNull(question), model);
        }
    }

    /**
     * The exchange is over.
     *
     * @param whole whether by an answer's end: an embedding that is still to come loads its model, and may be of use
     */
    void close(boolean whole) {
        settle();
        EmbeddingCall running = call;
        if (running != null && !(whole && isLate && !worker.isDraining())) {
            call = null;
            running.cancel();
            if (isLate) {
                isLate = false;
                tier.onLate(-1);
            }
        }
    }
}
