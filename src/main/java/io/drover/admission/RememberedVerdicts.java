package io.drover.admission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.drover.admission.CredentialCheck.Checked;
import org.jspecify.annotations.Nullable;

/**
 * Verdicts on the credentials that came last or most, for as long as each holds. Any thread; finding one takes no lock and
 * allocates nothing.
 */
final class RememberedVerdicts {
    /** So few, since each holds for seconds only. */
    private static final int MOST_REFUSED = 1_000;

    private final Cache<CredentialKey, Checked> accepted;

    /** Apart, so that guesses never take the place of those who were let in. */
    private final Cache<CredentialKey, Checked> refused;

    /** @param most accepted credentials that are remembered, above 0 */
    RememberedVerdicts(int most) {
        accepted = cache(most);
        refused = cache(MOST_REFUSED);
    }

    /** Upkeep is done by the threads that come, a few moves in a list: waking another costs more. */
    private static Cache<CredentialKey, Checked> cache(int most) {
        return Caffeine.newBuilder().maximumSize(most).executor(Runnable::run).build();
    }

    /** @param key not kept */
    @Nullable
    AuthVerdict of(CredentialKey key, long nowMillis) {
        Checked known = accepted.getIfPresent(key);
        if (known == null) {
            known = refused.getIfPresent(key);
        }
        return known != null && nowMillis < known.untilMillis() ? known.verdict() : null;
    }

    /** @param key kept */
    void remember(CredentialKey key, Checked checked) {
        if (checked.untilMillis() > 0) {
            boolean isRefused = checked.verdict().principal() == null;
            (isRefused ? refused : accepted).put(key, checked);
            // What was accepted until now may be refused from now on, and the other way round.
            (isRefused ? accepted : refused).invalidate(key);
        }
    }
}
