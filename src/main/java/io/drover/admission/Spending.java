package io.drover.admission;

import com.github.benmanes.caffeine.cache.Ticker;
import io.drover.config.DroverConfig.Period;
import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;

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
    private final BiFunction<Term, String, Account> make;
    private final Keyed<Slot> accounts;

    /** @param make an account of a key for a term */
    Spending(Period per, BiFunction<Term, String, Account> make, int maxKeys, Ticker ticker) {
        this.per = per;
        this.make = make;
        this.accounts = new Keyed<>(KEPT, maxKeys, ticker);
    }

    /** The account of {@code key} in the period of {@code nowMillis}. */
    Account of(String key, long nowMillis) {
        Slot slot = accounts.known(key);
        if (slot == null) {
            slot = accounts.get(key, unknown -> new Slot(make.apply(Term.at(per, nowMillis), unknown)));
        }
        Account account = slot.account;
        return isOf(account, nowMillis) ? account : slot.next(key, nowMillis);
    }

    private static boolean isOf(Account account, long nowMillis) {
        Term term = account.term();
        return nowMillis < term.untilMillis() && term.fromMillis() - nowMillis < SET_BACK_MILLIS;
    }

    /** Adds what was used up before a restart, if it was in the period of {@code nowMillis}. */
    void restore(BudgetsFile.Stored line, long nowMillis) {
        Account account = of(line.key(), nowMillis);
        if (account.term().first().toString().equals(line.from())) {
            account.add(line.tokens(), line.gpuNanos());
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
    private final class Slot {
        private volatile Account account;

        Slot(Account account) {
            this.account = account;
        }

        /** Once in a period, for which a lock is good enough. */
        synchronized Account next(String key, long nowMillis) {
            if (!isOf(account, nowMillis)) {
                account = make.apply(Term.at(per, nowMillis), key);
            }
            return account;
        }
    }
}
