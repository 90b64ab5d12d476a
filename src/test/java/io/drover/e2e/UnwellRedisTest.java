package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.Middleman;
import io.drover.testing.RawClient;
import io.drover.testing.Redis;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The cache in front of a Redis that is late, talks nonsense, or has answers come in an awkward order. */
@Timeout(60)
class UnwellRedisTest {
    private static final String MODEL = "llama3.2";
    private static final String LEASE = "drover:cache:lease:";

    /** No look-up that was answered in time takes so long, and none that was given up takes less. */
    private static final String IN_TIME = "drover_cache_redis_seconds_bucket{le=\"0.5\",}";

    private static final String ALL = "drover_cache_redis_seconds_count";

    private static Redis redis;
    private static SimulatedOllama backend;

    private final Deque<Drover> drovers = new ArrayDeque<>();
    private Middleman middleman;
    private static int prompts;

    @BeforeAll
    static void startRedis(@TempDir Path dir) {
        redis = Redis.start(dir);
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withModels(List.of(SimulatedModel.named(MODEL)))
                .withSlots(8)
                .withTokens(6));
    }

    @AfterAll
    static void stopRedis() {
        backend.close();
        redis.close();
    }

    @BeforeEach
    void start() {
        // What a process held that could not tell Redis at its end lasts its time.
        redis.command(
                "EVAL",
                "for _, k in ipairs(redis.call('keys', ARGV[1])) do redis.call('del', k) end",
                "0",
                LEASE + "*");
        middleman = Middleman.before(redis);
    }

    @AfterEach
    void stop() {
        middleman.pass();
        backend.pace(0);
        drovers.forEach(Drover::close);
        middleman.close();
    }

    /** One that knows what the herd has, and shares what it keeps. */
    private Drover drover(String redisUri, String budget, String lease) {
        Drover drover = Drover.over(backend.url())
                .set("cache.enabled", "true")
                .set("cache.lookup-budget", budget)
                .set("cache.lease", lease)
                .set("redis.uri", redisUri)
                .set("health.active.interval", "200ms")
                .start();
        drovers.add(drover);
        drover.awaitListed();
        awaitShared(drover);
        return drover;
    }

    /** It asks Redis, and what it keeps reaches it. */
    private static void awaitShared(Drover drover) {
        Drover.await("it asks Redis", () -> {
            double asked = drover.metric(ALL);
            ask(drover, fresh());
            return drover.metric(ALL) > asked;
        });
        Drover.await("it writes to Redis", () -> {
            String size = redis.command("DBSIZE");
            ask(drover, fresh());
            return !redis.command("DBSIZE").equals(size);
        });
    }

    private static String fresh() {
        prompts++;
        return "question " + prompts;
    }

    private static String body(String prompt) {
        return "{\"model\":\"" + MODEL + "\",\"prompt\":\"" + prompt + "\",\"options\":{\"temperature\":0}}";
    }

    private static RawClient.Response ask(Drover drover, String prompt) {
        return drover.exchange("POST", "/api/generate", body(prompt));
    }

    private static void assertMiss(RawClient.Response response) {
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("X-Cache")).isEqualTo("MISS");
        assertThat(response.body()).contains("\"done\":true");
    }

    /** How often the backend was asked that. */
    private static long computed(String prompt) {
        return backend.received().stream()
                .filter(request -> request.text().contains('"' + prompt + '"'))
                .count();
    }

    private static boolean isBreakerOpen(Drover drover) {
        return drover.metric("drover_cache_breaker_open") == 1;
    }

    @Test
    void answersThatTakeTwoSecondsAreNotWaitedFor() {
        Drover drover = drover(middleman.uri(), "50ms", "0s");

        middleman.delay(Duration.ofSeconds(2));
        double answered = drover.metric(ALL);
        assertMiss(ask(drover, fresh()));
        assertThat(drover.metric(ALL))
                .as("look-ups that have ended when the backend had answered")
                .isEqualTo(answered);
        Drover.await("Redis is left alone", () -> {
            assertMiss(ask(drover, fresh()));
            return isBreakerOpen(drover);
        });
        Drover.await("counted", () -> drover.metric("drover_cache_redis_failures_total") > 0);
        long asked = middleman.count("$3\r\nGET");
        assertMiss(ask(drover, fresh()));
        assertThat(middleman.count("$3\r\nGET")).as("look-ups").isEqualTo(asked);

        middleman.pass();
        Drover.await("Redis is asked again", () -> !isBreakerOpen(drover));
        awaitShared(drover);
    }

    @Test
    void aLookUpThatIsGivenUpAndFailsLaterIsOneFailure() {
        Drover drover = drover(middleman.uri(), "50ms", "0s");
        double asked = drover.metric(ALL);
        double failures = drover.metric("drover_cache_redis_failures_total");

        middleman.hold();
        assertMiss(ask(drover, fresh()));
        Drover.await("it has failed", () -> drover.metric(ALL) == asked + 1);

        Drover.await("counted", () -> drover.metric("drover_cache_redis_failures_total") > failures);
        assertThat(drover.metric("drover_cache_redis_failures_total")).isEqualTo(failures + 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
                "-READONLY You can't write against a read only replica.\r\n",
                "-LOADING Redis is loading the dataset in memory\r\n",
                "-ERR\r\n",
                "+OK\r\n",
                "$7\r\ngarbage\r\n",
                "*2\r\n:1\r\n:2\r\n",
                "garbage\r\n",
                "$999999999999\r\n",
                "%-5\r\n\r\n\r\n",
            })
    void whateverRedisSaysEachRequestIsAnswered(String answer) {
        Drover drover = drover(middleman.uri(), "50ms", "10s");
        double failures = failures(drover);

        middleman.answer(answer);
        for (int i = 0; i < 8; i++) {
            String prompt = fresh();
            assertMiss(ask(drover, prompt));
            assertThat(computed(prompt)).isEqualTo(1);
        }

        Drover.await("it is counted", () -> failures(drover) > failures);
        middleman.pass();
        awaitShared(drover);
    }

    private static double failures(Drover drover) {
        return drover.metric("drover_cache_redis_failures_total")
                + drover.metric("drover_cache_writes_dropped_total")
                + drover.metric("drover_cache_breaker_open");
    }

    @Test
    void whoGetsTheLeaseAfterTheAnswerWasStoredFindsThat() {
        Drover one = drover(redis.uri(), "1s", "60s");
        Drover other = drover(middleman.uri(), "1s", "60s");
        String prompt = fresh();

        Drover.await("leases of what came before are given back", () -> leases() == 0);
        middleman.stop(LEASE);
        try (RawClient client = other.connect()) {
            client.request("POST", "/api/generate", body(prompt));
            Drover.await("it has not found it, and wants the lease", () -> middleman.stopped() == 1);
            assertMiss(ask(one, prompt));
            Drover.await("the lease is given back", () -> leases() == 0);
            middleman.pass();

            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("X-Cache")).isEqualTo("HIT");
        }
        assertThat(computed(prompt)).isEqualTo(1);
        Drover.await("the lease is given back", () -> leases() == 0);
    }

    @Test
    void whoWaitsForAReplicaDoesNotWaitForRedis() {
        Drover one = drover(redis.uri(), "50ms", "60s");
        Drover other = drover(middleman.uri(), "50ms", "60s");
        String prompt = fresh();
        Drover.await("leases of what came before are given back", () -> leases() == 0);
        String body = body(prompt);
        backend.pace(1);
        try (RawClient first = one.connect();
                RawClient second = other.connect()) {
            first.request("POST", "/api/generate", body);
            Drover.await("it is computed", () -> leases() == 1 && backend.active() == 1);
            long asked = middleman.count(LEASE);
            second.request("POST", "/api/generate", body);
            Drover.await("the other one waits", () -> middleman.count(LEASE) >= asked + 2);
            assertThat(computed(prompt)).isEqualTo(1);

            middleman.hold();
            Drover.await("it is computed twice", () -> computed(prompt) == 2);
            assertThat(other.metric(IN_TIME))
                    .as("look-ups that were waited for")
                    .isEqualTo(other.metric(ALL));
            backend.pace(0);
            assertMiss(second.readResponse());
            assertMiss(first.readResponse());
        }
    }

    @Test
    void whoLeavesTakesNoLeaseWithIt() {
        Drover drover = drover(middleman.uri(), "1s", "60s");
        String prompt = fresh();
        middleman.stop(LEASE);
        try (RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", body(prompt));
            Drover.await("it wants the lease", () -> middleman.stopped() == 1);
            client.hangUp();
            Drover.await("gone", () -> drover.openClients() == 0);
        }
        middleman.pass();
        Drover.await("it was taken and given back", () -> middleman.count(LEASE) >= 2 && leases() == 0);
        assertThat(computed(prompt)).isZero();
    }

    private static int leases() {
        // The number of names stands in the first line.
        return Integer.parseInt(redis.command("KEYS", LEASE + "*").substring(1));
    }
}
