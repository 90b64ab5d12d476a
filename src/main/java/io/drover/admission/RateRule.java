package io.drover.admission;

import io.drover.config.DroverConfig.RateLimit;
import io.drover.config.LimitKey;
import io.drover.config.Rate;
import org.jspecify.annotations.Nullable;

/**
 * A limit on requests or tokens, without its buckets.
 *
 * @param name what refusals, metrics and logs call it
 * @param delayNanos how long a request may wait for its room
 * @param message what a refused client is told
 */
record RateRule(String name, LimitKind kind, Quota quota, long delayNanos, String message) {
    static RateRule of(RateLimit limit, LimitKind kind) {
        return of(limit.name(), kind, limit.rate(), limit.burst(), limit.delay().toNanos(), whose(limit.key()));
    }

    static RateRule of(String name, LimitKind kind, Rate rate, int burst, long delayNanos, String whose) {
        String message =
                "too many " + kind.word() + ": " + burst + " at once and " + rate + " " + whose + " are allowed";
        return new RateRule(name, kind, Quota.of(rate, burst), delayNanos, message);
    }

    /** Who shares a bucket, in words. */
    static String whose(LimitKey key) {
        return switch (key.by()) {
            case CLIENT_IP -> "from one address";
            case API_KEY -> "with one key";
            case MODEL -> "for one model";
            case HEADER -> "with one value of " + key.header();
            case ALL -> "from all clients together";
        };
    }

    /**
     * Takes from a bucket and notes it in {@code charge}, as it does a refusal.
     *
     * @param from where the bucket is kept under {@code key}; null where it is never forgotten
     * @return nanoseconds to wait; below 0: refused, or not known yet
     */
    long take(Bucket bucket, @Nullable Buckets from, String key, Charge charge, long units, long now) {
        long taken = bucket.take(units, delayNanos, now);
        if (taken == Bucket.UNKNOWN) {
            charge.onUnknown();
            return taken;
        }
        if (Quota.isRefused(taken)) {
            charge.refuse(name, kind, message, quota.burst(), -taken);
            return taken;
        }
        charge.onTaken(this, bucket, from, key, units, now);
        charge.tell(quota.burst(), quota.remaining(taken), taken);
        return quota.wait(taken, units);
    }
}
