package io.drover.admission;

import io.drover.admission.AuthVerdict.Reason;
import io.drover.admission.CredentialCheck.Checked;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Verifies credentials of one kind on a few threads, and remembers what came of it. However many requests come with the
 * same credential at once, it is verified once. Any thread.
 */
final class Verifications implements Authenticator, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Verifications.class);

    /** Verifying may take all of a processor; the event loops need the rest. */
    private static final int MOST_THREADS = 2;

    private static final long IDLE_SECONDS = 10;

    private final int longest;
    private final AuthVerdict tooLong;
    private final CredentialHasher hasher = new CredentialHasher();
    private final ThreadPoolExecutor threads;
    private volatile Standing standing;

    /** What is checked against, and what came of that: both go together when the first changes. */
    private record Standing(
            CredentialCheck check,
            RememberedVerdicts remembered,
            ConcurrentMap<CredentialKey, CompletableFuture<AuthVerdict>> underWay) {
        static Standing of(CredentialCheck check, int cached) {
            return new Standing(check, new RememberedVerdicts(cached), new ConcurrentHashMap<>());
        }
    }

    /**
     * @param name of the threads
     * @param longest most bytes of a credential; a longer one is refused unread
     * @param waiting most credentials that wait to be verified; a further one is told to come again
     * @param cached most accepted credentials that are remembered
     */
    Verifications(String name, int longest, int waiting, CredentialCheck check, int cached) {
        this.longest = longest;
        this.tooLong = AuthVerdict.refused(Reason.MALFORMED, "the credential is longer than " + longest + " bytes");
        this.standing = Standing.of(check, cached);
        int most = Math.max(1, Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors() / 2));
        threads = new ThreadPoolExecutor(
                most, most, IDLE_SECONDS, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waiting), task -> {
                    Thread thread = new Thread(task, name);
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /** Checks against something else from now on; nothing that was remembered counts any more. */
    void follow(CredentialCheck check, int cached) {
        standing = Standing.of(check, cached);
    }

    @Override
    public @Nullable AuthVerdict known(byte[] bytes, int from, int to, long nowMillis) {
        return to - from > longest ? tooLong : standing.remembered.of(hasher.key(bytes, from, to), nowMillis);
    }

    @Override
    public CompletionStage<AuthVerdict> verify(byte[] credential, long nowMillis) {
        if (credential.length > longest) {
            return CompletableFuture.completedFuture(tooLong);
        }
        Standing now = standing;
        CredentialKey key = hasher.key(credential, 0, credential.length).copy();
        AuthVerdict known = now.remembered.of(key, nowMillis);
        if (known != null) {
            return CompletableFuture.completedFuture(known); // It was under way until just now.
        }
        CompletableFuture<AuthVerdict> result = new CompletableFuture<>();
        CompletableFuture<AuthVerdict> underWay = now.underWay.putIfAbsent(key, result);
        if (underWay != null) {
            return underWay;
        }
        try {
            threads.execute(() -> finish(now, key, credential, nowMillis, result));
        } catch (RejectedExecutionException | OutOfMemoryError full) {
            // The system may have no further thread for it.
            now.underWay.remove(key);
            result.complete(AuthVerdict.BUSY);
        }
        return result;
    }

    private static void finish(
            Standing now, CredentialKey key, byte[] credential, long nowMillis, CompletableFuture<AuthVerdict> result) {
        Checked checked = checked(now.check, credential, nowMillis);
        try {
            now.remembered.remember(key, checked);
        } finally {
            // Only now: who comes in between finds one or the other.
            now.underWay.remove(key);
            result.complete(checked.verdict());
        }
    }

    private static Checked checked(CredentialCheck check, byte[] credential, long nowMillis) {
        try {
            return check.check(credential, nowMillis);
        } catch (RuntimeException | Error fault) {
            // Whoever sends it could fill the log, so that it is told where somebody looks for it.
            LOG.debug("a credential cannot be verified by a fault of ours", fault);
            return Checked.refused(
                    AuthVerdict.refused(Reason.UNAVAILABLE, "the credential cannot be verified"), nowMillis);
        }
    }

    /** No more from now on; those that wait are still verified. Does not wait for them. */
    @Override
    public void close() {
        threads.shutdown();
    }
}
