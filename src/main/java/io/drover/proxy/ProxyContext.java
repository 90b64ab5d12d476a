package io.drover.proxy;

import io.drover.admission.AccessList;
import io.drover.admission.Budgets;
import io.drover.admission.ClientConnections;
import io.drover.admission.Replicas;
import io.drover.admission.RequestRules;
import io.drover.backend.Cluster;
import io.drover.backend.LoadBalancer;
import io.drover.config.DroverConfig;
import io.drover.metrics.AccessLog;
import io.drover.metrics.AuditLog;
import io.drover.metrics.AuditedBody;
import io.drover.metrics.Metrics;
import io.drover.metrics.Side;
import io.drover.ollama.Origins;
import io.drover.tls.BackendContexts;
import io.drover.tls.ServerTls;
import io.drover.upstream.UpstreamSettings;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What all event loops share. Everything here is immutable or stands in the list of cross-loop state in
 * {@code docs/decisions.md}.
 */
public final class ProxyContext {
    private final Supplier<CompletionStage<Void>> listings;
    private final BackendContexts backendTls;
    private final Metrics metrics;
    private final AccessLog accessLog;
    private final AuditLog auditLog;
    private final ByteBudget retainedBodies;
    private final ByteBudget outbound;
    private final LongAdder upstreamConnections = new LongAdder();
    private final ClientConnections connectionsByAddress;
    private final AtomicInteger clientConnections = new AtomicInteger();
    private final @Nullable Caching caching;
    private volatile Settings settings;
    private volatile boolean draining;

    /**
     * @param authentication as the configuration says
     * @param replicas with which the limits are shared; null: none
     * @param serverTls of the proxy port; null where that speaks plain HTTP
     * @param backendTls of backends
     * @param listings has the models of the backends listed anew; called from any thread, completes on any, never fails
     * @param caching of answers; null: none are kept
     */
    public ProxyContext(
            DroverConfig config,
            Cluster cluster,
            Authentication authentication,
            @Nullable Replicas replicas,
            @Nullable ServerTls serverTls,
            BackendContexts backendTls,
            Supplier<CompletionStage<Void>> listings,
            @Nullable Caching caching,
            Metrics metrics,
            AccessLog accessLog,
            AuditLog auditLog) {
        this.listings = listings;
        this.caching = caching;
        this.backendTls = backendTls;
        this.metrics = metrics;
        this.accessLog = accessLog;
        this.auditLog = auditLog;
        this.settings = new Settings(
                config,
                cluster,
                LoadBalancer.of(config.balance()),
                authentication,
                new AccessList(config.access()),
                new Admission(config.limits(), metrics, replicas),
                new RequestRules(config.validation(), config.rewrite()),
                new Origins(config.cors().origins()),
                UpstreamSettings.of(config, backendTls, metrics, upstreamConnections),
                serverTls);
        this.connectionsByAddress = new ClientConnections(config.limits().maxKeys());
        this.retainedBodies = new ByteBudget(config.buffers().retainedBodies());
        this.outbound = new ByteBudget(config.buffers().outbound());
        metrics.connections(Side.CLIENT, clientConnections::get);
        metrics.connections(Side.UPSTREAM, upstreamConnections::sum);
        metrics.retainedBodyBytes(retainedBodies::used);
        metrics.outboundBytes(outbound::used);
    }

    /**
     * Requests that come from now on follow this. What runs keeps what it began with; limits whose keys have not changed
     * keep their buckets, and the balancer its turns. Connections that come from now on get {@code serverTls}. From one
     * thread at a time; the workers are told by the caller.
     */
    public void apply(
            DroverConfig next, Cluster cluster, Authentication authentication, @Nullable ServerTls serverTls) {
        Settings now = settings;
        DroverConfig last = now.config();
        settings = new Settings(
                next,
                cluster,
                next.balance() == last.balance() ? now.balancer() : LoadBalancer.of(next.balance()),
                authentication,
                new AccessList(next.access()),
                now.admission().reconfigured(next.limits()),
                new RequestRules(next.validation(), next.rewrite()),
                new Origins(next.cors().origins()),
                UpstreamSettings.of(next, backendTls, metrics, upstreamConnections),
                serverTls);
    }

    /** How the proxy port speaks TLS; null where it speaks plain HTTP. */
    public @Nullable ServerTls serverTls() {
        return settings.tls();
    }

    ClientConnections connectionsByAddress() {
        return connectionsByAddress;
    }

    /** What is used up of budgets; the same after a reload. */
    public Budgets budgets() {
        return settings.admission().budgets();
    }

    /** What answers are kept by; null: none are. */
    @Nullable
    Caching caching() {
        return caching;
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

    /**
     * A request is over. Where it has changed models, they are looked at anew.
     *
     * @param body null where nothing is to be told of it
     */
    void tell(FinishedExchange record, @Nullable AuditedBody body) {
        if (record.changedModels()) {
            listModels();
        }
        metrics.onFinish(record);
        accessLog.offer(record);
        auditLog.offer(record, body);
    }

    AccessLog accessLog() {
        return accessLog;
    }

    AuditLog auditLog() {
        return auditLog;
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
