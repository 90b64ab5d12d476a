package io.drover.backend;

import io.drover.metrics.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs each change of a backend's state, and counts ejections and degradations. */
public final class BackendReport implements BackendObserver {
    private static final Logger LOG = LoggerFactory.getLogger(BackendReport.class);

    private final Metrics metrics;

    public BackendReport(Metrics metrics) {
        this.metrics = metrics;
    }

    @Override
    public void onChange(Backend backend, BackendState from, BackendState to, String reason) {
        LOG.info("backend {} is {}, was {}: {}", backend.name(), to, from, reason);
        if (to == BackendState.EJECTED || to == BackendState.WEDGED) {
            metrics.onEjection(backend.name(), reason);
        } else if (to == BackendState.DEGRADED) {
            // What follows the first word is told with numbers.
            int end = reason.indexOf(':');
            metrics.onDegradation(backend.name(), end < 0 ? reason : reason.substring(0, end));
        }
    }
}
