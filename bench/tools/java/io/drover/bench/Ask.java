package io.drover.bench;

/**
 * One request that a client sends.
 *
 * @param status that is right for it
 * @param pauseNanos that the client waits before it
 * @param hangUpNanos after which the client leaves; {@link Long#MAX_VALUE}: never
 */
record Ask(String path, String body, int status, long pauseNanos, long hangUpNanos) {}
