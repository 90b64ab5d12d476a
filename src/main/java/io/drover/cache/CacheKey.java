package io.drover.cache;

import java.util.Arrays;
import java.util.HexFormat;

/** What a request asks for, and everything that decides its answer, as a SHA-256. Equal keys have the same answer. */
public final class CacheKey {
    private static final int LENGTH = 32;

    private final byte[] digest;
    private final int hash;

    private CacheKey(byte[] digest) {
        if (digest.length != LENGTH) {
            throw new IllegalArgumentException(digest.length + " bytes (expected: 32)");
        }
        this.digest = digest;
        this.hash = Arrays.hashCode(digest);
    }

    /** @param digest becomes the key's own */
    static CacheKey of(byte[] digest) {
        return new CacheKey(digest);
    }

    /**
     * Reads what {@link #toString} wrote.
     *
     * @throws IllegalArgumentException if the text is not 64 hexadecimal digits
     */
    public static CacheKey parse(String hex) {
        return new CacheKey(HexFormat.of().parseHex(hex));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CacheKey key && hash == key.hash && Arrays.equals(digest, key.digest);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** 64 hexadecimal digits. */
    @Override
    public String toString() {
        return HexFormat.of().formatHex(digest);
    }
}
