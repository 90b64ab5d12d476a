package io.drover.upstream;

import io.drover.config.DroverConfig;
import io.drover.http.HeadParser;
import io.drover.metrics.Metrics;
import io.drover.tls.BackendContexts;
import java.util.concurrent.atomic.LongAdder;

/**
 * What all pools share.
 *
 * @param idleTimeoutNanos how long an unused connection is kept
 * @param maxIdlePerLoop most unused connections per backend and event loop
 * @param maxConnecting most connection attempts under way per backend and event loop
 * @param maxHeadBytes most bytes of a response's head
 * @param maxHeaders most fields of a response's head
 * @param connectNanos how long a connect may take, with the handshake of TLS
 * @param tls how backends are spoken to that want it
 * @param openConnections counts connections to backends
 */
public record UpstreamSettings(
        long idleTimeoutNanos,
        int maxIdlePerLoop,
        int maxConnecting,
        int maxHeadBytes,
        int maxHeaders,
        long connectNanos,
        BackendContexts tls,
        Metrics metrics,
        LongAdder openConnections) {

    public static UpstreamSettings of(
            DroverConfig config, BackendContexts tls, Metrics metrics, LongAdder openConnections) {
        int loops = config.eventLoops();
        return new UpstreamSettings(
                config.upstream().idleTimeout().toNanos(),
                (config.upstream().maxIdle() + loops - 1) / loops,
                config.upstream().maxConnecting(),
                config.limits().requestHead(),
                config.limits().headers(),
                config.timeouts().connect().toNanos(),
                tls,
                metrics,
                openConnections);
    }

    HeadParser newHeadParser() {
        return HeadParser.ofResponses(maxHeadBytes, maxHeaders);
    }
}
