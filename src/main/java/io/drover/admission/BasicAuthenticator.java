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
    private Users users;
    private LiveText file;

    private BasicAuthenticator(Auth auth) {
        this.auth = auth;
        users = Users.NONE;
        verifications = new Verifications(
                "drover-passwords", LONGEST_CREDENTIAL, WAITING, new PasswordCheck(users), auth.cached());
        file = fileOf(auth);
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
            opened.file.require();
        } catch (IOException useless) {
            opened.close();
            throw useless;
        }
        opened.file.start();
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
            LiveText other = fileOf(next);
            try {
                other.require();
            } catch (IOException useless) {
                other.close();
                throw useless;
            }
            file.close();
            file = other;
            file.start();
        }
        auth = next;
        verifications.follow(new PasswordCheck(users), next.cached());
    }

    private LiveText fileOf(Auth of) {
        Path path = of.usersFile().orElseThrow();
        return new LiveText(
                new WatchedFile(path),
                text -> accept(path, Users.parse(text)),
                of.refresh(),
                of.refresh(),
                "drover-users");
    }

    private synchronized void accept(Path path, Users read) {
        users = read;
        verifications.follow(new PasswordCheck(read), auth.cached());
        LOG.info("{}: {} users", path, read.size());
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
