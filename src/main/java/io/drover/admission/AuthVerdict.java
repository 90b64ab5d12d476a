package io.drover.admission;

import org.jspecify.annotations.Nullable;

/**
 * What became of a credential. Immutable, made once for each caller and not for each request.
 *
 * @param principal whose it is; null where it is refused
 * @param refusal why it is refused, for the client: nothing that helps to guess one; empty where it is not
 */
public record AuthVerdict(@Nullable Principal principal, String refusal) {
    public static AuthVerdict of(Principal principal) {
        return new AuthVerdict(principal, "");
    }

    public static AuthVerdict refused(String why) {
        return new AuthVerdict(null, why);
    }
}
