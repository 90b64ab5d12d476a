package io.drover.testing;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Secrets as configurations and files of keys have them. */
public final class Secrets {
    private Secrets() {}

    /** Such as {@code admin.token-hash} is. */
    public static String hash(String secret) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
            return "sha256:" + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** A line of a file of keys; {@code more} are further fields, each with a comma before it. */
    public static String line(String name, String secret, String more) {
        return "{\"name\":\"" + name + "\",\"hash\":\"" + hash(secret) + "\"" + more + "}\n";
    }
}
