package io.drover.cache;

/** What came of reading a request: a {@link Question}, or a {@link Bypass} where it has none. */
public sealed interface Reading permits Question, Bypass {}
