package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import io.drover.config.DroverConfig.Period;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;

/**
 * What each key has used up of one budget. Periods end by the wall clock of whoever asks. For any thread; asking for a
 * known key takes no lock, and allocates once in a period.
 */
final class Spending {
    /** Longer than a month: what is unused for so long is of a period that is over. */
    private static final Duration KEPT = Duration.ofDays(32);

    /** A clock that is set back by less does not begin a period anew. */
    private static final long SET_BACK_MILLIS = Duration.ofDays(1).toMillis();

    private final Period per;
    private final Keyed<AtomicReference<Account>> accounts;

    Spending(Period per, int maxKeys, Ticker ticker) {
        this.per = per;
        this.accounts = new Keyed<>(KEPT, maxKeys, ticker);
    }

    /** The account of {@code key} in the period of {@code nowMillis}. */
    Account of(String key, long nowMillis) {
        AtomicReference<Account> slot = accounts.known(key);
        if (slot == null) {
            slot = accounts.get(key, unknown -> new AtomicReference<>(Account.at(per, nowMillis)));
        }
        Account account = slot.get();
        if (nowMillis < account.untilMillis() && account.fromMillis() - nowMillis < SET_BACK_MILLIS) {
            return account;
        }
        slot.compareAndSet(account, Account.at(per, nowMillis));
        return slot.get();
    }

    /** Adds what was used up before a restart, if it was in the period of {@code nowMillis}. */
    void restore(BudgetsFile.Stored line, long nowMillis) {
        Account account = of(line.key(), nowMillis);
        if (account.first().toString().equals(line.from())) {
            account.tokens().addAndGet(line.tokens());
            account.gpuNanos().addAndGet(line.gpuNanos());
        }
    }

    /** Gives each key with its account; of some the period may be over. */
    void forEach(BiConsumer<String, Account> use) {
        accounts.all().forEach((key, slot) -> use.accept(key, slot.get()));
    }

    void keepAtMost(int keys) {
        accounts.keepAtMost(keys);
    }
}
