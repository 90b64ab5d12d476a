package io.drover.proxy;

import io.drover.admission.Budgets;
import io.drover.admission.Charge;
import io.drover.admission.LimitObserver;
import io.drover.admission.LimitedRequest;
import io.drover.admission.Limiter;
import io.drover.admission.Replicas;
import io.drover.config.DroverConfig;
import io.drover.http.HeadWriter;
import io.drover.metrics.Metrics;
import io.drover.ollama.FinalRecord;
import org.jspecify.annotations.Nullable;

/** Whether a client may send another request, and what its answer tells of its limits. */
final class Admission {
    static final int TOO_MANY_REQUESTS = 429;

    private static final byte[] LIMIT = HeadWriter.ascii("RateLimit-Limit: ");
    private static final byte[] REMAINING = HeadWriter.ascii("RateLimit-Remaining: ");
    private static final byte[] RESET = HeadWriter.ascii("RateLimit-Reset: ");
    private static final byte[] RETRY_AFTER = HeadWriter.ascii("Retry-After: ");

    private final Limiter limiter;

    /** @param replicas with which the limits are shared; null: none */
    Admission(DroverConfig.Limits limits, Metrics metrics, @Nullable Replicas replicas) {
        this(new Limiter(limits, observer(metrics), System::currentTimeMillis, replicas));
    }

    private Admission(Limiter limiter) {
        this.limiter = limiter;
    }

    private static LimitObserver observer(Metrics metrics) {
        return new LimitObserver() {
            @Override
            public void onRefused(String limit) {
                metrics.onLimitRefusal(limit);
            }

            @Override
            public void onDelayed(String limit) {
                metrics.onLimitDelay(limit);
            }
        };
    }

    /** By other limits; those that have not changed keep what is in their buckets. */
    Admission reconfigured(DroverConfig.Limits limits) {
        return new Admission(limiter.reconfigured(limits));
    }

    Budgets budgets() {
        return limiter.budgets();
    }

    /** By the configuration, or by what the caller's key brings along. */
    private boolean concerns(LimitedRequest request) {
        return limiter.isLimited() || request.principal() != null;
    }

    /** As {@link Limiter#atHead}. */
    long atHead(LimitedRequest request, Charge charge, long nowNanos) {
        return concerns(request) ? limiter.atHead(request, charge, nowNanos) : 0;
    }

    /** As {@link Limiter#atModel}; for a request whose head was let through. */
    long atModel(LimitedRequest request, Charge charge, long promptTokens, long answerTokens, long nowNanos) {
        return concerns(request) ? limiter.atModel(request, charge, promptTokens, answerTokens, nowNanos) : 0;
    }

    /** As {@link Limiter#settle}; nothing for a request that no limit concerns. */
    void settle(Charge charge, FinalRecord record, long nowNanos) {
        limiter.settle(charge, record.promptTokens(), record.generatedTokens(), record.gpuNanos(), nowNanos);
    }

    /** There is no answer, so that there are no tokens; the request counts all the same. */
    void settleUnanswered(Charge charge, long nowNanos) {
        limiter.settle(charge, 0, 0, 0, nowNanos);
    }

    /** As {@link Limiter#cancel}. */
    void cancel(Charge charge, long nowNanos) {
        limiter.cancel(charge, nowNanos);
    }

    /**
     * Adds what the client is told of its bucket (draft-ietf-httpapi-ratelimit-headers-05): its size, what is in it, and
     * the seconds until it is full. A refused client is told the seconds until there is room for one request, twice: the
     * draft wants RateLimit-Reset to be the time of Retry-After.
     */
    static void writeTo(HeadWriter writer, Charge charge) {
        if (!charge.isTold()) {
            return;
        }
        writer.field(LIMIT, charge.limit());
        writer.field(REMAINING, charge.remaining());
        writer.field(RESET, charge.resetSeconds());
        if (charge.isRefused()) {
            writer.field(RETRY_AFTER, charge.retryAfterSeconds());
        }
    }
}
