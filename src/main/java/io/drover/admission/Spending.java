package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import io.drover.config.DroverConfig.Period;
import java.time.Duration;
import java.util.function.BiConsumer;

/**
 * What each key has used up of one budget. Periods end by the wall clock of whoever asks. For any thread; asking for a
 * known key takes no lock but allocates once in a period, under a lock.
 */
final class Spending {
    /** Longer than a month: what is unused for so long is of a period that is over. */
    private static final Duration KEPT = Duration.ofDays(32);

    /** A clock that is set back by less does not begin a period anew. */
    private static final long SET_BACK_MILLIS = Duration.ofDays(1).toMillis();

    private final Period per;
    private final Keyed<Slot> accounts;

    Spending(Period per, int maxKeys, Ticker ticker) {
        this.per = per;
        this.accounts = new Keyed<>(KEPT, maxKeys, ticker);
    }

    /** The account of {@code key} in the period of {@code nowMillis}. */
    Account of(String key, long nowMillis) {
        Slot slot = accounts.known(key);
        if (slot == null) {
            slot = accounts.get(key, unknown -> new Slot(Account.at(per, nowMillis)));
        }
        Account account = slot.account;
        return isOf(account, nowMillis) ? account : slot.next(per, nowMillis);
    }

    private static boolean isOf(Account account, long nowMillis) {
        return nowMillis < account.untilMillis() && account.fromMillis() - nowMillis < SET_BACK_MILLIS;
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
        accounts.all().forEach((key, slot) -> use.accept(key, slot.account));
    }

    void keepAtMost(int keys) {
        accounts.keepAtMost(keys);
    }

    /** The account of one key, of the last period in which it was asked for. */
    private static final class Slot {
        private volatile Account account;

        Slot(Account account) {
            this.account = account;
        }

        /** Once in a period, for which a lock is good enough. */
        synchronized Account next(Period per, long nowMillis) {
            if (!isOf(account, nowMillis)) {
                account = Account.at(per, nowMillis);
            }
            return account;
        }
    }
}
