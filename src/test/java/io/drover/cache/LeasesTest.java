package io.drover.cache;

import static io.drover.cache.Samples.MODEL;
import static io.drover.cache.Samples.key;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.CacheConfig;
import io.drover.config.ConfigException;
import io.drover.testing.Await;
import io.drover.testing.Redis;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When a lease is given back, and what whoever gets it next finds. */
@Timeout(60)
class LeasesTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String NAME = "drover:cache:lease:{" + key("a") + "}";

    private final Path dir;
    private final Redis redis;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    LeasesTest(@TempDir Path dir) {
        this.dir = dir;
        this.redis = Redis.start(dir);
    }

    @AfterEach
    void close() throws Exception {
        redis.thaw();
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
        redis.close();
    }

    private ResponseCache replica(Duration budget) throws ConfigException, IOException {
        Path keyFile = Files.writeString(dir.resolve("key"), Base64.getEncoder().encodeToString(new byte[32]));
        CacheConfig config = new Samples.Settings()
                .budget(budget)
                .lease(Duration.ofMinutes(5))
                .keyFile(keyFile)
                .config();
        RedisLink link = new RedisLink(redis.uri());
        opened.push(link);
        link.start();
        ResponseCache cache = ResponseCache.open(config, link, new Samples.Counts());
        opened.push(cache);
        Await.until("in use", SOON, cache::isShared);
        return cache;
    }

    @Test
    void whoGetsItNextFindsTheAnswerThatWasStoredBefore() throws Exception {
        ResponseCache one = replica(Duration.ofSeconds(5));
        ResponseCache other = replica(Duration.ofSeconds(5));
        for (int i = 0; i < 20; i++) {
            CacheKey key = key("key " + i);
            Lease lease = get(one.lease(key));
            assertThat(lease.isShared()).isTrue();
            assertThat(get(other.lease(key)).isShared()).isFalse();
            one.store(
                    key,
                    Samples.whole("x".repeat(500_000), MODEL, one.generation(key, MODEL), System.currentTimeMillis()));
            lease.release();

            Await.until(
                    "it is free",
                    SOON,
                    () -> other.lease(key).toCompletableFuture().join().isShared());
            assertThat(get(other.inRedis(key, Form.WHOLE, MODEL))).isNotNull();
        }
    }

    @Test
    void oneThatWasTakenOfAFrozenRedisIsGivenBackToIt() throws Exception {
        ResponseCache one = replica(Duration.ofMillis(100));

        redis.freeze();
        CompletableFuture<Lease> late = one.lease(key("a")).toCompletableFuture();
        awaitLeftAlone(one);
        Lease taken = get(late);
        assertThat(taken.state()).isEqualTo(Lease.State.TAKEN);
        taken.release();
        redis.thaw();

        Await.until("in use", SOON, one::isShared);
        assertThat(redis.command("EXISTS", NAME)).isEqualTo(":0");
    }

    /** Until so many questions were slow that no more are put. */
    private static void awaitLeftAlone(ResponseCache cache) {
        Await.until("Redis is left alone", SOON, () -> {
            CompletionStage<?> asked = cache.inRedis(key("b"), Form.WHOLE, MODEL);
            return asked.toCompletableFuture().isDone() && cache.isBreakerOpen();
        });
    }

    @Test
    void oneOfOurOwnIsGivenBackWhereRedisHasBecomeSlowMeanwhile() throws Exception {
        ResponseCache one = replica(Duration.ofMillis(100));
        Lease lease = get(one.lease(key("a")));
        assertThat(redis.command("EXISTS", NAME)).isEqualTo(":1");

        redis.freeze();
        awaitLeftAlone(one);
        lease.release();
        redis.thaw();

        Await.until("it is free", SOON, () -> redis.command("EXISTS", NAME).equals(":0"));
    }

    private static <T extends @Nullable Object> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
}
