package io.drover.backend;

/**
 * A backend as it stands at one moment, for people to look at.
 *
 * @param reason of the last change of its state, in a few words; empty if there was none
 * @param sinceNanos how long ago that was; negative if there was none
 * @param share percent of what its weight gives it
 */
public record BackendStatus(BackendState state, String reason, long sinceNanos, int share) {}
