package io.drover.admission;

import io.drover.config.DroverConfig.Auth;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells whether a user of a file has sent his password. The file is read again when it changes. Any thread. */
public final class BasicAuthenticator implements Authenticator, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BasicAuthenticator.class);

    /** A user and a password, as base64; hashing a password takes time by its length. */
    private static final int LONGEST_CREDENTIAL = 1024;

    /** Bcrypt takes a quarter of a second and more for each: who would wait longer had better come again. */
    private static final int WAITING = 64;

    private final Verifications verifications;

    // Written with the lock of this.
    private Auth auth;
    private UsersFile file;

    /** Each has users of its own: one that is read no more may still be at it. */
    private final class UsersFile implements AutoCloseable {
        private final Path path;
        private final LiveText text;
        private volatile Users users = Users.NONE;

        UsersFile(Auth of) {
            path = of.usersFile().orElseThrow();
            text = new LiveText(new WatchedFile(path), this::accept, of.refresh(), of.refresh(), "drover-users");
        }

        private void accept(String found) throws IOException {
            users = Users.parse(found);
            LOG.info("{}: {} users", path, users.size());
            follow();
        }

        @Override
        public void close() {
            text.close();
        }
    }

    private BasicAuthenticator(Auth auth) {
        this.auth = auth;
        verifications = new Verifications(
                "drover-passwords", LONGEST_CREDENTIAL, WAITING, new PasswordCheck(Users.NONE), auth.cached());
        file = new UsersFile(auth);
    }

    /**
     * Reads the users.
     *
     * @param auth with a users file
     * @throws IOException if it cannot be used; the message says why
     */
    public static BasicAuthenticator open(Auth auth) throws IOException {
        BasicAuthenticator opened = new BasicAuthenticator(auth);
        try {
            opened.file.text.require();
        } catch (IOException useless) {
            opened.close();
            throw useless;
        }
        opened.file.text.start();
        return opened;
    }

    /**
     * Goes on as {@code next} says.
     *
     * @throws IOException as {@link #open}; nothing has changed then
     */
    public synchronized void configure(Auth next) throws IOException {
        if (next.equals(auth)) {
            return;
        }
        if (!next.usersFile().equals(auth.usersFile()) || !next.refresh().equals(auth.refresh())) {
            UsersFile other = new UsersFile(next);
            try {
                other.text.require();
            } catch (IOException useless) {
                other.close();
                throw useless;
            }
            file.close();
            file = other;
            file.text.start();
        }
        auth = next;
        follow();
    }

    private synchronized void follow() {
        verifications.follow(new PasswordCheck(file.users), auth.cached());
    }

    @Override
    public @Nullable AuthVerdict known(byte[] bytes, int from, int to, long nowMillis) {
        return verifications.known(bytes, from, to, nowMillis);
    }

    @Override
    public CompletionStage<AuthVerdict> verify(byte[] credential, long nowMillis) {
        return verifications.verify(credential, nowMillis);
    }

    /** Verifies nothing more; does not wait for what is under way. */
    @Override
    public synchronized void close() {
        file.close();
        verifications.close();
    }
}
