package io.drover.backend;

import java.util.List;

/** The backends that can be chosen from, at one moment; replaced as a whole, never edited. */
public final class Cluster {
    private final List<Backend> backends;
    private final Backend[] primaries;
    private final Backend[] backups;

    private Cluster(List<Backend> backends) {
        this.backends = backends;
        this.primaries = backends.stream().filter(b -> !b.config().backup()).toArray(Backend[]::new);
        this.backups = backends.stream().filter(b -> b.config().backup()).toArray(Backend[]::new);
    }

    /** @param backends each with an index of its own */
    public static Cluster of(List<Backend> backends) {
        return new Cluster(List.copyOf(backends));
    }

    /** All of them, in the configuration's order. */
    public List<Backend> backends() {
        return backends;
    }

    /** Whether at least one is in rotation. */
    public boolean isUp(long nowNanos) {
        for (Backend backend : backends) {
            if (backend.isUp(nowNanos)) {
                return true;
            }
        }
        return false;
    }

    /**
     * What a request for a model gets here. Cheap enough for every request: a look at each backend.
     *
     * @param key the model's, as {@link io.drover.ollama.ModelName#key} spells it
     */
    public HerdModel model(String key, long nowNanos) {
        return HerdModel.of(key, backends, nowNanos);
    }

    /** Not to be written to. */
    Backend[] primaries() {
        return primaries;
    }

    /** Not to be written to. */
    Backend[] backups() {
        return backups;
    }
}
