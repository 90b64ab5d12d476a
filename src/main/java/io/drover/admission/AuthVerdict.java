package io.drover.admission;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What became of a credential. Immutable, made once for each caller and not for each request.
 *
 * @param principal whose it is; null where it is refused
 * @param refusal why it is refused, for the client: nothing that helps to guess one; empty where it is not
 * @param reason the same in one word; null where it is not refused
 */
public record AuthVerdict(
        @Nullable Principal principal,
        String refusal,
        @Nullable Reason reason) {
    /** Nothing is known of the credential, since too many others wait. */
    public static final AuthVerdict BUSY = refused(Reason.UNAVAILABLE, "too many credentials to verify at once");

    /** Nothing is known of the token, since nothing is known of its issuer's keys. */
    public static final AuthVerdict NO_KEYS =
            refused(Reason.UNAVAILABLE, "no token can be verified, since the issuer's keys are away");

    /** Why a credential is refused, for those who count; {@code docs/metrics.md} lists them. */
    public enum Reason {
        /** None came with the request. */
        MISSING,
        /** Nobody has this key, this password, or published the key that signed this token. */
        UNKNOWN,
        EXPIRED,
        DISABLED,
        /** It is none: too long, no base64, no token. */
        MALFORMED,
        /** A token whose signature, algorithm or claims are not what they have to be. */
        INVALID,
        /** It cannot be told here and now; the same may do later. */
        UNAVAILABLE;

        private final String label = name().toLowerCase(Locale.ROOT);
    }

    public static AuthVerdict of(Principal principal) {
        return new AuthVerdict(principal, "", null);
    }

    public static AuthVerdict refused(Reason reason, String why) {
        return new AuthVerdict(null, why, reason);
    }

    /** Why it is refused, in the word that metrics have for it; null where it is not. */
    public @Nullable String refusedAs() {
        return reason == null ? null : reason.label;
    }

    /** Whether the fault is here and the same credential may do later: 503 and not 401. */
    public boolean isForNow() {
        return equals(BUSY) || equals(NO_KEYS);
    }
}
