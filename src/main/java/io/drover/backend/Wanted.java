package io.drover.backend;

import org.jspecify.annotations.Nullable;

/**
 * What one request wants: a backend that may have its model and did not have the request yet. Belongs to that request
 * and to its event loop; reads nothing but what backends know of themselves, and allocates nothing.
 *
 * @param model the model's key ({@link io.drover.ollama.ModelName#key}); null where any backend will do
 * @param tried the backends that had the request; its owner adds to it
 */
public record Wanted(@Nullable String model, Tried tried) {

    /** Whether the backend comes into question, as far as the request goes; how it is does not count here. */
    boolean mayGoTo(Backend backend) {
        return !tried.contains(backend) && (model == null || backend.models().mayHave(model));
    }

    /** Whether the backend has the model in memory. */
    boolean isLoadedOn(Backend backend) {
        return model != null && backend.models().isLoaded(model);
    }

    /**
     * Whether no backend can be expected to have the model: there are some in rotation, all of them were listed, and
     * neither they nor one that is away lists it. What one that is away did not list it may have all the same; but
     * then whoever pulls the model loses nothing.
     */
    public boolean isNowhere(Cluster cluster, long nowNanos) {
        if (model == null) {
            return false;
        }
        boolean listed = false;
        for (Backend backend : cluster.backends()) {
            Models models = backend.models();
            boolean up = backend.isUp(nowNanos);
            if (models.lists(model) || (up && !models.isKnown())) {
                return false;
            }
            listed |= up;
        }
        return listed;
    }

    /** Whether a backend that comes into question is in rotation. */
    public boolean isUp(Cluster cluster, long nowNanos) {
        for (Backend backend : cluster.backends()) {
            if (backend.isUp(nowNanos) && mayGoTo(backend)) {
                return true;
            }
        }
        return false;
    }

    /** How many backends come into question, up or down; those that are drained do not. */
    public int left(Cluster cluster) {
        int left = 0;
        for (Backend backend : cluster.backends()) {
            if (!backend.isDraining() && mayGoTo(backend)) {
                left++;
            }
        }
        return left;
    }
}
