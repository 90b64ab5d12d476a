package io.drover.proxy;

import io.drover.admission.Principal;
import io.drover.backend.Backend;
import io.drover.cache.CacheKey;
import io.drover.metrics.AccessRecord;
import io.drover.metrics.Outcome;
import io.drover.ollama.AnswerEnd;
import io.drover.ollama.Endpoint;
import io.drover.ollama.FinalRecord;
import io.drover.ollama.TailRing;
import org.jspecify.annotations.Nullable;

/**
 * What is left of an exchange when it is over; nothing in it refers to a connection or a buffer.
 *
 * @param changedModels whether a backend may have other models since
 */
record FinishedExchange(
        long startedAtMillis,
        String requestId,
        String client,
        @Nullable String principal,
        String method,
        String target,
        Endpoint route,
        @Nullable String model,
        Outcome outcome,
        @Nullable String backend,
        int attempts,
        long requestBytes,
        long responseBytes,
        FinalRecord tokens,
        AnswerEnd end,
        boolean changedModels,
        @Nullable String cache,
        @Nullable CacheKey answerKey,
        long timeToFirstByteNanos,
        long durationNanos)
        implements AccessRecord {

    /**
     * Reads the end of the answer, and tells the backend what follows from it.
     *
     * @param answered whether a backend's answer has gone to the client
     * @param tail of an answer that tells of itself; null for any other
     * @param lookup in the cache; null where nothing was looked up
     * @param requestBytes of the body, as read
     * @param responseBytes head included, as written
     */
    static FinishedExchange of(
            ClientRequest request,
            Gate gate,
            Timeline timeline,
            Attempts attempts,
            Outcome outcome,
            boolean answered,
            @Nullable TailRing tail,
            @Nullable Lookup lookup,
            long requestBytes,
            long responseBytes,
            long nowNanos) {
        FinalRecord tokens = tail == null ? FinalRecord.UNKNOWN : FinalRecord.parse(tail, request.endpoint());
        AnswerEnd end = answered
                ? Evidence.give(request, timeline, attempts, outcome, tail, tokens, nowNanos)
                : AnswerEnd.UNTOLD;
        Backend last = attempts.last();
        // What it refused has changed nothing; what never had an answer, or not all of it, may have.
        boolean refused = answered && outcome.status() >= 400;
        boolean changed = last != null && request.endpoint().changesListing() && !refused;
        if (last != null && changed) {
            last.onModelChange();
        }
        gate.settle(outcome, attempts.made() > 0, answered, tokens);
        Principal principal = gate.principal();
        return new FinishedExchange(
                timeline.startedAtMillis(),
                request.caller().requestId(),
                request.caller().address(),
                principal == null ? null : principal.name(),
                request.method(),
                request.target(),
                request.endpoint(),
                request.model(),
                outcome,
                attempts.lastName(),
                attempts.made(),
                requestBytes,
                responseBytes,
                tokens,
                end,
                changed,
                lookup == null ? null : lookup.note().status().word(),
                lookup == null ? null : lookup.key(),
                timeline.timeToFirstByteNanos(),
                nowNanos - timeline.startNanos());
    }

    @Override
    public String endpoint() {
        return route.label();
    }

    /** Made by whoever writes it down. */
    @Override
    public @Nullable String cacheKey() {
        return answerKey == null ? null : answerKey.toString();
    }

    @Override
    public long promptTokens() {
        return tokens.promptTokens();
    }

    @Override
    public long generatedTokens() {
        return tokens.generatedTokens();
    }

    @Override
    public long generationNanos() {
        return tokens.generationNanos();
    }

    @Override
    public long gpuNanos() {
        return tokens.gpuNanos();
    }

    @Override
    public boolean unfinished() {
        return end == AnswerEnd.UNFINISHED;
    }

    @Override
    public boolean inference() {
        return route.inference();
    }
}
