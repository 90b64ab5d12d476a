package io.drover.admission;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.LongPasswordStrategies;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.codec.digest.Md5Crypt;
import org.apache.commons.codec.digest.Sha2Crypt;

/**
 * The hash of a password in one of the forms that htpasswd, openssl and crypt(3) write. Immutable; its text is printed
 * nowhere.
 */
@FunctionalInterface
interface PasswordHash {
    /** What {@link #parse} takes, for people. */
    String EXPECTED = "bcrypt with a cost up to 17, $apr1$, $1$, $5$ or $6$ with up to 1000000 rounds, {SHA} or {SSHA}";

    /** Whether it is that of this password, which is not changed; takes the same time whether it is right or wrong. */
    boolean matches(byte[] password);

    /** @return empty if it is in no form that is known, or one that takes too long */
    static Optional<PasswordHash> parse(String text) {
        return Forms.parse(text);
    }

    /** Each known form. */
    final class Forms {
        /** Costs up to htpasswd's own bound, at which one password takes ten seconds. */
        private static final Pattern BCRYPT = Pattern.compile("\\$2([aby])\\$(0[4-9]|1[0-7])\\$[./A-Za-z0-9]{53}");

        private static final Pattern MD5 = Pattern.compile("(\\$(?:apr1|1)\\$[./A-Za-z0-9]{1,8})\\$[./A-Za-z0-9]{22}");

        private static final Pattern SHA2 = Pattern.compile("(\\$[56]\\$(?:rounds=([1-9][0-9]{3,6})\\$)?"
                + "[./A-Za-z0-9]{1,16})\\$(?:[./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})");
        private static final int MOST_ROUNDS = 1_000_000;

        private static final Pattern SHA1 = Pattern.compile("\\{S?SHA}([A-Za-z0-9+/]{27,}=*)");
        private static final int SHA1_BYTES = 20;

        private Forms() {}

        static Optional<PasswordHash> parse(String text) {
            Matcher form = BCRYPT.matcher(text);
            if (form.matches()) {
                return Optional.of(bcrypt(form.group(1), text));
            }
            form = MD5.matcher(text);
            if (form.matches()) {
                String salt = form.group(1);
                return Optional.of(crypt(
                        text,
                        salt.startsWith("$a")
                                ? password -> Md5Crypt.apr1Crypt(password, salt)
                                : password -> Md5Crypt.md5Crypt(password, salt)));
            }
            form = SHA2.matcher(text);
            if (form.matches()) {
                return sha2(text, form.group(1), Optional.ofNullable(form.group(2)));
            }
            form = SHA1.matcher(text);
            return form.matches() ? sha1(text.startsWith("{SSHA}"), form.group(1)) : Optional.empty();
        }

        /** The three letters mean the same for any program of this century; at 72 bytes all of them end a password. */
        private static PasswordHash bcrypt(String letter, String text) {
            BCrypt.Version version =
                    switch (letter) {
                        case "a" -> BCrypt.Version.VERSION_2A;
                        case "b" -> BCrypt.Version.VERSION_2B;
                        default -> BCrypt.Version.VERSION_2Y;
                    };
            byte[] hash = text.getBytes(StandardCharsets.US_ASCII);
            return password -> BCrypt.verifyer(version, LongPasswordStrategies.truncate(version))
                    .verify(password, hash)
                    .verified;
        }

        private static Optional<PasswordHash> sha2(String text, String salt, Optional<String> rounds) {
            boolean isLong = text.startsWith("$6$");
            int digits = text.length() - salt.length() - 1;
            if (digits != (isLong ? 86 : 43) || rounds.map(Integer::parseInt).orElse(0) > MOST_ROUNDS) {
                return Optional.empty();
            }
            return Optional.of(crypt(
                    text,
                    isLong
                            ? password -> Sha2Crypt.sha512Crypt(password, salt)
                            : password -> Sha2Crypt.sha256Crypt(password, salt)));
        }

        /** @param hash gets a copy: these functions wipe what they are given */
        private static PasswordHash crypt(String text, Function<byte[], String> hash) {
            byte[] expected = text.getBytes(StandardCharsets.US_ASCII);
            return password ->
                    MessageDigest.isEqual(expected, hash.apply(password.clone()).getBytes(StandardCharsets.US_ASCII));
        }

        private static Optional<PasswordHash> sha1(boolean isSalted, String base64) {
            byte[] bytes;
            try {
                bytes = Base64.getDecoder().decode(base64);
            } catch (IllegalArgumentException malformed) {
                return Optional.empty();
            }
            if (isSalted ? bytes.length <= SHA1_BYTES : bytes.length != SHA1_BYTES) {
                return Optional.empty();
            }
            byte[] expected = Arrays.copyOf(bytes, SHA1_BYTES);
            byte[] salt = Arrays.copyOfRange(bytes, SHA1_BYTES, bytes.length);
            return Optional.of(password -> MessageDigest.isEqual(expected, sha1(password, salt)));
        }

        private static byte[] sha1(byte[] password, byte[] salt) {
            try {
                MessageDigest digest = MessageDigest.getInstance("SHA-1");
                digest.update(password);
                return digest.digest(salt);
            } catch (NoSuchAlgorithmException everyJdkHasIt) {
                throw new IllegalStateException(everyJdkHasIt);
            }
        }
    }
}
