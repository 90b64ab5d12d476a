package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What there is of the answer to one request for embeddings, and what becomes of the rest. One thread at a time, which
 * may change.
 */
public final class EmbedLookup {
    private final ResponseCache cache;
    private final EmbedQuestion question;
    private final String model;
    private final Predicate<CachedAnswer> usable;
    private final Generations.Counters asked;
    private final Map<CacheKey, EmbedPart> found = new HashMap<>();
    private long oldestMillis = Long.MAX_VALUE;
    private @Nullable EmbedPlan plan;

    /**
     * @param model as {@link io.drover.ollama.ModelName#key} spells it
     * @param usable whether an answer may be served
     */
    public EmbedLookup(ResponseCache cache, EmbedQuestion question, String model, Predicate<CachedAnswer> usable) {
        this.cache = cache;
        this.question = question;
        this.model = model;
        this.usable = usable;
        this.asked = cache.generations();
    }

    /** Inputs of the request. */
    public int size() {
        return question.size();
    }

    /** Whether the answer may leave out how many tokens there were. */
    public boolean isCountOptional() {
        return question.endpoint() == Endpoint.EMBED;
    }

    /** Looks in memory: some microseconds for each input. */
    public void inMemory() {
        for (CacheKey key : question.distinctKeys()) {
            if (!found.containsKey(key)) {
                take(key, cache.inMemory(key, Form.WHOLE, model));
            }
        }
    }

    /**
     * Looks in Redis for what was not in memory, which has it when this completes; {@link #inMemory} finds it there.
     *
     * @return never fails; completes at once where there is nothing to ask
     */
    public CompletionStage<Void> inRedis() {
        List<CacheKey> missing = question.distinctKeys().stream()
                .filter(key -> !found.containsKey(key))
                .toList();
        return cache.inRedis(missing, model);
    }

    private void take(CacheKey key, @Nullable CachedAnswer answer) {
        if (answer == null || !usable.test(answer)) {
            return;
        }
        EmbedPart part = EmbedPart.of(answer);
        if (part != null) {
            found.put(key, part);
            oldestMillis = Math.min(oldestMillis, answer.origin().atMillis());
        }
    }

    /** Whether there is nothing left to look for. */
    public boolean isAllFound() {
        return question.keys().stream().allMatch(found::containsKey);
    }

    /** Nothing that was found is used: a backend is asked for all of it. */
    public void forget() {
        found.clear();
        plan = null;
    }

    /** What is asked of a backend; the same from the first call on, until {@link #forget}. */
    public EmbedPlan plan() {
        EmbedPlan made = plan;
        if (made == null) {
            made = question.plan(found);
            plan = made;
        }
        return made;
    }

    /** Offset of the first byte of the value of {@code input} in the request. */
    public long from() {
        return question.from();
    }

    /** Offset behind its last byte. */
    public long to() {
        return question.to();
    }

    /** Bytes of an answer to so many inputs, judged by the longest vector that is there; 0 where none is. */
    public long expectedBytes(int inputs) {
        return found.values().stream().mapToLong(EmbedPart::length).max().orElse(0) * inputs;
    }

    /**
     * The whole answer.
     *
     * @param told what a backend said to {@link EmbedPlan#input}; null where it was not asked
     * @param most bytes that it may have
     * @param generation of the cache when the request was looked up
     * @return null where that is no answer to it, leaves out what the answer must have, or makes a larger one
     */
    public @Nullable CachedAnswer joined(byte @Nullable [] told, long most, long generation, long nowMillis) {
        Endpoint endpoint = question.endpoint();
        EmbedAnswer answer = told == null ? null : EmbedAnswer.split(endpoint, told, plan().asked());
        if ((told != null && answer == null) || plan().vectorBytes(answer) > most) {
            return null;
        }
        byte[] body = plan().join(answer, 0);
        return body == null
                ? null
                : CachedAnswer.joined(
                        endpoint, body, new Origin(model, generation, told == null ? oldestMillis : nowMillis));
    }

    /** The key of its only input, by which that can be purged; null where there are several. */
    public @Nullable CacheKey onlyKey() {
        return question.size() == 1 ? question.keys().get(0) : null;
    }

    /**
     * Keeps what a backend said, input by input: each of them may have been purged by itself.
     *
     * @param toRest whether it was asked {@link EmbedPlan#input}; else the request as it stands
     * @param atMillis of the answer
     */
    public void store(byte[] told, boolean toRest, long atMillis) {
        EmbedPlan answered = toRest ? plan() : new EmbedPlan(question);
        EmbedAnswer answer = EmbedAnswer.split(question.endpoint(), told, answered.asked());
        if (answer == null) {
            return;
        }
        answered.fresh(answer).forEach((key, part) -> {
            Origin origin = new Origin(model, asked.of(key, model), atMillis);
            CachedAnswer entry = part.entry(question.model(), origin);
            if (entry != null) {
                cache.store(key, entry);
            }
        });
    }
}
