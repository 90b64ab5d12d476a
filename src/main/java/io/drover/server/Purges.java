package io.drover.server;

import io.drover.cache.Purged;
import java.util.concurrent.CompletionStage;

/** The ways to take answers out of the response cache, of all replicas that share a Redis. Any thread; never blocks. */
interface Purges {
    CompletionStage<Purged> purgeAll();

    /** @param model as {@link io.drover.ollama.ModelName#key} spells it */
    CompletionStage<Purged> purgeModel(String model);

    /** @param hex 64 hexadecimal digits in lower case, which the implementation need not check */
    CompletionStage<Purged> purgeKey(String hex);
}
