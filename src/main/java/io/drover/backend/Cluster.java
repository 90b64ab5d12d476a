package io.drover.backend;

import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.BackendConfig;
import java.util.ArrayList;
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

    /** The herd as configured, each backend's index being its place in the configuration. */
    public static Cluster of(DroverConfig config, BackendObserver observer) {
        List<Backend> backends = new ArrayList<>();
        EjectionLimit limit = new EjectionLimit(config.health().passive().maxShare());
        for (BackendConfig backend : config.backends()) {
            backends.add(new Backend(backend, backends.size(), config.health(), limit, observer));
        }
        limit.onHerd(backends);
        return of(backends);
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

    /** Not to be written to. */
    Backend[] primaries() {
        return primaries;
    }

    /** Not to be written to. */
    Backend[] backups() {
        return backups;
    }
}
