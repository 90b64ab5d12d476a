package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.drover.config.CacheConfig;
import io.drover.config.DroverConfig;
import io.drover.metrics.Metrics;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class CacheServiceTest {
    private static final Metrics METRICS = new Metrics(new DroverConfig.Metrics(2, Duration.ofSeconds(5)));

    @Test
    void aRedisThatIsSlowAgainAndAgainIsToldOnce() throws Exception {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(CacheService.class);
        log.start();
        logger.addAppender(log);
        try (CacheService cache = Objects.requireNonNull(CacheService.open(config(), null, METRICS.cache()))) {
            for (int i = 0; i < 10; i++) {
                cache.onBreakerOpen();
            }
        } finally {
            logger.detachAppender(log);
        }
        assertThat(log.list).singleElement().asString().contains("Redis is too slow");
    }

    private static CacheConfig config() {
        return new CacheConfig(
                true,
                CacheConfig.When.ALWAYS,
                Duration.ofHours(1),
                1 << 20,
                1 << 10,
                Duration.ZERO,
                true,
                1 << 10,
                1 << 20,
                Duration.ofMillis(5),
                1 << 20,
                false,
                List.of(),
                List.of(),
                Duration.ZERO,
                Optional.empty(),
                new CacheConfig.Semantic("", 1, 1, Duration.ofSeconds(1)));
    }
}
