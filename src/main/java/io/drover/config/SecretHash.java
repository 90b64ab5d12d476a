package io.drover.config;

import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/** The SHA-256 of a long random secret, as {@code sha256:} and 64 hexadecimal digits. Immutable. */
public final class SecretHash {
    private static final String PREFIX = "sha256:";
    private static final Pattern TEXT = Pattern.compile(PREFIX + "[0-9a-f]{64}");

    private final byte[] digest;

    private SecretHash(byte[] digest) {
        this.digest = digest;
    }

    /** @return empty if the text is not one */
    public static Optional<SecretHash> parse(String text) {
        return TEXT.matcher(text).matches()
                ? Optional.of(new SecretHash(HexFormat.of().parseHex(text, PREFIX.length(), text.length())))
                : Optional.empty();
    }

    /** @param digest 32 bytes, copied */
    public static SecretHash of(byte[] digest) {
        return new SecretHash(digest.clone());
    }

    /** Whether this is the hash with {@code candidate} as its bytes; takes the same time whatever they are. */
    public boolean matches(byte[] candidate) {
        return MessageDigest.isEqual(digest, candidate);
    }

    /** A number that differs from hash to hash, for tables. */
    @Override
    public int hashCode() {
        return (digest[0] & 0xff) << 24 | (digest[1] & 0xff) << 16 | (digest[2] & 0xff) << 8 | (digest[3] & 0xff);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SecretHash hash && matches(hash.digest);
    }

    /** As it is written in a file. */
    @Override
    public String toString() {
        return PREFIX + HexFormat.of().formatHex(digest);
    }
}
