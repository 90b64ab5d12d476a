package io.drover.cache;

/**
 * Whom a request asks, beyond what its body says.
 *
 * @param modelDigest of the model at the backends, in hexadecimal
 * @param backendVersion of Ollama
 * @param tenant whose answers are kept apart; empty: all share them
 */
public record Asked(String modelDigest, String backendVersion, String tenant) {}
