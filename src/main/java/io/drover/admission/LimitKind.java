package io.drover.admission;

/** What a limit counts. */
public enum LimitKind {
    REQUESTS,
    TOKENS,
    BUDGET,
    IN_FLIGHT
}
