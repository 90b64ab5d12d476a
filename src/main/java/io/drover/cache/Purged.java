package io.drover.cache;

/**
 * What has come of a purge.
 *
 * @param answers that have left this process' memory
 * @param told whether Redis has it, and so the other replicas within a second or two; if not, they hear of it when Redis is
 *     back. False where there is no Redis
 */
public record Purged(long answers, boolean told) {}
