package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import io.drover.config.DroverConfig.Budget;
import io.drover.config.DroverConfig.Limits;
import io.drover.config.DroverConfig.RateLimit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All limits on requests, tokens, budgets and requests in flight. A request is admitted in two stages: {@link #atHead}
 * when its head is there, {@link #atModel} when its model is known; and has to be settled or cancelled, once, unless it
 * was refused.
 *
 * <p>For any thread, without a lock; admitting a known caller allocates nothing. Immutable but for what is in the
 * buckets.
 */
public final class Limiter {
    /** What the limit on requests in flight is called in refusals and metrics. */
    public static final String IN_FLIGHT = "in-flight-per-client";

    /**
     * Not known at this moment, and nothing is taken: the same stage is to be asked again after a millisecond or two. It
     * will be known within {@code limits.lease}.
     */
    public static final long ASK_AGAIN = Long.MIN_VALUE;

    private static final long REFUSED = -1;

    /** Far above any answer and any bucket; requests may name any number, and sums must not overflow. */
    private static final long MOST_TOKENS = 1_000_000_000_000L;

    /** 32 days, far above any answer too. */
    private static final long MOST_GPU_NANOS = 32L * 24 * 3600 * 1_000_000_000;

    private static final long IN_FLIGHT_RETRY_NANOS = 1_000_000_000;

    private final Limits limits;
    private final Shared shared;
    private final List<LimitedRate> rates;
    private final List<LimitedBudget> budgets;
    private final boolean limited;

    /**
     * @param wallMillis the time since the epoch, by which days and months of budgets end
     * @param replicas with which the limits are shared; null: none
     */
    public Limiter(Limits limits, LimitObserver observer, LongSupplier wallMillis, @Nullable Replicas replicas) {
        this(limits, observer, wallMillis, replicas, Ticker.systemTicker());
    }

    Limiter(
            Limits limits,
            LimitObserver observer,
            LongSupplier wallMillis,
            @Nullable Replicas replicas,
            Ticker ticker) {
        this(limits, Shared.of(limits, observer, wallMillis, replicas, ticker), List.of());
    }

    private Limiter(Limits limits, Shared shared, List<LimitedRate> last) {
        this.limits = limits;
        this.shared = shared;
        this.rates = new ArrayList<>();
        limits.requests().forEach(limit -> rates.add(rate(limit, LimitKind.REQUESTS, last)));
        limits.tokens().forEach(limit -> rates.add(rate(limit, LimitKind.TOKENS, last)));
        this.budgets = new ArrayList<>();
        for (Budget budget : limits.budgets()) {
            Spending spending = shared.budgets().of(budget, limits.maxKeys());
            Scope scope = new Scope(budget.key(), budget.paths(), budget.models(), budget.keys());
            budgets.add(new LimitedBudget(scope, BudgetRule.of(budget, spending)));
        }
        this.limited = !rates.isEmpty() || !budgets.isEmpty() || limits.inFlightPerClient() > 0;
    }

    private LimitedRate rate(RateLimit limit, LimitKind kind, List<LimitedRate> last) {
        for (LimitedRate one : last) {
            if (one.config().equals(limit) && one.rule().kind() == kind) {
                one.buckets().keepAtMost(limits.maxKeys());
                return one;
            }
        }
        return LimitedRate.of(limit, kind, limits.maxKeys(), shared);
    }

    /** One by other limits. Those that have not changed keep their buckets, budgets and counts in flight go on. */
    public Limiter reconfigured(Limits next) {
        shared.keepAtMost(next.maxKeys());
        return new Limiter(next, shared, rates);
    }

    /** What is used up of budgets; the same for all that this is {@linkplain #reconfigured} to. */
    public Budgets budgets() {
        return shared.budgets();
    }

    /** Whether anything is limited, apart from what keys bring along. */
    public boolean isLimited() {
        return limited;
    }

    /**
     * Takes what can be taken before the model is known: requests in flight, and requests by limits that heed no model;
     * looks whether budgets are used up that heed none.
     *
     * @param charge new or {@linkplain Charge#reset reset}
     * @param nowNanos on the scale of {@link System#nanoTime}
     * @return 0: admitted; above 0: admitted after so many nanoseconds; {@link #ASK_AGAIN}; else below 0: refused, and
     *     {@code charge} tells why
     */
    public long atHead(LimitedRequest request, Charge charge, long nowNanos) {
        charge.open();
        Principal principal = request.principal();
        Allowance allowance = principal == null ? Allowance.ANY : principal.allowance();
        boolean admitted = hasBudget(request, charge, false, nowNanos)
                && enter(request, charge, allowance)
                && takeRates(request, charge, false, nowNanos)
                && (principal == null || takeOfKey(principal, charge, false, nowNanos));
        return ended(charge, admitted, nowNanos);
    }

    /**
     * Takes the rest: requests by limits that heed the model, and tokens by an estimate.
     *
     * @param promptTokens about so many; less than 1 counts as 1
     * @param answerTokens at most so many, as the request says; below 0: it does not say
     * @return as {@link #atHead}
     */
    public long atModel(LimitedRequest request, Charge charge, long promptTokens, long answerTokens, long nowNanos) {
        if (!charge.isOpen()) {
            throw new IllegalStateException("charge: not open (expected: admitted by its head)");
        }
        charge.beginSecondStage();
        long answer = answerTokens < 0 ? limits.answerTokens() : Math.min(answerTokens, MOST_TOKENS);
        charge.estimate(Math.max(1, Math.min(promptTokens, MOST_TOKENS)), answer);
        Principal principal = request.principal();
        boolean admitted = hasBudget(request, charge, true, nowNanos)
                && takeRates(request, charge, true, nowNanos)
                && (principal == null || !request.usesTokens() || takeOfKey(principal, charge, true, nowNanos));
        return ended(charge, admitted, nowNanos);
    }

    private long ended(Charge charge, boolean admitted, long nowNanos) {
        if (charge.isUnknown()) {
            charge.takeBackStage(nowNanos);
            return ASK_AGAIN;
        }
        if (!admitted) {
            charge.giveBack(nowNanos);
            shared.observer().onRefused(charge.refusedBy());
            return REFUSED;
        }
        long wait = charge.delayNanos();
        if (wait > 0) {
            shared.observer().onDelayed(charge.delayedBy());
        }
        return wait;
    }

    private boolean enter(LimitedRequest request, Charge charge, Allowance allowance) {
        int ofAll = limits.inFlightPerClient();
        int ofKey = allowance.inFlight();
        if (ofAll == 0 && ofKey == 0) {
            return true;
        }
        boolean keyIsTighter = ofKey > 0 && (ofAll == 0 || ofKey < ofAll);
        int most = keyIsTighter ? ofKey : ofAll;
        Tallies.Tally tally = shared.inFlight().enter(charge.caller(request), most);
        if (tally == null) {
            String whose = request.principal() == null ? " from one address" : " with one key";
            String message = "too many requests in flight: " + most + " at once" + whose + " are allowed";
            String name = keyIsTighter ? KeyLimits.NAME : IN_FLIGHT;
            charge.refuse(name, LimitKind.IN_FLIGHT, message, most, IN_FLIGHT_RETRY_NANOS);
            return false;
        }
        charge.onInFlight(tally);
        return true;
    }

    /** @param second in the stage in which the model is known */
    private boolean takeRates(LimitedRequest request, Charge charge, boolean second, long nowNanos) {
        for (int i = 0; i < rates.size(); i++) {
            LimitedRate limit = rates.get(i);
            boolean tokens = limit.rule().kind() == LimitKind.TOKENS;
            boolean due = second == (tokens || limit.scope().needsModel());
            if (!due || (tokens && !request.usesTokens()) || !limit.scope().concerns(request)) {
                continue;
            }
            String key = limit.scope().keyOf(request, charge);
            long units = tokens ? charge.estimate() : 1;
            Bucket bucket = limit.buckets().of(key, nowNanos);
            long wait = limit.rule().take(bucket, limit.buckets(), key, charge, units, nowNanos);
            if (wait < 0) {
                return false;
            }
            charge.onWait(limit.rule().name(), wait);
        }
        return true;
    }

    private boolean takeOfKey(Principal principal, Charge charge, boolean second, long nowNanos) {
        KeyLimits mine = keyLimits(principal, charge, nowNanos);
        if (mine == null) {
            return true;
        }
        String key = charge.nameKey(principal);
        return (second ? mine.takeTokens(key, charge, nowNanos) : mine.takeRequest(key, charge, nowNanos)) >= 0;
    }

    private @Nullable KeyLimits keyLimits(Principal principal, Charge charge, long nowNanos) {
        Allowance allowance = principal.allowance();
        if (!KeyLimits.concern(allowance)) {
            return null;
        }
        String key = charge.nameKey(principal);
        KeyLimits known = shared.keys().known(key);
        if (known == null) {
            known = shared.keys().get(key, unknown -> new KeyLimits(unknown, allowance, null, shared, nowNanos));
        }
        if (known.isOf(allowance)) {
            return known;
        }
        KeyLimits changed = new KeyLimits(key, allowance, known, shared, nowNanos);
        shared.keys().put(key, changed);
        return changed;
    }

    /** @param second in the stage in which the model is known: the estimate is put down to every budget */
    private boolean hasBudget(LimitedRequest request, Charge charge, boolean second, long nowNanos) {
        if (!request.usesTokens()) {
            return true;
        }
        for (int i = 0; i < budgets.size(); i++) {
            LimitedBudget budget = budgets.get(i);
            boolean due = second || !budget.scope().needsModel();
            if (due && budget.scope().concerns(request)) {
                String key = budget.scope().keyOf(request, charge);
                if (!budget.rule().admits(key, charge, second, shared, nowNanos)) {
                    return false;
                }
            }
        }
        Principal principal = request.principal();
        KeyLimits mine = principal == null ? null : keyLimits(principal, charge, nowNanos);
        return mine == null || mine.hasBudget(charge.caller(request), charge, second, shared, nowNanos);
    }

    /**
     * The answer is there, or as much of it as there will be: corrects the estimate and counts the request out. Does
     * nothing for a charge that is not open.
     *
     * @param promptTokens below 0: not known, the estimate stands
     * @param generatedTokens below 0: not known, the estimate stands
     * @param gpuNanos time that the backend loaded, read and generated; below 0: not known, and counts as none
     */
    public void settle(Charge charge, long promptTokens, long generatedTokens, long gpuNanos, long nowNanos) {
        if (!charge.isOpen()) {
            return;
        }
        if (charge.hasReserved()) {
            shared.budgets().onChange();
        }
        // A backend may tell any number too: a sum that overflows would give room back.
        long prompt = Math.min(promptTokens, MOST_TOKENS);
        long generated = Math.min(generatedTokens, MOST_TOKENS);
        charge.settle(prompt, generated, Math.max(0, Math.min(gpuNanos, MOST_GPU_NANOS)), nowNanos);
    }

    /**
     * No backend has seen the request: gives everything back and counts it out. Does nothing for a charge that is not
     * open.
     */
    public void cancel(Charge charge, long nowNanos) {
        if (charge.isOpen()) {
            charge.giveBack(nowNanos);
        }
    }

    /** A configured limit with its buckets. */
    private record LimitedRate(RateLimit config, Scope scope, RateRule rule, Buckets buckets) {
        static LimitedRate of(RateLimit config, LimitKind kind, int maxKeys, Shared shared) {
            RateRule rule = RateRule.of(config, kind);
            Scope scope = new Scope(config.key(), config.paths(), config.models(), config.keys());
            return new LimitedRate(config, scope, rule, shared.buckets(rule, maxKeys));
        }
    }

    private record LimitedBudget(Scope scope, BudgetRule rule) {}
}
