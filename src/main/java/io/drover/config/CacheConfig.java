package io.drover.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Answers that are kept.
 *
 * @param ttl how long an answer is fresh
 * @param memory most bytes of the tier inside the process
 * @param maxEntry larger answers are not kept
 * @param serveStale how long past its ttl an answer may stand in when no backend can answer
 * @param coalesce whether identical requests in flight share one upstream stream
 * @param maxRequest requests with a larger body are not looked up
 * @param recording most bytes of answers that are being recorded, over all requests
 * @param lookupBudget how long a request may wait for Redis
 * @param writing most bytes of answers on their way to Redis; more are not kept there
 * @param perTenant whether an answer serves only the caller whose request it was
 * @param excludeModels whose answers are not kept, each name with any number of {@code *}
 * @param excludeKeys names of API keys whose requests are not looked up
 * @param lease how long a request may wait for another replica that computes the same answer; zero: not at all
 * @param encryptionKeyFile holds the key for what Redis holds; empty: that is not encrypted
 */
public record CacheConfig(
        boolean enabled,
        When when,
        Duration ttl,
        long memory,
        long maxEntry,
        Duration serveStale,
        boolean coalesce,
        long maxRequest,
        long recording,
        Duration lookupBudget,
        long writing,
        boolean perTenant,
        List<String> excludeModels,
        List<String> excludeKeys,
        Duration lease,
        Optional<Path> encryptionKeyFile) {
    public CacheConfig {
        excludeModels = List.copyOf(excludeModels);
        excludeKeys = List.copyOf(excludeKeys);
    }

    /** Which answers may be kept. */
    public enum When {
        /** Those of requests that ask for the same answer every time. */
        DETERMINISTIC,
        ALWAYS
    }
}
