package io.drover.cache;

/**
 * Where an answer comes from.
 *
 * @param model whose it is, as {@link io.drover.ollama.ModelName#key} spells it: what it is purged by
 * @param generation of the cache when its request was looked up: a purge since then has made it invisible
 * @param atMillis when it was complete, of the wall clock
 */
public record Origin(String model, long generation, long atMillis) {}
