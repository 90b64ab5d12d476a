package io.drover.metrics;

import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The series of one model label, held so that a finished exchange is counted without simpleclient's own look-up, which
 * makes a list of the labels each time (prometheus/client_java#50). Any thread.
 */
final class ModelMetrics {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final int LOWEST_STATUS = 100;
    private static final int HIGHEST_STATUS = 599;

    private final ModelFamilies families;
    private final LabelBound endpointBound;
    private final String model;
    private final Histogram.Child duration;
    private final Counter.Child tokensGenerated;
    private final Counter.Child promptTokens;
    private final Histogram.Child timeToFirstToken;
    private final Map<String, AtomicReferenceArray<Counter.Child>> requestsByEndpoint = new ConcurrentHashMap<>();
    private final Map<String, Histogram.Child> tokensPerSecondByBackend = new ConcurrentHashMap<>();

    ModelMetrics(String model, ModelFamilies families, LabelBound endpointBound) {
        this.model = model;
        this.families = families;
        this.endpointBound = endpointBound;
        this.duration = families.duration.labels(model);
        this.tokensGenerated = families.tokensGenerated.labels(model);
        this.promptTokens = families.promptTokens.labels(model);
        this.timeToFirstToken = families.timeToFirstToken.labels(model);
    }

    void count(AccessRecord record) {
        int status = record.outcome().status();
        if (status >= LOWEST_STATUS && status <= HIGHEST_STATUS) {
            requests(record.endpoint(), status).inc();
        }
        // A pull runs for an hour and names a model too: only what infers says anything about the model's speed.
        if (record.inference()) {
            if (record.durationNanos() >= 0) {
                duration.observe(record.durationNanos() / NANOS_PER_SECOND);
            }
            if (record.timeToFirstByteNanos() >= 0 && Metrics.isSuccess(status)) {
                timeToFirstToken.observe(record.timeToFirstByteNanos() / NANOS_PER_SECOND);
            }
        }
        countTokens(record);
    }

    private void countTokens(AccessRecord record) {
        long generated = record.generatedTokens();
        if (record.promptTokens() > 0) {
            promptTokens.inc((double) record.promptTokens());
        }
        if (generated <= 0) {
            return;
        }
        tokensGenerated.inc((double) generated);
        String backend = record.backend();
        if (backend != null && record.generationNanos() > 0) {
            Histogram.Child speed = tokensPerSecondByBackend.get(backend);
            if (speed == null) {
                speed = tokensPerSecondByBackend.computeIfAbsent(
                        backend, name -> families.tokensPerSecond.labels(model, name));
            }
            speed.observe(generated * NANOS_PER_SECOND / record.generationNanos());
        }
    }

    /** A backend has left the herd. */
    void forget(String backend) {
        if (tokensPerSecondByBackend.remove(backend) != null) {
            families.tokensPerSecond.remove(model, backend);
        }
    }

    private Counter.Child requests(String endpoint, int status) {
        AtomicReferenceArray<Counter.Child> byStatus = requestsByEndpoint.get(endpoint);
        if (byStatus == null) {
            byStatus = endpoint(endpoint);
        }
        int index = status - LOWEST_STATUS;
        Counter.Child child = byStatus.get(index);
        if (child == null) {
            child = families.requests.labels(model, endpointBound.label(endpoint), Integer.toString(status));
            // Two threads may both come here: labels() gave them the same child.
            byStatus.set(index, child);
        }
        return child;
    }

    private AtomicReferenceArray<Counter.Child> endpoint(String endpoint) {
        return requestsByEndpoint.computeIfAbsent(
                endpointBound.label(endpoint), name -> new AtomicReferenceArray<>(HIGHEST_STATUS - LOWEST_STATUS + 1));
    }
}
