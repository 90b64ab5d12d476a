package io.drover.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What a bucket is kept under: texts of bounded length of which no two mean the same by accident. */
final class BucketKey {
    /** Before an address that stands where others have a name; a name that begins with it gets it once more. */
    private static final char ADDRESS_MARK = '@';

    private static final int LONGEST = 128;
    private static final int KEPT = 40;

    private BucketKey() {}

    /** The text itself, or if it is long its start, for people, and its SHA-256: two long ones never share a bucket. */
    static String of(String text) {
        if (text.length() <= LONGEST) {
            return text;
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return text.substring(0, KEPT) + "..." + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 (expected: every JDK has it)", e);
        }
    }

    static String ofName(String name) {
        String bounded = of(name);
        return bounded.startsWith("@") ? ADDRESS_MARK + bounded : bounded;
    }

    static String ofAddress(String address) {
        return ADDRESS_MARK + address;
    }
}
