package io.drover.cache;

/**
 * What a whole good answer tells of itself.
 *
 * @param places where it tells times and ids
 * @param tokens of the prompt and generated; -1 where it does not say
 */
record Reading(Places places, long tokens) {}
