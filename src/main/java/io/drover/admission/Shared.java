package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import io.drover.config.DroverConfig.Limits;
import io.drover.config.DroverConfig.Period;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What all limits share, and keep when they are configured anew.
 *
 * @param wallMillis the time since the epoch
 * @param inFlight of each caller
 * @param keys what API keys bring along
 * @param perDay what they have used up of their budgets for a day
 * @param perMonth of those for a month
 */
record Shared(
        LimitObserver observer,
        LongSupplier wallMillis,
        Bucket.Maker maker,
        Ticker ticker,
        Budgets budgets,
        Tallies inFlight,
        Keyed<KeyLimits> keys,
        Spending perDay,
        Spending perMonth) {
    /** Longer than most buckets take to fill; who comes back later finds full ones. */
    private static final Duration KEYS_KEPT = Duration.ofDays(32);

    /**
     * A bucket of tokens is in debt by whatever an answer took, which its size does not bound: forgetting it would
     * forgive that. A debt that takes longer to pay is forgiven to who does not come for so long.
     */
    private static final Duration DEBTS_KEPT = Duration.ofDays(32);

    static Shared of(
            Limits limits,
            LimitObserver observer,
            LongSupplier wallMillis,
            @Nullable Replicas replicas,
            Ticker ticker) {
        int maxKeys = limits.maxKeys();
        Budgets budgets = new Budgets(replicas, ticker);
        return new Shared(
                observer,
                wallMillis,
                replicas == null ? Bucket.Maker.LOCAL : Bucket.Maker.shared(replicas),
                ticker,
                budgets,
                new Tallies(maxKeys),
                new Keyed<>(KEYS_KEPT, maxKeys, ticker),
                budgets.ofKeys(Period.DAY, maxKeys),
                budgets.ofKeys(Period.MONTH, maxKeys));
    }

    Buckets buckets(RateRule rule, int maxKeys) {
        // At most 146 years, so that no sum overflows.
        long toFill = rule.quota().nanosToFill();
        long kept = toFill + (rule.kind() == LimitKind.TOKENS ? DEBTS_KEPT.toNanos() : rule.delayNanos());
        return new Buckets(rule.kind().word() + ":" + rule.name(), rule.quota(), kept, maxKeys, maker, ticker);
    }

    void keepAtMost(int maxKeys) {
        inFlight.keepAtMost(maxKeys);
        keys.keepAtMost(maxKeys);
        perDay.keepAtMost(maxKeys);
        perMonth.keepAtMost(maxKeys);
    }
}
