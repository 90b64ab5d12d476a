package io.drover.admission;

import java.util.Locale;

/** What a limit counts. */
public enum LimitKind {
    REQUESTS,
    TOKENS,
    BUDGET,
    IN_FLIGHT;

    private final String word = name().toLowerCase(Locale.ROOT);

    String word() {
        return word;
    }
}
