package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import io.drover.config.DroverConfig.Budget;
import io.drover.config.DroverConfig.Period;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What is used up of all budgets. Lives as long as the process, whatever is configured meanwhile. For any thread. */
public final class Budgets {
    private final Map<String, Spending> spendings = new ConcurrentHashMap<>();
    private final Ticker ticker;
    private volatile boolean changed;

    Budgets(Ticker ticker) {
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
        Spending spending = spendings.computeIfAbsent(id, unknown -> new Spending(per, maxKeys, ticker));
        spending.keepAtMost(maxKeys);
        return spending;
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
