package io.drover.cache;

/**
 * What a request asks for.
 *
 * @param key everything that decides the answer
 * @param form how the client wants the answer told
 * @param deterministic whether the request itself asks for the same answer every time
 * @param contextGiven whether the request itself says how long the context is ({@code num_ctx})
 */
public record Question(CacheKey key, Form form, boolean deterministic, boolean contextGiven) implements Reading {}
