package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.cache.Purged;
import io.drover.config.DroverConfig;
import io.drover.metrics.Metrics;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CachePurgeApiTest {
    private static final String KEY = "0123456789abcdef".repeat(4);

    private final Metrics metrics = new Metrics(new DroverConfig.Metrics(2, Duration.ofSeconds(5)));
    private final FakePurges purges = new FakePurges();
    private final CachePurgeApi api = new CachePurgeApi(purges, metrics.cache());

    private static FullHttpResponse ask(CachePurgeApi api, HttpMethod method, String body) {
        var request = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1, method, CachePurgeApi.PATH, Unpooled.copiedBuffer(body, StandardCharsets.UTF_8));
        CompletableFuture<FullHttpResponse> answer = api.answer(request).toCompletableFuture();
        request.release();
        return answer.join();
    }

    private FullHttpResponse ask(String body) {
        return ask(api, HttpMethod.POST, body);
    }

    private static String text(FullHttpResponse response) {
        return response.content().toString(StandardCharsets.UTF_8);
    }

    private String scrape() {
        return new String(metrics.scrape(null), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {"all":true}                                | all
        {"model":"llama3.2"}                        | model registry.ollama.ai/library/llama3.2:latest
        {"model":"someone/LLaMA3.2:8B"}             | model registry.ollama.ai/someone/llama3.2:8b
        {"model":"gpt-oss:120b-cloud"}              | model registry.ollama.ai/library/gpt-oss:120b@cloud
        { "mod\\u0065l" : "a" }                     | model registry.ollama.ai/library/a:latest
        {"key":"KEY"}                               | key KEY
        """)
    void aPurgeAsksForItsScope(String body, String asked) {
        FullHttpResponse response = ask(body.replace("KEY", KEY));

        assertThat(response.status().code()).isEqualTo(200);
        assertThat(text(response)).isEqualTo("{\"purged\":12,\"replicas_told\":true}");
        assertThat(purges.asked).containsExactly(asked.replace("KEY", KEY));
        String scope = asked.split(" ", 2)[0];
        assertThat(scrape()).contains("drover_cache_purges_total{scope=\"" + scope + "\",} 1.0\n");
    }

    @Test
    void aKeyInUpperCaseIsTheSameKey() {
        ask("{\"key\":\"" + KEY.toUpperCase(java.util.Locale.ROOT) + "\"}");

        assertThat(purges.asked).containsExactly("key " + KEY);
    }

    @Test
    void replicasThatWereNotToldAreSaid() {
        purges.result = CompletableFuture.completedFuture(new Purged(0, false));

        assertThat(text(ask("{\"all\":true}"))).isEqualTo("{\"purged\":0,\"replicas_told\":false}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "all",
                "true",
                "[]",
                "{}",
                "{\"all\":false}",
                "{\"all\":\"true\"}",
                "{\"all\":1}",
                "{\"All\":true}",
                "{\"all\":true,\"model\":\"a\"}",
                "{\"model\":\"a\",\"model\":\"b\"}",
                "{\"all\":true}{}",
                "{\"all\":true",
                "{\"model\":null}",
                "{\"model\":\"\"}",
                "{\"model\":\"a b\"}",
                "{\"model\":[\"a\"]}",
                "{\"models\":\"a\"}",
                "{\"key\":\"abc\"}",
                "{\"key\":\"zz\"}"
            })
    void anythingElseIsRefusedAndPurgesNothing(String body) {
        FullHttpResponse response = ask(body);

        assertThat(response.status().code()).isEqualTo(400);
        assertThat(text(response))
                .contains("(expected: {\\\"model\\\":\\\"llama3.2\\\"}, {\\\"key\\\":\\\"64 hexadecimal digits\\\"} or"
                        + " {\\\"all\\\":true})");
        assertThat(purges.asked).isEmpty();
        assertThat(scrape()).doesNotContain("drover_cache_purges_total{");
    }

    @Test
    void aRefusalQuotesTheStartOfTheBody() {
        assertThat(text(ask("x".repeat(200))))
                .contains("body " + "x".repeat(100) + "... (expected:")
                .doesNotContain("x".repeat(101));
        assertThat(text(ask(""))).contains("body is empty (expected:");
    }

    @Test
    void aPurgeThatFailsIsAFaultOfOurs() {
        purges.result = CompletableFuture.failedFuture(new IllegalStateException("broken"));

        FullHttpResponse response = ask("{\"all\":true}");

        assertThat(response.status().code()).isEqualTo(500);
        assertThat(text(response)).contains("broken");
        assertThat(scrape()).doesNotContain("drover_cache_purges_total{");
    }

    @Test
    void aCacheThatIsOffHasNothingToPurge() {
        FullHttpResponse response = ask(new CachePurgeApi(null, metrics.cache()), HttpMethod.POST, "{\"all\":true}");

        assertThat(response.status().code()).isEqualTo(404);
        assertThat(text(response)).contains("the cache is off (expected: cache.enabled = true)");
    }

    @Test
    void onlyAPostPurges() {
        FullHttpResponse response = ask(api, HttpMethod.GET, "{\"all\":true}");

        assertThat(response.status().code()).isEqualTo(405);
        assertThat(purges.asked).isEmpty();
    }

    /** Remembers what it was asked, and answers what the test wants. */
    private static final class FakePurges implements Purges {
        final List<String> asked = new ArrayList<>();
        CompletionStage<Purged> result = CompletableFuture.completedFuture(new Purged(12, true));

        @Override
        public CompletionStage<Purged> purgeAll() {
            return answer("all");
        }

        @Override
        public CompletionStage<Purged> purgeModel(String model) {
            return answer("model " + model);
        }

        @Override
        public CompletionStage<Purged> purgeKey(String hex) {
            return answer("key " + hex);
        }

        private CompletionStage<Purged> answer(String purge) {
            asked.add(purge);
            return result;
        }
    }
}
