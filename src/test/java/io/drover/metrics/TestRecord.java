package io.drover.metrics;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A finished exchange to be told of; each {@code withX} gives a changed copy. */
record TestRecord(
        long startedAtMillis,
        String requestId,
        String client,
        @Nullable String principal,
        String method,
        String target,
        String endpoint,
        @Nullable String model,
        Outcome outcome,
        @Nullable String backend,
        int attempts,
        long requestBytes,
        long responseBytes,
        long promptTokens,
        long generatedTokens,
        long generationNanos,
        long timeToFirstByteNanos,
        long durationNanos,
        boolean inference)
        implements AccessRecord {
    /** The endpoint of answers that lack their own end. */
    static final String UNFINISHED = "/unfinished";

    /** The endpoint of answers that were kept. */
    static final String KEPT = "/kept";

    static final Instant NOW = Instant.ofEpochMilli(1_700_000_000_000L);

    /** A chat that took 2 s, its first byte 0.25 s, and made 30 tokens in 1.5 s from a prompt of 12. */
    static TestRecord chat(@Nullable String model, int status) {
        return new TestRecord(
                1_700_000_000_000L,
                "id-1",
                "10.1.2.3",
                null,
                "POST",
                "/api/chat",
                "/api/chat",
                model,
                Outcome.complete(status),
                "gpu-a",
                1,
                100,
                2000,
                12,
                30,
                1_500_000_000L,
                250_000_000L,
                2_000_000_000L,
                true);
    }

    /** A request that no backend saw and of which only its head was read. */
    static TestRecord refused(Outcome outcome) {
        return new TestRecord(
                1_700_000_000_123L,
                "id-2",
                "::1",
                null,
                "GET",
                "/x",
                "other",
                null,
                outcome,
                null,
                0,
                0,
                90,
                -1,
                -1,
                -1,
                -1,
                7_000_000L,
                false);
    }

    @Override
    public long gpuNanos() {
        return generationNanos;
    }

    @Override
    public @Nullable String cache() {
        return endpoint.equals(KEPT) ? "hit" : null;
    }

    @Override
    public @Nullable String cacheKey() {
        return cache() == null ? null : "0123abcd";
    }

    @Override
    public boolean unfinished() {
        return outcome.status() == 200 && endpoint.equals(UNFINISHED);
    }

    TestRecord withOutcome(Outcome changed) {
        return new TestRecord(
                startedAtMillis,
                requestId,
                client,
                principal,
                method,
                target,
                endpoint,
                model,
                changed,
                backend,
                attempts,
                requestBytes,
                responseBytes,
                promptTokens,
                generatedTokens,
                generationNanos,
                timeToFirstByteNanos,
                durationNanos,
                inference);
    }

    TestRecord withTarget(String changed) {
        return new TestRecord(
                startedAtMillis,
                requestId,
                client,
                principal,
                method,
                changed,
                endpoint,
                model,
                outcome,
                backend,
                attempts,
                requestBytes,
                responseBytes,
                promptTokens,
                generatedTokens,
                generationNanos,
                timeToFirstByteNanos,
                durationNanos,
                inference);
    }

    TestRecord withRequestId(String changed) {
        return new TestRecord(
                startedAtMillis,
                changed,
                client,
                principal,
                method,
                target,
                endpoint,
                model,
                outcome,
                backend,
                attempts,
                requestBytes,
                responseBytes,
                promptTokens,
                generatedTokens,
                generationNanos,
                timeToFirstByteNanos,
                durationNanos,
                inference);
    }

    TestRecord withMethod(String changed) {
        return new TestRecord(
                startedAtMillis,
                requestId,
                client,
                principal,
                changed,
                target,
                endpoint,
                model,
                outcome,
                backend,
                attempts,
                requestBytes,
                responseBytes,
                promptTokens,
                generatedTokens,
                generationNanos,
                timeToFirstByteNanos,
                durationNanos,
                inference);
    }

    TestRecord withPrincipal(String changed) {
        return new TestRecord(
                startedAtMillis,
                requestId,
                client,
                changed,
                method,
                target,
                endpoint,
                model,
                outcome,
                backend,
                attempts,
                requestBytes,
                responseBytes,
                promptTokens,
                generatedTokens,
                generationNanos,
                timeToFirstByteNanos,
                durationNanos,
                inference);
    }

    TestRecord withEndpoint(String changed, boolean infers) {
        return new TestRecord(
                startedAtMillis,
                requestId,
                client,
                principal,
                method,
                target,
                changed,
                model,
                outcome,
                backend,
                attempts,
                requestBytes,
                responseBytes,
                promptTokens,
                generatedTokens,
                generationNanos,
                timeToFirstByteNanos,
                durationNanos,
                infers);
    }
}
