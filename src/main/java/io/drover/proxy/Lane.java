package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.upstream.UpstreamPool;
import java.util.Objects;

/** What one event loop keeps of one backend. */
final class Lane {
    private final Backend backend;
    private final UpstreamPool pool;
    private BackendConfig entry;
    private BackendLines lines;

    Lane(Backend backend, UpstreamPool pool) {
        this.backend = backend;
        this.pool = pool;
        this.entry = backend.config();
        this.lines = BackendLines.of(entry);
    }

    UpstreamPool pool() {
        return pool;
    }

    BackendLines lines() {
        BackendConfig now = backend.config();
        if (!Objects.equals(now, entry)) {
            entry = now;
            lines = BackendLines.of(now);
        }
        return lines;
    }

    /** Whether nothing will come this way any more. */
    boolean isForsaken() {
        return backend.isRetired() && backend.inFlight() == 0 && pool.isUnused();
    }
}
