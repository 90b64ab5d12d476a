package io.drover.proxy;

import io.drover.admission.Quota;
import io.drover.admission.RequestLimit;
import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.RateLimit;
import io.drover.http.HeadWriter;
import io.drover.metrics.Metrics;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whether a client may send another request by {@code limits.requests}, and what its answer tells of that. */
final class Admission {
    /** What {@link #take} gives for a request that no limit concerns. */
    static final long UNLIMITED = 0;

    static final int TOO_MANY_REQUESTS = 429;

    private static final byte[] REMAINING = HeadWriter.ascii("RateLimit-Remaining: ");
    private static final byte[] RESET = HeadWriter.ascii("RateLimit-Reset: ");
    private static final byte[] RETRY_AFTER = HeadWriter.ascii("Retry-After: ");

    private final Metrics metrics;
    private final @Nullable RequestLimit limit;
    private final byte[] limitLine;
    private final String refusal;

    Admission(DroverConfig.Limits limits, Metrics metrics) {
        this.metrics = metrics;
        Optional<RateLimit> first = limits.requests().stream().findFirst();
        limit = first.map(one -> new RequestLimit(Quota.of(one.rate(), one.burst()), limits.maxKeys()))
                .orElse(null);
        limitLine = HeadWriter.line(
                "RateLimit-Limit", Integer.toString(first.map(RateLimit::burst).orElse(0)));
        refusal = first.map(one -> "too many requests: " + one.burst() + " at once and " + one.rate()
                        + " from one address are allowed")
                .orElse("");
    }

    /** Whether requests are limited at all. */
    boolean isLimited() {
        return limit != null;
    }

    /** What a refused client is told. */
    String refusal() {
        return refusal;
    }

    /**
     * Takes one request from the bucket of the client at {@code address}.
     *
     * @return what the other methods read: how it stands with the bucket now, or {@link #UNLIMITED}
     */
    long take(String address, long nowNanos) {
        RequestLimit limited = limit;
        if (limited == null) {
            return UNLIMITED;
        }
        long taken = limited.take(address, nowNanos);
        if (Quota.isRefused(taken)) {
            metrics.onRequestLimited();
        }
        return taken;
    }

    static boolean isRefused(long taken) {
        return Quota.isRefused(taken);
    }

    /**
     * Adds what the client is told of its bucket (draft-ietf-httpapi-ratelimit-headers-05): its size, what is in it, and
     * the seconds until it is full. A refused client is told the seconds until there is room for one request, twice: the
     * draft wants RateLimit-Reset to be the time of Retry-After.
     */
    void writeTo(HeadWriter writer, long taken) {
        RequestLimit limited = limit;
        if (limited == null || taken == UNLIMITED) {
            return;
        }
        long seconds = Quota.seconds(taken);
        writer.raw(limitLine);
        writer.field(REMAINING, limited.quota().remaining(taken));
        writer.field(RESET, seconds);
        if (isRefused(taken)) {
            writer.field(RETRY_AFTER, seconds);
        }
    }
}
