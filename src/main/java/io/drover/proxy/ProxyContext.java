package io.drover.proxy;

import io.drover.backend.Cluster;
import io.drover.backend.LoadBalancer;
import io.drover.config.DroverConfig;
import io.drover.metrics.AccessLog;
import io.drover.metrics.Metrics;
import io.drover.metrics.Side;
import io.drover.ollama.Origins;
import io.drover.upstream.UpstreamSettings;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * What all event loops share. Everything here is immutable or stands in the list of cross-loop state in
 * {@code docs/decisions.md}.
 */
public final class ProxyContext {
    private final DroverConfig config;
    private final Cluster cluster;
    private final LoadBalancer balancer;
    private final Supplier<CompletionStage<Void>> listings;
    private final Metrics metrics;
    private final AccessLog accessLog;
    private final Admission admission;
    private final Origins origins;
    private final UpstreamSettings upstream;
    private final ByteBudget retainedBodies;
    private final ByteBudget outbound;
    private final LongAdder upstreamConnections = new LongAdder();
    private final AtomicInteger clientConnections = new AtomicInteger();
    private volatile boolean draining;

    /**
     * @param listings has the models of the backends listed anew; called from any thread, completes on any, never fails
     */
    public ProxyContext(
            DroverConfig config,
            Cluster cluster,
            LoadBalancer balancer,
            Supplier<CompletionStage<Void>> listings,
            Metrics metrics,
            AccessLog accessLog) {
        this.config = config;
        this.cluster = cluster;
        this.balancer = balancer;
        this.listings = listings;
        this.metrics = metrics;
        this.accessLog = accessLog;
        this.admission = new Admission(config.limits(), metrics);
        this.origins = new Origins(config.cors().origins());
        this.upstream = UpstreamSettings.of(config, metrics, upstreamConnections);
        this.retainedBodies = new ByteBudget(config.buffers().retainedBodies());
        this.outbound = new ByteBudget(config.buffers().outbound());
        metrics.connections(Side.CLIENT, clientConnections::get);
        metrics.connections(Side.UPSTREAM, upstreamConnections::sum);
        metrics.retainedBodyBytes(retainedBodies::used);
        metrics.outboundBytes(outbound::used);
    }

    DroverConfig config() {
        return config;
    }

    Cluster cluster() {
        return cluster;
    }

    LoadBalancer balancer() {
        return balancer;
    }

    /** Has the models of the backends listed anew; completes on a strange thread. */
    CompletionStage<Void> listModels() {
        return listings.get();
    }

    Metrics metrics() {
        return metrics;
    }

    AccessLog accessLog() {
        return accessLog;
    }

    Admission admission() {
        return admission;
    }

    Origins origins() {
        return origins;
    }

    UpstreamSettings upstream() {
        return upstream;
    }

    ByteBudget retainedBodies() {
        return retainedBodies;
    }

    ByteBudget outbound() {
        return outbound;
    }

    /** Client connections at this moment. */
    AtomicInteger clientConnections() {
        return clientConnections;
    }

    /** Number of client connections open; for drain and tests. */
    public int openClients() {
        return clientConnections.get();
    }

    /** Number of connections to backends. */
    public long openUpstreams() {
        return upstreamConnections.sum();
    }

    /** Bytes of request bodies held for a retry. */
    public long retainedBodyBytes() {
        return retainedBodies.used();
    }

    /** From now on every response ends its connection, and the process is not ready. */
    public void startDraining() {
        draining = true;
    }

    public boolean isDraining() {
        return draining;
    }
}
