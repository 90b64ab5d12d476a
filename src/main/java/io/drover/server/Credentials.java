package io.drover.server;

import io.drover.admission.BasicAuthenticator;
import io.drover.admission.JwtAuthenticator;
import io.drover.admission.KeyRing;
import io.drover.admission.KeyStore;
import io.drover.config.ConfigException;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.proxy.Authentication;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The keys, tokens and passwords that are accepted, as files and stores have them now. One thread at a time. */
final class Credentials implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Credentials.class);

    private final @Nullable KeyStore store;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("drover-keys", true));

    private @Nullable KeyRing keys;
    private @Nullable JwtAuthenticator tokens;
    private @Nullable BasicAuthenticator users;
    private @Nullable Auth last;
    private volatile Authentication current = Authentication.OFF;

    /** @param store of further API keys; null where there is no Redis */
    Credentials(@Nullable KeyStore store) {
        this.store = store;
    }

    /** To see whether all files are well; nothing is read of a store. */
    static Credentials ofFiles() {
        return new Credentials(() -> CompletableFuture.completedStage(Map.of()));
    }

    /** As it was configured last. */
    Authentication current() {
        return current;
    }

    /**
     * Reads what {@code next} names, and accepts that from now on.
     *
     * @throws ConfigException if a file cannot be read or has mistakes; then what was accepted before still is
     */
    void configure(Auth next) throws ConfigException {
        try {
            // What is no longer accepted is closed last, when nothing can fail any more.
            if (next.mode().contains(AuthMode.API_KEY)) {
                keys = configured(keys, next);
            }
            if (next.mode().contains(AuthMode.JWT)) {
                tokens = configured(tokens, next);
            }
            if (next.mode().contains(AuthMode.BASIC)) {
                users = configured(users, next);
            }
        } catch (IOException wrong) {
            restore();
            throw new ConfigException(String.valueOf(wrong.getMessage()));
        }
        closeAllBut(next.mode());
        last = next;
        current = next.isOn() ? new Authentication(next, keys, tokens, users) : Authentication.OFF;
    }

    private void closeAllBut(List<AuthMode> modes) {
        if (!modes.contains(AuthMode.API_KEY)) {
            keys = closed(keys);
        }
        if (!modes.contains(AuthMode.JWT)) {
            tokens = closed(tokens);
        }
        if (!modes.contains(AuthMode.BASIC)) {
            users = closed(users);
        }
    }

    /** Some may have changed before another could not. */
    private void restore() {
        Auth before = last;
        closeAllBut(before == null ? List.of() : before.mode());
        if (before == null) {
            return;
        }
        try {
            if (keys != null) {
                keys.configure(before);
            }
            if (tokens != null) {
                tokens.configure(before);
            }
            if (users != null) {
                users.configure(before);
            }
        } catch (IOException gone) {
            LOG.warn("credentials of before can no longer be read: {}", gone.getMessage());
        }
    }

    private KeyRing configured(@Nullable KeyRing known, Auth next) throws IOException {
        if (known == null) {
            return KeyRing.open(next, store, thread);
        }
        known.configure(next);
        return known;
    }

    private static JwtAuthenticator configured(@Nullable JwtAuthenticator known, Auth next) throws IOException {
        if (known == null) {
            return JwtAuthenticator.open(next);
        }
        known.configure(next);
        return known;
    }

    private static BasicAuthenticator configured(@Nullable BasicAuthenticator known, Auth next) throws IOException {
        if (known == null) {
            return BasicAuthenticator.open(next);
        }
        known.configure(next);
        return known;
    }

    /** What is checked by it at this moment fails or not; nobody asks it any more. */
    private static <T extends AutoCloseable> @Nullable T closed(@Nullable T last) {
        if (last != null) {
            try {
                last.close();
            } catch (Exception e) {
                throw new IllegalStateException("closing " + last, e);
            }
        }
        return null;
    }

    @Override
    public void close() {
        keys = closed(keys);
        tokens = closed(tokens);
        users = closed(users);
        thread.shutdownNow();
    }
}
