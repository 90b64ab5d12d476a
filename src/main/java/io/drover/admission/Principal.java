package io.drover.admission;

import java.time.Instant;
import java.util.Optional;

/**
 * Who asks, as an API key, a token or a password has proved. Immutable.
 *
 * @param name unique among API keys; in logs, in limits and in the audit log
 * @param owner for people; empty where nobody said
 * @param models that may be asked for, by the name as the client spells it or with {@code :latest} behind it
 * @param paths that may be asked
 * @param priority class of its requests; empty: the usual one. Nothing heeds it before there is a queue
 * @param expires from when on it is refused; empty: never
 * @param enabled whether it is accepted at all
 */
public record Principal(
        String name,
        String owner,
        Patterns models,
        Patterns paths,
        Allowance allowance,
        String priority,
        Optional<Instant> expires,
        boolean enabled) {

    /** One of whom only the name is known. */
    public static Principal named(String name) {
        return new Principal(name, "", Patterns.ALL, Patterns.ALL, Allowance.ANY, "", Optional.empty(), true);
    }
}
