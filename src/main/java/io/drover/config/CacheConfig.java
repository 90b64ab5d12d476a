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
 * @param semantic answers to similar questions
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
        Optional<Path> encryptionKeyFile,
        Semantic semantic) {
    public CacheConfig {
        excludeModels = List.copyOf(excludeModels);
        excludeKeys = List.copyOf(excludeKeys);
    }

    /**
     * Answers to similar questions.
     *
     * @param model of the herd, whose vectors say what is similar; empty: none is asked
     * @param threshold least similarity of two prompts that are taken for the same: the cosine of their vectors
     * @param entries most vectors in memory
     * @param timeout how long a request may wait for its vector
     */
    public record Semantic(String model, double threshold, int entries, Duration timeout) {
        public boolean isOn() {
            return !model.isEmpty();
        }
    }

    /** Which answers may be kept. */
    public enum When {
        /** Those of requests that ask for the same answer every time. */
        DETERMINISTIC,
        ALWAYS
    }
}
