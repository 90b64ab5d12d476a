package io.drover.admission;

import io.drover.admission.AuthVerdict.Reason;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/** Verifies users and passwords (RFC 7617) against one state of the users file. Immutable. */
final class PasswordCheck implements CredentialCheck {
    private static final long ACCEPTED_MILLIS = TimeUnit.MINUTES.toMillis(5);

    private static final AuthVerdict MALFORMED = AuthVerdict.refused(
            Reason.MALFORMED, "malformed Basic credentials (expected: base64 of user:password in UTF-8, RFC 7617)");
    private static final AuthVerdict WRONG = AuthVerdict.refused(Reason.UNKNOWN, "wrong user or password");

    private final Users users;

    PasswordCheck(Users users) {
        this.users = users;
    }

    @Override
    public Checked check(byte[] credential, long nowMillis) {
        byte[] pair;
        try {
            pair = Base64.getDecoder().decode(credential);
        } catch (IllegalArgumentException malformed) {
            return Checked.refused(MALFORMED, nowMillis);
        }
        int colon = 0;
        while (colon < pair.length && pair[colon] != ':') {
            colon++;
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(pair))
                    .toString();
        } catch (CharacterCodingException malformed) {
            return Checked.refused(MALFORMED, nowMillis);
        }
        // Control characters are forbidden; a NUL would end the password for some hashes and not for others.
        if (colon == pair.length || text.chars().anyMatch(Character::isISOControl)) {
            return Checked.refused(MALFORMED, nowMillis);
        }
        String user = text.substring(0, text.indexOf(':'));
        return users.have(user, Arrays.copyOfRange(pair, colon + 1, pair.length))
                ? new Checked(AuthVerdict.of(Principal.named(user)), nowMillis + ACCEPTED_MILLIS)
                : Checked.refused(WRONG, nowMillis);
    }
}
