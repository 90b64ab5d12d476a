package io.drover.admission;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;

/**
 * Hashes credentials with SHA-256 and a salt of its own, so that a dump of the memory holds nothing that could be tried
 * on another process. Any thread; hashing allocates nothing but a thread's first time.
 */
final class CredentialHasher {
    private static final int SALT_LENGTH = 32;

    private final byte[] salt = new byte[SALT_LENGTH];
    private final ThreadLocal<Work> work = ThreadLocal.withInitial(Work::new);

    CredentialHasher() {
        new SecureRandom().nextBytes(salt);
    }

    /** The key of these bytes; the calling thread's own, good until it asks again. */
    CredentialKey key(byte[] bytes, int from, int to) {
        Work mine = work.get();
        try {
            mine.digest.update(salt);
            mine.digest.update(bytes, from, to - from);
            mine.digest.digest(mine.hash, 0, CredentialKey.LENGTH);
        } catch (DigestException impossible) {
            throw new IllegalStateException(impossible);
        }
        mine.key.fill(mine.hash);
        return mine.key;
    }

    private static final class Work {
        private final MessageDigest digest;
        private final byte[] hash = new byte[CredentialKey.LENGTH];
        private final CredentialKey key = new CredentialKey();

        Work() {
            try {
                digest = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException everyJdkHasIt) {
                throw new IllegalStateException(everyJdkHasIt);
            }
        }
    }
}
