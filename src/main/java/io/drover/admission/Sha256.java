package io.drover.admission;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256 of what is asked again and again by the same threads: after a thread's first time it allocates nothing. */
final class Sha256 {
    private static final int BYTES = 32;

    private static final ThreadLocal<Sha256> MINE = ThreadLocal.withInitial(Sha256::new);

    private final MessageDigest algorithm = algorithm();
    private final byte[] digest = new byte[BYTES];

    private Sha256() {}

    static MessageDigest algorithm() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }

    /** The digest of some bytes; its array is this thread's and good until the next call. */
    static byte[] of(byte[] bytes, int from, int to) {
        Sha256 mine = MINE.get();
        mine.algorithm.update(bytes, from, to - from);
        try {
            mine.algorithm.digest(mine.digest, 0, BYTES);
        } catch (DigestException impossible) {
            throw new IllegalStateException("32 bytes have room for it", impossible);
        }
        return mine.digest;
    }
}
