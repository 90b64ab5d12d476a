package io.drover.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.DroverConfig;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class MetricsTest {
    private final Metrics metrics = new Metrics(new DroverConfig.Metrics(2, Duration.ofSeconds(5)));

    @Test
    void aFinishedChatIsCountedWithItsModelEndpointStatusAndTokens() {
        metrics.onFinish(TestRecord.chat("llama3:8b", 200));

        assertThat(scrape())
                .contains("llm_requests_total{model=\"llama3:8b\",endpoint=\"/api/chat\",status=\"200\",} 1.0")
                .contains("llm_tokens_generated_total{model=\"llama3:8b\",} 30.0")
                .contains("llm_prompt_tokens_total{model=\"llama3:8b\",} 12.0")
                .contains("llm_request_duration_seconds_sum{model=\"llama3:8b\",} 2.0")
                .contains("llm_time_to_first_token_seconds_bucket{model=\"llama3:8b\",le=\"0.25\",} 1.0")
                .contains("llm_time_to_first_token_seconds_bucket{model=\"llama3:8b\",le=\"0.1\",} 0.0")
                .contains("llm_tokens_per_second_sum{model=\"llama3:8b\",backend=\"gpu-a\",} 20.0");
    }

    @Test
    void aBackendThatHasLeftIsOnThePageNoMore() {
        metrics.onFinish(TestRecord.chat("llama3:8b", 200));
        metrics.onEjection("gpu-a", "connection refused");
        metrics.onUpstreamConnect("gpu-a", ConnectResult.REFUSED);
        metrics.onUpstreamConnect("gpu-b", ConnectResult.REFUSED);

        metrics.onRemoval("gpu-a");

        assertThat(scrape()).doesNotContain("gpu-a").contains("gpu-b").contains("llama3:8b");
        // It may come back.
        metrics.onFinish(TestRecord.chat("llama3:8b", 200));
        assertThat(scrape()).contains("llm_tokens_per_second_count{model=\"llama3:8b\",backend=\"gpu-a\",} 1.0");
    }

    @Test
    void eachStatusAndEndpointHasItsOwnCounter() {
        metrics.onFinish(TestRecord.chat("m", 200));
        metrics.onFinish(TestRecord.chat("m", 200));
        metrics.onFinish(TestRecord.chat("m", 503));
        metrics.onFinish(TestRecord.chat("m", 200).withEndpoint("/api/generate", true));

        assertThat(scrape())
                .contains("llm_requests_total{model=\"m\",endpoint=\"/api/chat\",status=\"200\",} 2.0")
                .contains("llm_requests_total{model=\"m\",endpoint=\"/api/chat\",status=\"503\",} 1.0")
                .contains("llm_requests_total{model=\"m\",endpoint=\"/api/generate\",status=\"200\",} 1.0");
    }

    @Test
    void aModelNameIsOtherUntilABackendAnsweredForIt() {
        metrics.onFinish(TestRecord.chat("invented", 404));
        assertThat(scrape()).contains("{model=\"other\",endpoint=\"/api/chat\",status=\"404\",} 1.0");

        metrics.onFinish(TestRecord.chat("real", 404));
        metrics.onFinish(TestRecord.chat("real", 200));
        metrics.onFinish(TestRecord.chat("real", 500));
        assertThat(scrape())
                .contains("{model=\"other\",endpoint=\"/api/chat\",status=\"404\",} 2.0")
                .contains("{model=\"real\",endpoint=\"/api/chat\",status=\"200\",} 1.0")
                .contains("{model=\"real\",endpoint=\"/api/chat\",status=\"500\",} 1.0")
                .doesNotContain("invented");
    }

    @Test
    void modelsBeyondTheBoundAreOther() {
        for (String model : List.of("a", "b", "c", "d")) {
            metrics.onFinish(TestRecord.chat(model, 200));
        }

        assertThat(scrape())
                .contains("llm_tokens_generated_total{model=\"a\",} 30.0")
                .contains("llm_tokens_generated_total{model=\"b\",} 30.0")
                .contains("llm_tokens_generated_total{model=\"other\",} 60.0")
                .doesNotContain("model=\"c\"");
    }

    @Test
    void aBoundOfZeroModelsMakesAllOther() {
        Metrics bounded = new Metrics(new DroverConfig.Metrics(0, Duration.ofSeconds(5)));
        bounded.onFinish(TestRecord.chat("a", 200));
        assertThat(new String(bounded.scrape(null), StandardCharsets.UTF_8))
                .contains("llm_tokens_generated_total{model=\"other\",} 30.0")
                .doesNotContain("model=\"a\"");
    }

    @Test
    void racingThreadsNeverExceedTheModelBoundAndLoseNoCount() throws Exception {
        int threads = 4;
        int each = 2_000;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        CountDownLatch start = new CountDownLatch(1);
        try {
            List<Future<?>> running = new java.util.ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int thread = t;
                running.add(pool.submit(() -> {
                    start.await();
                    for (int i = 0; i < each; i++) {
                        metrics.onFinish(TestRecord.chat("m" + (thread + i) % 8, 200));
                    }
                    return null;
                }));
            }
            start.countDown();
            for (Future<?> one : running) {
                one.get();
            }
        } finally {
            pool.shutdownNow();
        }

        List<String> series = scrape().lines()
                .filter(line -> line.startsWith("llm_requests_total{"))
                .toList();
        assertThat(series).hasSize(3).anyMatch(line -> line.contains("model=\"other\""));
        assertThat(series.stream().mapToDouble(MetricsTest::value).sum()).isEqualTo(threads * each);
    }

    @Test
    void aRequestWithoutModelCountsAsNone() {
        metrics.onFinish(TestRecord.refused(Outcome.complete(404)));

        assertThat(scrape())
                .contains("llm_requests_total{model=\"none\",endpoint=\"other\",status=\"404\",} 1.0")
                .contains("llm_request_duration_seconds_count{model=\"none\",} 0.0");
    }

    @Test
    void whatDoesNotInferHasNoDuration() {
        metrics.onFinish(TestRecord.chat("m", 200).withEndpoint("/api/pull", false));

        assertThat(scrape())
                .contains("llm_requests_total{model=\"m\",endpoint=\"/api/pull\",status=\"200\",} 1.0")
                .contains("llm_request_duration_seconds_count{model=\"m\",} 0.0")
                .contains("llm_time_to_first_token_seconds_count{model=\"m\",} 0.0");
    }

    @Test
    void theFirstByteOfAnErrorIsNoFirstToken() {
        metrics.onFinish(TestRecord.chat("m", 200));
        metrics.onFinish(TestRecord.chat("m", 500));

        assertThat(scrape())
                .contains("llm_request_duration_seconds_count{model=\"m\",} 2.0")
                .contains("llm_time_to_first_token_seconds_count{model=\"m\",} 1.0");
    }

    @Test
    void endpointsBeyondTheBoundAreOther() {
        for (int i = 0; i < 300; i++) {
            metrics.onFinish(TestRecord.chat("m", 200).withEndpoint("/" + i, true));
        }

        List<String> series = scrape().lines()
                .filter(line -> line.startsWith("llm_requests_total{"))
                .toList();
        assertThat(series).hasSize(101).anyMatch(line -> line.contains("endpoint=\"other\"") && value(line) == 200);
    }

    @Test
    void aStatusThatIsNoneMakesNoSeries() {
        metrics.onFinish(TestRecord.chat("m", 99));
        metrics.onFinish(TestRecord.chat("m", 600));

        assertThat(scrape()).doesNotContain("llm_requests_total{");
    }

    @Test
    void onlyAClientThatLeavesCountsAsCancelled() {
        metrics.onFinish(TestRecord.chat("m", 200));
        metrics.onFinish(
                TestRecord.chat("m", 200).withOutcome(Outcome.failed(499, Phase.AWAIT_HEAD, Side.CLIENT, "gone")));
        metrics.onFinish(TestRecord.chat("m", 200).withOutcome(Outcome.failed(200, Phase.RELAY, Side.CLIENT, "gone")));
        metrics.onFinish(TestRecord.chat("m", 200).withOutcome(Outcome.failed(200, Phase.RELAY, Side.UPSTREAM, "cut")));
        metrics.onFinish(
                TestRecord.chat("m", 200).withOutcome(Outcome.failed(408, Phase.READ_BODY, Side.CLIENT, "slow")));

        assertThat(scrape())
                .contains("drover_requests_cancelled_total{phase=\"await_head\",} 1.0")
                .contains("drover_requests_cancelled_total{phase=\"relay\",} 1.0")
                .contains("drover_requests_cancelled_total{phase=\"read_body\",} 0.0");
    }

    @Test
    void whatOthersOwnIsAskedForAtEachScrape() {
        List<View> herd = new java.util.ArrayList<>(List.of(new View("a", true, 3)));
        metrics.backends(() -> herd);
        metrics.connections(Side.CLIENT, () -> 7);
        metrics.redisUp(() -> false);
        assertThat(scrape())
                .contains("drover_backend_up{backend=\"a\",} 1.0")
                .contains("drover_backend_inflight{backend=\"a\",} 3.0")
                .contains("drover_backend_model_loaded{backend=\"a\",model=\"llama3.2:latest\",} 1.0")
                .contains("drover_connections{side=\"client\",} 7.0")
                .contains("drover_redis_up 0.0");

        herd.set(0, new View("b", false, 0));
        assertThat(scrape())
                .contains("drover_backend_up{backend=\"b\",} 0.0")
                .doesNotContain("backend=\"a\"")
                .as("of one that is away nobody knows")
                .doesNotContain("drover_backend_model_loaded{");
    }

    @Test
    void redisIsNotMentionedUnlessConfigured() {
        assertThat(scrape()).doesNotContain("drover_redis_up");
    }

    @Test
    void aNameIsRegisteredOnce() {
        metrics.gauge("drover_something", "Some.", () -> 1);
        assertThatThrownBy(() -> metrics.gauge("drover_something", "Some.", () -> 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("drover_something");
    }

    @Test
    void theProxyItselfHasNoConnections() {
        assertThatThrownBy(() -> metrics.connections(Side.PROXY, () -> 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected: CLIENT or UPSTREAM");
    }

    @Test
    void theFormatFollowsTheAcceptHeader() {
        String openMetrics = "application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5";
        assertThat(Metrics.contentType(null)).startsWith("text/plain; version=0.0.4");
        assertThat(Metrics.contentType("*/*")).startsWith("text/plain; version=0.0.4");
        assertThat(Metrics.contentType(openMetrics)).startsWith("application/openmetrics-text");
        assertThat(scrape()).doesNotContain("# EOF").contains("# TYPE llm_requests_total counter");
        assertThat(new String(metrics.scrape(openMetrics), StandardCharsets.UTF_8))
                .endsWith("# EOF\n")
                .contains("# TYPE llm_requests counter");
    }

    @Test
    void theJvmIsThereAndCreationTimesAreNot() throws IOException {
        metrics.onFinish(TestRecord.chat("m", 200));
        StringWriter out = new StringWriter();
        metrics.writeTo(out);

        assertThat(out.toString())
                .contains("jvm_memory_bytes_used")
                .contains("jvm_buffer_pool_used_bytes")
                .contains("jvm_threads_current")
                .contains("jvm_gc_collection_seconds")
                .contains("process_start_time_seconds")
                .doesNotContain("_created");
    }

    private String scrape() {
        return new String(metrics.scrape(null), StandardCharsets.UTF_8);
    }

    private static double value(String line) {
        return Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
    }

    private record View(String name, boolean up, int inFlight) implements BackendView {
        @Override
        public Side state() {
            return up ? Side.PROXY : Side.CLIENT;
        }

        @Override
        public List<String> loadedModels() {
            return List.of("llama3.2:latest");
        }
    }
}
