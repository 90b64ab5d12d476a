package io.drover.admission;

import org.jspecify.annotations.Nullable;

/**
 * The salted hash of a credential, by which it is remembered in the credential's stead. Equal for equal credentials; two
 * that differ are never found to share 256 bits. A thread's own key for look-ups is filled again and again; what is kept
 * is a copy.
 */
final class CredentialKey {
    /** Bytes of a hash. */
    static final int LENGTH = 32;

    private long first;
    private long second;
    private long third;
    private long fourth;

    /** @param hash its first {@link #LENGTH} bytes, not kept */
    void fill(byte[] hash) {
        first = number(hash, 0);
        second = number(hash, Long.BYTES);
        third = number(hash, 2 * Long.BYTES);
        fourth = number(hash, 3 * Long.BYTES);
    }

    private static long number(byte[] bytes, int from) {
        long number = 0;
        for (int i = from; i < from + Long.BYTES; i++) {
            number = (number << Byte.SIZE) | (bytes[i] & 0xff);
        }
        return number;
    }

    CredentialKey copy() {
        CredentialKey copy = new CredentialKey();
        copy.first = first;
        copy.second = second;
        copy.third = third;
        copy.fourth = fourth;
        return copy;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CredentialKey key
                && key.first == first
                && key.second == second
                && key.third == third
                && key.fourth == fourth;
    }

    /** A part of the hash: as good as random, and the salt keeps it from being chosen. */
    @Override
    public int hashCode() {
        return (int) first;
    }
}
