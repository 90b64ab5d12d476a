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
    private final Supplier<CompletionStage<Void>> listings;
    private final Metrics metrics;
    private final AccessLog accessLog;
    private final ByteBudget retainedBodies;
    private final ByteBudget outbound;
    private final LongAdder upstreamConnections = new LongAdder();
    private final AtomicInteger clientConnections = new AtomicInteger();
    private volatile Settings settings;
    private volatile boolean draining;

    /**
     * @param listings has the models of the backends listed anew; called from any thread, completes on any, never fails
     */
    public ProxyContext(
            DroverConfig config,
            Cluster cluster,
            Supplier<CompletionStage<Void>> listings,
            Metrics metrics,
            AccessLog accessLog) {
        this.listings = listings;
        this.metrics = metrics;
        this.accessLog = accessLog;
        this.settings = new Settings(
                config,
                cluster,
                LoadBalancer.of(config.balance()),
                new Admission(config.limits(), metrics),
                new Origins(config.cors().origins()),
                UpstreamSettings.of(config, metrics, upstreamConnections));
        this.retainedBodies = new ByteBudget(config.buffers().retainedBodies());
        this.outbound = new ByteBudget(config.buffers().outbound());
        metrics.connections(Side.CLIENT, clientConnections::get);
        metrics.connections(Side.UPSTREAM, upstreamConnections::sum);
        metrics.retainedBodyBytes(retainedBodies::used);
        metrics.outboundBytes(outbound::used);
    }

    /**
     * Requests that come from now on follow this. What runs keeps what it began with; limits whose keys have not changed
     * keep their buckets, and the balancer its turns. From one thread at a time; the workers are told by the caller.
     */
    public void apply(DroverConfig next, Cluster cluster) {
        Settings now = settings;
        DroverConfig last = now.config();
        settings = new Settings(
                next,
                cluster,
                next.balance() == last.balance() ? now.balancer() : LoadBalancer.of(next.balance()),
                now.admission().reconfigured(next.limits()),
                new Origins(next.cors().origins()),
                UpstreamSettings.of(next, metrics, upstreamConnections));
    }

    /** Those of now. An exchange asks once. */
    Settings settings() {
        return settings;
    }

    public DroverConfig config() {
        return settings.config();
    }

    public Cluster cluster() {
        return settings.cluster();
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
