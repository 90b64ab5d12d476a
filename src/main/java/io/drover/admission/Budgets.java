package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import io.drover.config.DroverConfig.Budget;
import io.drover.config.DroverConfig.Period;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** What is used up of all budgets. Lives as long as the process, whatever is configured meanwhile. For any thread. */
public final class Budgets {
    private final Map<String, Spending> spendings = new ConcurrentHashMap<>();
    private final @Nullable Replicas replicas;
    private final Ticker ticker;
    private volatile boolean changed;

    /** @param replicas with which they are shared; null: none */
    Budgets(@Nullable Replicas replicas, Ticker ticker) {
        this.replicas = replicas;
        this.ticker = ticker;
    }

    /** That of a configured budget: the same one for the same name, key and period. */
    Spending of(Budget budget, int maxKeys) {
        return of(budget.name() + "/" + budget.key() + "/" + word(budget.per()), budget.per(), maxKeys);
    }

    /** That of the budgets that API keys bring along. */
    Spending ofKeys(Period per, int maxKeys) {
        return of("/" + word(per), per, maxKeys);
    }

    private Spending of(String id, Period per, int maxKeys) {
        Spending spending =
                spendings.computeIfAbsent(id, unknown -> new Spending(per, accounts(unknown), maxKeys, ticker));
        spending.keepAtMost(maxKeys);
        return spending;
    }

    private BiFunction<Term, String, Account> accounts(String budget) {
        Replicas others = replicas;
        return others == null
                ? (term, key) -> new Account.Local(term)
                : (term, key) -> new SharedAccount(term, others, budget, key);
    }

    static String word(Period per) {
        return per.name().toLowerCase(Locale.ROOT);
    }

    /** By what tells them apart. */
    Map<String, Spending> spendings() {
        return spendings;
    }

    void onChange() {
        if (!changed) {
            changed = true;
        }
    }

    /** Whether anything was used up since this was asked last. */
    boolean takeChanged() {
        boolean was = changed;
        changed = false;
        return was;
    }
}
