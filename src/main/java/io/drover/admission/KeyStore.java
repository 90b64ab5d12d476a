package io.drover.admission;

import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Where the lines of API keys are kept for many replicas. */
@FunctionalInterface
public interface KeyStore {
    /** The Redis hash that holds them. */
    String REDIS_KEY = "drover:keys";

    /** All lines, each by its key's name. Returns at once; fails, in bounded time, if the store cannot be read. */
    CompletionStage<Map<String, String>> lines();
}
