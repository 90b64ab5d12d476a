package io.drover.admission;

import io.drover.config.DroverConfig.Period;
import io.drover.config.Rate;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The buckets that one API key brings along. Immutable but for what is in them. */
final class KeyLimits {
    /** What these limits are called in refusals and metrics: names of keys would be labels without end. */
    static final String NAME = "key";

    private static final String WHOSE = "with this key";

    private final Allowance allowance;
    private final @Nullable RateRule requests;
    private final @Nullable RateRule tokens;
    private final @Nullable Bucket requestBucket;
    private final @Nullable Bucket tokenBucket;
    private final @Nullable BudgetRule day;
    private final @Nullable BudgetRule month;

    /** @param last what the key had before; it goes on with what is in its buckets */
    KeyLimits(String key, Allowance allowance, @Nullable KeyLimits last, Shared shared, long nowNanos) {
        this.allowance = allowance;
        this.requests = rule(LimitKind.REQUESTS, allowance.requests(), allowance.requestsBurst());
        this.tokens = rule(LimitKind.TOKENS, allowance.tokens(), allowance.tokensBurst());
        this.requestBucket = bucket(key, requests, last == null ? null : last.requestBucket, shared.maker(), nowNanos);
        this.tokenBucket = bucket(key, tokens, last == null ? null : last.tokenBucket, shared.maker(), nowNanos);
        this.day = budget(Period.DAY, allowance.tokensPerDay(), allowance.gpuTimePerDay(), shared.perDay());
        this.month = budget(Period.MONTH, allowance.tokensPerMonth(), allowance.gpuTimePerMonth(), shared.perMonth());
    }

    private static @Nullable RateRule rule(LimitKind kind, Optional<Rate> rate, int burst) {
        return rate.map(speed -> RateRule.of(NAME, kind, speed, burst == 0 ? speed.count() : burst, 0, WHOSE))
                .orElse(null);
    }

    private static @Nullable Bucket bucket(
            String key, @Nullable RateRule rule, @Nullable Bucket last, Bucket.Maker maker, long nowNanos) {
        if (rule == null) {
            return null;
        }
        // No configured limit can be called so.
        String limit = rule.kind().word() + ":/" + NAME;
        return last == null ? maker.make(limit, key, rule.quota(), nowNanos) : last.under(rule.quota());
    }

    private static @Nullable BudgetRule budget(Period per, long tokens, Duration gpuTime, Spending spending) {
        boolean none = tokens == 0 && gpuTime.isZero();
        return none ? null : new BudgetRule(NAME, per, tokens, gpuTime.toNanos(), WHOSE, spending);
    }

    /** Whether there is anything in an allowance that has to be kept here. */
    static boolean concern(Allowance allowance) {
        return allowance.requests().isPresent()
                || allowance.tokens().isPresent()
                || allowance.tokensPerDay() > 0
                || allowance.tokensPerMonth() > 0
                || !allowance.gpuTimePerDay().isZero()
                || !allowance.gpuTimePerMonth().isZero();
    }

    boolean hasBudget(String key, Charge charge, boolean reserve, Shared shared, long nowNanos) {
        return (day == null || day.admits(key, charge, reserve, shared, nowNanos))
                && (month == null || month.admits(key, charge, reserve, shared, nowNanos));
    }

    boolean isOf(Allowance other) {
        return allowance.equals(other);
    }

    /** Takes a request; answers as {@link RateRule#take}. */
    long takeRequest(String key, Charge charge, long nowNanos) {
        RateRule rule = requests;
        Bucket bucket = requestBucket;
        return rule == null || bucket == null ? 0 : rule.take(bucket, null, key, charge, 1, nowNanos);
    }

    /** Takes tokens; answers as {@link RateRule#take}. */
    long takeTokens(String key, Charge charge, long nowNanos) {
        RateRule rule = tokens;
        Bucket bucket = tokenBucket;
        return rule == null || bucket == null ? 0 : rule.take(bucket, null, key, charge, charge.estimate(), nowNanos);
    }
}
