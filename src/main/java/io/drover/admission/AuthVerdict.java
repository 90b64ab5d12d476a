package io.drover.admission;

import org.jspecify.annotations.Nullable;

/**
 * What became of a credential. Immutable, made once for each caller and not for each request.
 *
 * @param principal whose it is; null where it is refused
 * @param refusal why it is refused, for the client: nothing that helps to guess one; empty where it is not
 */
public record AuthVerdict(@Nullable Principal principal, String refusal) {
    /** Nothing is known of the credential, since too many others wait. */
    public static final AuthVerdict BUSY = refused("too many credentials to verify at once");

    /** Nothing is known of the token, since nothing is known of its issuer's keys. */
    public static final AuthVerdict NO_KEYS = refused("no token can be verified, since the issuer's keys are away");

    public static AuthVerdict of(Principal principal) {
        return new AuthVerdict(principal, "");
    }

    public static AuthVerdict refused(String why) {
        return new AuthVerdict(null, why);
    }

    /** Whether the fault is here and the same credential may do later: 503 and not 401. */
    public boolean isForNow() {
        return equals(BUSY) || equals(NO_KEYS);
    }
}
