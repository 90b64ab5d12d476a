package io.drover.bench;

/**
 * Something that Drover promises, and what was found.
 *
 * @param found in words, with figures
 */
record Promise(String what, String found, boolean kept) {}
