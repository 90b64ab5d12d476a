package io.drover.metrics;

import io.drover.config.DroverConfig;
import io.prometheus.client.Collector.MetricFamilySamples;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.GaugeMetricFamily;
import io.prometheus.client.Info;
import io.prometheus.client.exporter.common.TextFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The metrics of one process; {@code docs/metrics.md} lists them. Counting is for any thread and never blocks; what
 * others own (the herd, connections, bytes held) is asked for when somebody scrapes.
 */
public final class Metrics {
    /** The model label of requests that name no model. */
    static final String NO_MODEL = "none";

    /** Far above the routes and the fixed words there are; only a mistake can reach them. */
    private static final int MOST_ENDPOINTS = 100;

    private static final int MOST_REASONS = 50;

    /** Limits have names of the configuration, which may change with each reload. */
    private static final int MOST_LIMITS = 200;

    private static final List<String> BACKEND_LABEL = List.of("backend");

    private final CollectorRegistry registry = new CollectorRegistry();
    private final int maxModels;
    private final ModelFamilies families = new ModelFamilies(registry);
    private final LabelBound endpointBound = new LabelBound(MOST_ENDPOINTS);
    private final LabelBound reasonBound = new LabelBound(MOST_REASONS);
    private final Map<String, ModelMetrics> models = new ConcurrentHashMap<>();
    private final ModelMetrics noModel = new ModelMetrics(NO_MODEL, families, endpointBound);
    private final ModelMetrics otherModel = new ModelMetrics(LabelBound.OTHER, families, endpointBound);
    private final Counter.Child[] cancelled = new Counter.Child[Phase.values().length];
    private final Map<Side, LongSupplier> connections = new ConcurrentHashMap<>();

    private final Counter ejections;
    private final Counter degradations;
    private final Counter unfinished;
    private final Counter retries;
    private final Counter stalls;
    private final Counter upstreamConnections;
    private final Counter accessLogDropped;
    private final Counter auditLogDropped;
    private final Counter accessRefused;
    private final Counter authRefused;
    private final Counter peerHeadersRefused;
    private final HeldCounter limited;
    private final HeldCounter delayed;
    private final Counter reloads;
    private final Counter tlsHandshakeFailures;
    private final CacheMetrics cache = new CacheMetrics(registry);

    public Metrics(DroverConfig.Metrics config) {
        this.maxModels = config.maxModels();
        this.ejections = counter(
                "drover_backend_ejections_total",
                "Backends taken out of rotation because requests failed there, or waited in vain.",
                "backend",
                "reason");
        this.degradations = counter(
                "drover_backend_degradations_total",
                "Backends given little traffic because they answered worse than they did.",
                "backend",
                "reason");
        this.unfinished = counter(
                "drover_unfinished_answers_total",
                "Answers that ended in order, but without their own end.",
                "backend");
        this.retries = counter("drover_retries_total", "Tries after the first.", "reason");
        this.stalls = counter(
                "drover_stream_stalls_total",
                "Silences of a backend within an answer, longer than metrics.stall-after.");
        this.upstreamConnections =
                counter("drover_upstream_connections_total", "Attempts to connect to a backend.", "backend", "result");
        this.accessLogDropped = counter("drover_access_log_dropped_total", "Access log lines that were lost.");
        this.auditLogDropped = counter("drover_audit_log_dropped_total", "Audit log lines that were lost.", "reason");
        accessRefused = counter("drover_access_refused_total", "Requests refused because of the client's address.");
        authRefused = counter("drover_auth_refused_total", "Requests refused because of their credentials.", "reason");
        peerHeadersRefused = counter(
                "drover_proxy_protocol_refused_total", "Connections that did not begin with a valid PROXY header.");
        this.limited = new HeldCounter(
                counter("drover_rate_limited_total", "Requests refused because of a limit.", "limit"), MOST_LIMITS);
        this.delayed = new HeldCounter(
                counter("drover_rate_delayed_total", "Requests that had to wait for their room.", "limit"),
                MOST_LIMITS);
        this.reloads =
                counter("drover_reloads_total", "Reloads of the configuration; result: ok or invalid.", "result");
        this.tlsHandshakeFailures =
                counter("drover_tls_handshake_failures_total", "Client connections on which TLS did not begin.");
        Counter cancellations =
                counter("drover_requests_cancelled_total", "Requests whose client left early.", "phase");
        for (Phase phase : Phase.values()) {
            cancelled[phase.ordinal()] = cancellations.labels(phase.label());
        }
        new PulledGauge(
                        "drover_connections",
                        "Open connections.",
                        List.of("side"),
                        family -> connections.forEach(
                                (side, open) -> family.addMetric(List.of(side.label()), (double) open.getAsLong())))
                .register(registry);
        new JvmMetrics().register(registry);
    }

    /** Counts everything about a finished exchange. Any thread; keeps no reference to the record. */
    public void onFinish(AccessRecord record) {
        model(record).count(record);
        String backend = record.backend();
        if (record.unfinished() && backend != null) {
            unfinished.labels(backend).inc();
        }
        Outcome outcome = record.outcome();
        Phase failedIn = outcome.failedIn();
        if (outcome.side() == Side.CLIENT
                && failedIn != null
                && (outcome.status() == Outcome.CLIENT_CLOSED_REQUEST || failedIn == Phase.RELAY)) {
            cancelled[failedIn.ordinal()].inc();
        }
    }

    /** Counts a try after the first. {@code reason}: a few fixed words. */
    public void onRetry(String reason) {
        retries.labels(reasonBound.label(reason)).inc();
    }

    /** Counts a request that a limit refused. {@code limit}: its name in the configuration, or a fixed word. */
    public void onLimitRefusal(String limit) {
        limited.inc(limit);
    }

    /** Counts a request that had to wait for its room. {@code limit}: as of a refusal. */
    public void onLimitDelay(String limit) {
        delayed.inc(limit);
    }

    /** Those of the response cache. */
    public CacheMetrics cache() {
        return cache;
    }

    /** Counts a request from an address that may not ask. */
    public void onAccessRefused() {
        accessRefused.inc();
    }

    /** Counts a request that was asked for its credentials. {@code refusedAs}: a few fixed words; null: accepted. */
    public void onAuthentication(@Nullable String refusedAs) {
        if (refusedAs != null) {
            authRefused.labels(refusedAs).inc();
        }
    }

    /** Counts a connection that did not begin with a header of the PROXY protocol. */
    public void onPeerHeaderRefused() {
        peerHeadersRefused.inc();
    }

    /** Counts that a backend is no longer read because its client does not read. */
    public void onStreamStall() {
        stalls.inc();
    }

    /** Counts an attempt to open a connection to a backend. */
    public void onUpstreamConnect(String backend, ConnectResult result) {
        upstreamConnections.labels(backend, result.label()).inc();
    }

    /** Counts that failing requests took a backend out of rotation. {@code reason}: a few fixed words. */
    public void onEjection(String backend, String reason) {
        ejections.labels(backend, reasonBound.label(reason)).inc();
    }

    /** Counts that a backend is given little traffic. {@code reason}: a few fixed words. */
    public void onDegradation(String backend, String reason) {
        degradations.labels(backend, reasonBound.label(reason)).inc();
    }

    /** A backend has left the herd: its series end, or a herd that keeps changing would fill page and memory. */
    public void onRemoval(String backend) {
        forget(ejections, backend);
        forget(degradations, backend);
        forget(unfinished, backend);
        forget(upstreamConnections, backend);
        noModel.forget(backend);
        otherModel.forget(backend);
        models.values().forEach(model -> model.forget(backend));
    }

    private static void forget(Counter counter, String backend) {
        for (MetricFamilySamples family : counter.collect()) {
            for (MetricFamilySamples.Sample sample : family.samples) {
                if (sample.labelValues.get(0).equals(backend)) {
                    counter.remove(sample.labelValues.toArray(new String[0]));
                }
            }
        }
    }

    /** Counts a reload of the configuration. */
    public void onReload(boolean valid) {
        reloads.labels(valid ? "ok" : "invalid").inc();
    }

    /** Counts a client connection that began to speak to a port of TLS and got no further than that. */
    public void onTlsHandshakeFailure() {
        tlsHandshakeFailures.inc();
    }

    /** Counts access log lines that were lost. */
    public void onAccessLogDropped(long lines) {
        accessLogDropped.inc((double) lines);
    }

    /** Counts audit log lines that were lost. {@code reason}: {@code queue} or {@code disk}. */
    public void onAuditLogDropped(String reason, long lines) {
        auditLogDropped.labels(reason).inc((double) lines);
    }

    /**
     * Shows a number that the caller owns.
     *
     * @param value asked at each scrape, on the thread that scrapes
     * @throws IllegalArgumentException if the name is taken
     */
    public void gauge(String name, String help, DoubleSupplier value) {
        new PulledGauge(name, help, List.of(), family -> family.addMetric(List.of(), value.getAsDouble()))
                .register(registry);
    }

    /** Shows how many connections are open on one side: {@link Side#CLIENT} or {@link Side#UPSTREAM}. */
    public void connections(Side side, LongSupplier open) {
        if (side == Side.PROXY) {
            throw new IllegalArgumentException("side: " + side + " (expected: CLIENT or UPSTREAM)");
        }
        connections.put(side, open);
    }

    /** Shows the herd; the supplier gives the backends of now. */
    public void backends(Supplier<? extends List<? extends BackendView>> herd) {
        new PulledGauge("drover_backend_up", "1 if the backend is in rotation.", BACKEND_LABEL, family -> {
                    for (BackendView backend : herd.get()) {
                        family.addMetric(List.of(backend.name()), backend.up() ? 1 : 0);
                    }
                })
                .register(registry);
        new PulledGauge(
                        "drover_backend_state",
                        "1 for the state that the backend is in, 0 for the others.",
                        List.of("backend", "state"),
                        family -> herd.get().forEach(backend -> states(family, backend)))
                .register(registry);
        new PulledGauge("drover_backend_inflight", "Requests that run on the backend.", BACKEND_LABEL, family -> {
                    for (BackendView backend : herd.get()) {
                        family.addMetric(List.of(backend.name()), backend.inFlight());
                    }
                })
                .register(registry);
        new PulledGauge(
                        "drover_backend_model_loaded",
                        "1 for each model in the memory of a backend in rotation.",
                        List.of("backend", "model"),
                        family -> herd.get().forEach(backend -> loaded(family, backend)))
                .register(registry);
    }

    /** Of one that is away nobody knows what it has loaded. */
    private static void loaded(GaugeMetricFamily family, BackendView backend) {
        if (backend.up()) {
            backend.loadedModels().forEach(model -> family.addMetric(List.of(backend.name(), model), 1));
        }
    }

    private static void states(GaugeMetricFamily family, BackendView backend) {
        Enum<?> current = backend.state();
        for (Enum<?> state : current.getDeclaringClass().getEnumConstants()) {
            String label = state.name().toLowerCase(Locale.ROOT);
            family.addMetric(List.of(backend.name(), label), state == current ? 1 : 0);
        }
    }

    /** Shows the bytes of request bodies kept for a retry. */
    public void retainedBodyBytes(LongSupplier bytes) {
        gauge("drover_retained_body_bytes", "Request bodies kept for a retry.", bytes::getAsLong);
    }

    /** Shows the bytes that wait for slow clients. */
    public void outboundBytes(LongSupplier bytes) {
        gauge("drover_outbound_bytes", "Bytes that wait for clients to read.", bytes::getAsLong);
    }

    /** Shows whether Redis answers; to be called only where one is configured. */
    public void redisUp(BooleanSupplier up) {
        gauge("drover_redis_up", "1 if Redis answers.", () -> up.getAsBoolean() ? 1 : 0);
    }

    /** Adds gauges of limits that are shared. */
    public void sharedLimits(BooleanSupplier up, IntSupplier replicas) {
        gauge(
                "drover_limits_shared",
                "1 if limits are shared at this moment, 0 if they go on here alone.",
                () -> up.getAsBoolean() ? 1 : 0);
        gauge("drover_limits_replicas", "Replicas that share their limits, as far as is known.", replicas::getAsInt);
    }

    /** Tells which Drover this is and which of Netty's transports it runs on. */
    public void buildInfo(String version, String transport) {
        Info.build("drover_build", "What runs here; always 1.")
                .labelNames("version", "transport")
                .register(registry)
                .labels(version, transport)
                .info();
    }

    /** All metrics, in the format that {@link #contentType} gives for the same Accept header. */
    public byte[] scrape(@Nullable String accept) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(64 * 1024);
        try (Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8)) {
            TextFormat.writeFormat(contentType(accept), writer, families());
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return out.toByteArray();
    }

    /** Content type of a scrape: OpenMetrics if the Accept header asks for it, else Prometheus' text format 0.0.4. */
    public static String contentType(@Nullable String accept) {
        return TextFormat.chooseContentType(accept);
    }

    /** Writes all metrics in Prometheus' text format 0.0.4. */
    public void writeTo(Writer writer) throws IOException {
        TextFormat.write004(writer, families());
    }

    static boolean isSuccess(int status) {
        return status >= 200 && status <= 299;
    }

    /** Model names come from clients: only one that a backend knew gets a label, and only so many of these. */
    private ModelMetrics model(AccessRecord record) {
        String name = record.model();
        if (name == null) {
            return noModel;
        }
        ModelMetrics known = models.get(name);
        if (known != null) {
            return known;
        }
        return isSuccess(record.outcome().status()) ? learn(name) : otherModel;
    }

    private ModelMetrics learn(String name) {
        if (models.size() >= maxModels) {
            return otherModel;
        }
        synchronized (models) {
            ModelMetrics known = models.get(name);
            if (known == null && models.size() < maxModels) {
                known = new ModelMetrics(name, families, endpointBound);
                models.put(name, known);
            }
            return known == null ? otherModel : known;
        }
    }

    /** Leaves out the {@code _created} series, which double the page and which Prometheus' text format never knew. */
    private Enumeration<MetricFamilySamples> families() {
        List<MetricFamilySamples> kept = new ArrayList<>();
        for (MetricFamilySamples family : Collections.list(registry.metricFamilySamples())) {
            MetricFamilySamples filtered = family.filter(name -> !name.endsWith("_created"));
            kept.add(filtered == null ? family : filtered);
        }
        return Collections.enumeration(kept);
    }

    private Counter counter(String name, String help, String... labels) {
        return Counter.build(name, help).labelNames(labels).withoutExemplars().register(registry);
    }
}
