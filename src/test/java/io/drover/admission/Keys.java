package io.drover.admission;

import io.drover.config.SecretHash;
import java.nio.charset.StandardCharsets;

/** Keys for tests. */
final class Keys {
    private Keys() {}

    static SecretHash hash(String secret) {
        return SecretHash.of(digest(secret));
    }

    static byte[] digest(String secret) {
        return Sha256.algorithm().digest(secret.getBytes(StandardCharsets.UTF_8));
    }

    /** @param fields further ones, each with a comma in front */
    static String line(String name, String secret, String... fields) {
        return "{\"name\":\"" + name + "\",\"hash\":\"" + hash(secret) + "\"" + String.join("", fields) + "}";
    }

    static KeyLine key(String name, String secret, String... fields) {
        try {
            return KeyLine.parse(line(name, secret, fields));
        } catch (FieldsException wrong) {
            throw new IllegalArgumentException(wrong);
        }
    }
}
