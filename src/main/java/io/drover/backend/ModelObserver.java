package io.drover.backend;

import org.jspecify.annotations.Nullable;

/** Who is told when a backend no longer has what it had under the name of a model. */
public interface ModelObserver {
    /**
     * Called once for each backend on which that happens, after {@link Backend#models} shows it, from the thread that
     * took the listing: it must not block. What had no digest, and what is new, nobody is told of.
     *
     * @param model its routing key, as {@link io.drover.ollama.ModelName#key} spells it
     * @param now null where the model is gone, or the backend no longer tells its digest
     */
    void onChange(String model, String before, @Nullable String now);
}
