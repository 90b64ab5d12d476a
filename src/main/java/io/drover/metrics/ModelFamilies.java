package io.drover.metrics;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;

/** The metrics that carry a model label, as registered once per process. */
final class ModelFamilies {
    private static final double[] DURATION_SECONDS = {
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600
    };
    private static final double[] FIRST_TOKEN_SECONDS = {
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300
    };
    private static final double[] TOKENS_PER_SECOND = {1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500};

    final Counter requests;
    final Histogram duration;
    final Counter tokensGenerated;
    final Counter promptTokens;
    final Histogram timeToFirstToken;
    final Histogram tokensPerSecond;

    ModelFamilies(CollectorRegistry registry) {
        requests = counter(registry, "llm_requests_total", "Finished requests.", "model", "endpoint", "status");
        duration = histogram("llm_request_duration_seconds", "From the request's head to the end.", DURATION_SECONDS)
                .labelNames("model")
                .register(registry);
        tokensGenerated = counter(registry, "llm_tokens_generated_total", "Tokens that backends generated.", "model");
        promptTokens = counter(registry, "llm_prompt_tokens_total", "Tokens of the prompts that were read.", "model");
        timeToFirstToken = histogram(
                        "llm_time_to_first_token_seconds",
                        "From the request's head to the first byte of the answer's body.",
                        FIRST_TOKEN_SECONDS)
                .labelNames("model")
                .register(registry);
        tokensPerSecond = histogram(
                        "llm_tokens_per_second", "Tokens generated per second of generating.", TOKENS_PER_SECOND)
                .labelNames("model", "backend")
                .register(registry);
    }

    /** Exemplars are off: without a tracer they are never there, and looking for one costs on every request. */
    private static Counter counter(CollectorRegistry registry, String name, String help, String... labels) {
        return Counter.build(name, help).labelNames(labels).withoutExemplars().register(registry);
    }

    private static Histogram.Builder histogram(String name, String help, double[] buckets) {
        return Histogram.build(name, help).buckets(buckets).withoutExemplars();
    }
}
