package io.drover.admission;

import io.drover.config.DroverConfig.Auth;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Tells whose a token of an identity provider is. The provider's keys come from a file or, on a thread of their own, from
 * an address; while that is away the last ones stay. Any thread.
 */
public final class JwtAuthenticator implements Authenticator, AutoCloseable {
    /** A token is a header field, and it is parsed before anything is known of who sends it. */
    private static final int LONGEST_TOKEN = 16 << 10;

    /** Each takes some 0.1 ms. */
    private static final int WAITING = 1024;

    private final Duration fetchLeast;
    private final Verifications verifications;

    // Written with the lock of this.
    private Auth auth;
    private volatile PublishedKeys published;

    private JwtAuthenticator(Auth auth, Duration fetchLeast) {
        this.auth = auth;
        this.fetchLeast = fetchLeast;
        verifications = new Verifications(
                "drover-jwt", LONGEST_TOKEN, WAITING, new TokenCheck(auth.jwt(), null), auth.cached());
        published = new PublishedKeys(auth, fetchLeast, this::follow);
    }

    /**
     * Begins to fetch the keys, or reads their file. Until they have come tokens are refused with {@link
     * AuthVerdict#NO_KEYS}.
     *
     * @param auth with a place where keys are
     * @throws IOException if their file cannot be used; the message says why. An address may be away
     */
    public static JwtAuthenticator open(Auth auth) throws IOException {
        return open(auth, PublishedKeys.FETCH_LEAST);
    }

    /** @param fetchLeast how long after a fetch of the keys the next may come */
    static JwtAuthenticator open(Auth auth, Duration fetchLeast) throws IOException {
        JwtAuthenticator opened = new JwtAuthenticator(auth, fetchLeast);
        try {
            opened.published.start();
        } catch (IOException useless) {
            opened.close();
            throw useless;
        }
        return opened;
    }

    /**
     * Goes on as {@code next} says. Keys from the same place as before stay.
     *
     * @throws IOException as {@link #open}; nothing has changed then
     */
    public synchronized void configure(Auth next) throws IOException {
        if (next.equals(auth)) {
            return;
        }
        if (PublishedKeys.differ(auth, next)) {
            PublishedKeys other = new PublishedKeys(next, fetchLeast, this::follow);
            try {
                other.start();
            } catch (IOException useless) {
                other.close();
                throw useless;
            }
            published.close();
            published = other;
        }
        auth = next;
        follow();
    }

    private synchronized void follow() {
        verifications.follow(new TokenCheck(auth.jwt(), published.keys()), auth.cached());
    }

    @Override
    public @Nullable AuthVerdict known(byte[] bytes, int from, int to, long nowMillis) {
        return verifications.known(bytes, from, to, nowMillis);
    }

    /** A token whose key is not known waits while the keys are fetched, if that was not done just now. */
    @Override
    public CompletionStage<AuthVerdict> verify(byte[] credential, long nowMillis) {
        PublishedKeys asked = published;
        int seen = asked.count();
        return verifications.verify(credential, nowMillis).thenCompose(verdict -> {
            if (!verdict.equals(AuthVerdict.NO_KEYS) && !verdict.equals(TokenCheck.UNKNOWN_KEY)) {
                return CompletableFuture.completedFuture(verdict);
            }
            return asked.newerThan(seen)
                    .thenCompose(isNewer -> isNewer
                            ? verifications.verify(credential, nowMillis)
                            : CompletableFuture.completedFuture(verdict));
        });
    }

    /** Verifies nothing more; does not wait for what is under way. */
    @Override
    public synchronized void close() {
        published.close();
        verifications.close();
    }
}
