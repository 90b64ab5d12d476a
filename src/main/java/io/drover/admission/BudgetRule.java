package io.drover.admission;

import io.drover.config.DroverConfig.Budget;
import io.drover.config.DroverConfig.Period;
import java.time.Duration;
import java.time.Instant;

/**
 * A budget: what it concerns and how much there is.
 *
 * @param name what refusals call it
 * @param tokens in a period; 0: any number
 * @param gpuNanos in a period; 0: any
 * @param whose for whom it is, as in "of one key"
 */
record BudgetRule(String name, Period per, long tokens, long gpuNanos, String whose, Spending spending) {
    static BudgetRule of(Budget budget, Spending spending) {
        return new BudgetRule(
                budget.name(),
                budget.per(),
                budget.tokens(),
                budget.gpuTime().toNanos(),
                RateRule.whose(budget.key()),
                spending);
    }

    /**
     * Whether there is anything left for {@code key}; notes in {@code charge} if there is not.
     *
     * @param reserve whether the charge's estimate is put down to it
     */
    boolean admits(String key, Charge charge, boolean reserve, Shared shared, long nowNanos) {
        long nowMillis = shared.wallMillis().getAsLong();
        Account account = spending.of(key, nowMillis);
        if (!account.isKnown(nowNanos)) {
            charge.onUnknown();
            return false;
        }
        if (isUsedUp(account)) {
            if (account.isCertain(nowNanos)) {
                refuse(charge, account, nowMillis);
            } else {
                charge.onUnknown();
            }
            return false;
        }
        if (reserve) {
            account.add(charge.estimate(), 0);
            charge.onReserved(account);
            shared.budgets().onChange();
        }
        return true;
    }

    private boolean isTokensUsedUp(long used) {
        return tokens > 0 && used >= tokens;
    }

    /** Whether nothing is left; what is in flight may use up more than there is, since GPU time is known afterwards. */
    private boolean isUsedUp(Account account) {
        return isTokensUsedUp(account.tokens()) || (gpuNanos > 0 && account.gpuNanos() >= gpuNanos);
    }

    /** Says in {@code charge} that it refuses. */
    private void refuse(Charge charge, Account account, long nowMillis) {
        boolean ofTokens = isTokensUsedUp(account.tokens());
        String amount =
                ofTokens ? tokens + " tokens" : Duration.ofNanos(gpuNanos).toSeconds() + " s of GPU time";
        long nanos = Duration.ofMillis(Math.max(1, account.term().untilMillis() - nowMillis))
                .toNanos();
        long size = ofTokens ? tokens : Duration.ofNanos(gpuNanos).toSeconds();
        String message = "budget used up: " + amount + " a " + Budgets.word(per) + " " + whose + "; the next begins at "
                + Instant.ofEpochMilli(account.term().untilMillis());
        charge.refuse(name, LimitKind.BUDGET, message, size, nanos);
    }
}
