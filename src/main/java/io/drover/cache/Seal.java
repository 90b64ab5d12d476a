package io.drover.cache;

import io.drover.config.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * How values look in Redis: as they are, or encrypted with AES-256-GCM, each for its key there, so that it says nothing
 * under another one. Any thread.
 */
final class Seal {
    private static final String EXPECTED = "a readable file with 32 bytes in base64";
    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BYTES = 16;

    /** First byte of a value, so that what was written before encryption was turned on or off is told apart. */
    private static final byte PLAIN = 'P';

    private static final byte ENCRYPTED = 'E';

    private final @Nullable SecretKey secret;
    // Nonces are random: one key is good for 2^32 values (NIST SP 800-38D, 8.3).
    private final SecureRandom random = new SecureRandom();

    private Seal(@Nullable SecretKey secret) {
        this.secret = secret;
    }

    static Seal plain() {
        return new Seal(null);
    }

    /** @throws ConfigException if the file does not hold a key; the message does not tell what it holds */
    static Seal of(Path keyFile) throws ConfigException {
        try {
            // Not more than a key takes, should it be something else.
            byte[] text = read(keyFile);
            byte[] bytes = Base64.getDecoder().decode(new String(text, StandardCharsets.ISO_8859_1).strip());
            if (bytes.length != KEY_BYTES) {
                throw wrong(keyFile, bytes.length + " bytes");
            }
            return new Seal(new SecretKeySpec(bytes, "AES"));
        } catch (IllegalArgumentException notBase64) {
            throw wrong(keyFile, "not base64");
        } catch (NoSuchFileException missing) {
            throw wrong(keyFile, "no such file");
        } catch (AccessDeniedException forbidden) {
            throw wrong(keyFile, "no permission");
        } catch (IOException unreadable) {
            throw wrong(keyFile, String.valueOf(unreadable.getMessage()));
        }
    }

    private static byte[] read(Path keyFile) throws IOException {
        try (InputStream in = Files.newInputStream(keyFile)) {
            return in.readNBytes(1024);
        }
    }

    private static ConfigException wrong(Path keyFile, String what) {
        return new ConfigException(
                "drover.cache.encryption-key-file: \"" + keyFile + "\": " + what + " (expected: " + EXPECTED + ")");
    }

    /** @param name the key in Redis */
    byte[] close(byte[] name, byte[] value) {
        byte[] closed = new byte[1 + (secret == null ? 0 : NONCE_BYTES + TAG_BYTES) + value.length];
        if (secret == null) {
            closed[0] = PLAIN;
            System.arraycopy(value, 0, closed, 1, value.length);
            return closed;
        }
        closed[0] = ENCRYPTED;
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        System.arraycopy(nonce, 0, closed, 1, NONCE_BYTES);
        try {
            cipher(Cipher.ENCRYPT_MODE, secret, closed, name).doFinal(value, 0, value.length, closed, 1 + NONCE_BYTES);
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
        return closed;
    }

    /** Null if it was not closed by this key under this name. */
    byte @Nullable [] open(byte[] name, byte[] closed) {
        if (secret == null) {
            return closed.length > 0 && closed[0] == PLAIN ? Arrays.copyOfRange(closed, 1, closed.length) : null;
        }
        int head = 1 + NONCE_BYTES;
        if (closed.length < head + TAG_BYTES || closed[0] != ENCRYPTED) {
            return null;
        }
        try {
            return cipher(Cipher.DECRYPT_MODE, secret, closed, name).doFinal(closed, head, closed.length - head);
        } catch (GeneralSecurityException notOurs) {
            return null;
        }
    }

    private static Cipher cipher(int mode, SecretKey secret, byte[] closed, byte[] name)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(mode, secret, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, closed, 1, NONCE_BYTES));
        cipher.updateAAD(name);
        return cipher;
    }
}
