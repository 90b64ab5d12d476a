package io.drover.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.DroverConfig;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class CacheMetricsTest {
    private final Metrics metrics = new Metrics(new DroverConfig.Metrics(2, Duration.ofSeconds(5)));
    private final CacheMetrics cache = metrics.cache();

    private String scrape() {
        return new String(metrics.scrape(null), StandardCharsets.UTF_8);
    }

    @Test
    void aHitCountsByItsTierAndInAll() {
        cache.onMemoryHit();
        cache.onMemoryHit();
        cache.onRedisHit();
        cache.onSemanticHit();
        cache.onMiss();

        assertThat(scrape())
                .contains("llm_cache_hits_total 4.0\n")
                .contains("llm_cache_misses_total 1.0\n")
                .contains("drover_cache_hits_total{tier=\"memory\",} 2.0\n")
                .contains("drover_cache_hits_total{tier=\"redis\",} 1.0\n")
                .contains("drover_cache_hits_total{tier=\"semantic\",} 1.0\n");
    }

    @Test
    void whatIsNeitherHitNorMissCountsByItself() {
        cache.onCoalesced();
        cache.onStale();
        cache.onBypass("client");
        cache.onBypass("client");
        cache.onBypass("too-large");
        cache.onPurge("model");
        cache.onWriteDropped();
        cache.onRedisFailure();

        assertThat(scrape())
                .contains("llm_cache_hits_total 0.0\n")
                .contains("llm_cache_misses_total 0.0\n")
                .contains("drover_cache_coalesced_total 1.0\n")
                .contains("drover_cache_stale_total 1.0\n")
                .contains("drover_cache_bypass_total{reason=\"client\",} 2.0\n")
                .contains("drover_cache_bypass_total{reason=\"too-large\",} 1.0\n")
                .contains("drover_cache_purges_total{scope=\"model\",} 1.0\n")
                .contains("drover_cache_writes_dropped_total 1.0\n")
                .contains("drover_cache_redis_failures_total 1.0\n");
    }

    @Test
    void evictedAnswersCountWithTheirBytes() {
        cache.onEviction("size", 1000);
        cache.onEviction("size", 24);
        cache.onEviction("age", 1);

        assertThat(scrape())
                .contains("drover_cache_evictions_total{cause=\"size\",} 2.0\n")
                .contains("drover_cache_evictions_total{cause=\"age\",} 1.0\n")
                .contains("drover_cache_evicted_bytes_total 1025.0\n");
    }

    @Test
    void lookUpsInRedisAreSecondsInBuckets() {
        cache.onRedisLookup(150_000);
        cache.onRedisLookup(3_000_000);

        assertThat(scrape())
                .contains("drover_cache_redis_seconds_bucket{le=\"1.0E-4\",} 0.0\n")
                .contains("drover_cache_redis_seconds_bucket{le=\"2.0E-4\",} 1.0\n")
                .contains("drover_cache_redis_seconds_bucket{le=\"0.005\",} 2.0\n")
                .contains("drover_cache_redis_seconds_bucket{le=\"1.0\",} 2.0\n")
                .contains("drover_cache_redis_seconds_sum 0.00315\n");
    }

    @Test
    void whatTheCacheHoldsIsAskedForAtEachScrape() {
        AtomicBoolean open = new AtomicBoolean();
        cache.memoryBytes(() -> 5);
        cache.recordingBytes(() -> 6);
        cache.entries(() -> 7);
        cache.followers(() -> 8);
        cache.breakerOpen(open::get);
        assertThat(scrape())
                .contains("drover_cache_bytes{tier=\"memory\",} 5.0\n")
                .contains("drover_cache_bytes{tier=\"recording\",} 6.0\n")
                .contains("drover_cache_entries 7.0\n")
                .contains("drover_cache_followers 8.0\n")
                .contains("drover_cache_breaker_open 0.0\n");

        open.set(true);

        assertThat(scrape()).contains("drover_cache_breaker_open 1.0\n");
        assertThatThrownBy(() -> cache.entries(() -> 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void moreReasonsThanThereCanBeAreOther() {
        for (int i = 0; i < 32; i++) {
            cache.onBypass("reason " + i);
        }

        assertThat(scrape())
                .contains("drover_cache_bypass_total{reason=\"reason 29\",} 1.0\n")
                .contains("drover_cache_bypass_total{reason=\"other\",} 2.0\n")
                .doesNotContain("reason 30");
    }
}
