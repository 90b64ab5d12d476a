package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Await;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import io.drover.testing.Redis;
import io.drover.testing.Secrets;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two processes that share what they keep through a real Redis, which is killed, emptied, frozen and thawed meanwhile.
 * Whoever asks the second while the first still writes waits for its lease, so that no test waits for a write.
 */
@Timeout(120)
class SharedCacheProcessesTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String ANY_PORT = "127.0.0.1:0";
    private static final String MODEL = "llama3.2";
    private static final String OTHER_MODEL = "qwen3";
    private static final String ALICE = "alice-of-wonderland";
    private static final String BOB = "bob-the-builder";
    private static final String KEPT = "drover:cache:*:*";

    private static Path directory;
    private static Redis redis;
    private static SimulatedOllama backend;
    private static DroverProcess one;
    private static DroverProcess other;

    /** It never gives the lease back that it takes. */
    private static DroverProcess doomed;

    private static int prompts;

    private final ExecutorService clients = Executors.newCachedThreadPool();

    @BeforeAll
    static void startAll(@TempDir Path dir) throws IOException {
        directory = dir;
        redis = Redis.start(dir);
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withModels(List.of(
                        SimulatedModel.named(MODEL),
                        SimulatedModel.named(OTHER_MODEL),
                        SimulatedModel.embedder("nomic")))
                .withSlots(8)
                .withRemembered(10_000)
                .withTokens(6));
        Path keys =
                Files.writeString(dir.resolve("keys"), Secrets.line("alice", ALICE, "") + Secrets.line("bob", BOB, ""));
        Path file = Files.writeString(
                dir.resolve("drover.conf"),
                String.join(
                        "\n",
                        "drover.backends = [{ url = \"" + backend.url() + "\", name = a }]",
                        "drover.redis.uri = \"" + redis.uri() + "\"",
                        "drover.event-loops = 1",
                        "drover.health.active.interval = 200ms",
                        "drover.auth { mode = api-key, keys-file = \"" + keys + "\" }",
                        // No busy machine is as slow as that.
                        "drover.cache { enabled = true, lookup-budget = 1s, lease = 30s, per-tenant = true }",
                        "drover.cache.encryption-key-file = \"" + keyFile(1) + "\"",
                        ""));
        one = start(file);
        other = start(file);
        doomed = start(file, "--set", "cache.lease=1s");
        // All three start at the same time.
        for (DroverProcess drover : List.of(one, other, doomed)) {
            assertThat(drover.proxy().getPort()).isPositive();
        }
    }

    private static DroverProcess start(Path file, String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("run", "-c", file.toString(), "--listen", ANY_PORT, "--set", "admin.listen=" + ANY_PORT));
        arguments.addAll(List.of(more));
        return DroverProcess.start(arguments.toArray(String[]::new));
    }

    private static Path keyFile(int fill) throws IOException {
        byte[] key = new byte[32];
        Arrays.fill(key, (byte) fill);
        return Files.writeString(
                directory.resolve("key" + fill), Base64.getEncoder().encodeToString(key));
    }

    @AfterAll
    static void stopAll() throws InterruptedException {
        doomed.close();
        for (DroverProcess drover : List.of(one, other)) {
            drover.terminate();
        }
        for (DroverProcess drover : List.of(one, other)) {
            assertThat(drover.await()).as(drover::toString).isZero();
            assertThat(drover.err()).doesNotContain("ERROR").doesNotContain("LEAK");
        }
        backend.close();
        redis.close();
    }

    /** Both ask Redis, and know the model. */
    @BeforeEach
    void awaitSharing() {
        for (DroverProcess from : List.of(one, other)) {
            DroverProcess to = from == one ? other : one;
            Await.until("what one keeps the other finds", SOON, () -> {
                String prompt = fresh();
                ask(from, chat(prompt));
                return isHit(ask(to, chat(prompt)));
            });
        }
    }

    @AfterEach
    void stop() throws InterruptedException {
        redis.thaw();
        backend.pace(0);
        clients.shutdown();
        assertThat(clients.awaitTermination(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    private static synchronized String fresh() {
        prompts++;
        return "question " + prompts;
    }

    private static String chat(String prompt) {
        return chat(MODEL, prompt);
    }

    private static String chat(String model, String prompt) {
        return "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt
                + "\"}],\"options\":{\"temperature\":0}}";
    }

    private static RawClient.Response ask(DroverProcess drover, String body) {
        return ask(drover.proxy(), "/api/chat", body, ALICE);
    }

    private static RawClient.Response ask(InetSocketAddress port, String path, String body, String key) {
        try (RawClient client = RawClient.connect(port)) {
            return client.exchange("POST", path, body, "x-api-key: " + key);
        }
    }

    private static boolean isHit(RawClient.Response response) {
        return response.status() == 200 && response.header("X-Cache").equals("HIT");
    }

    private static void assertStatus(RawClient.Response response, String status) {
        assertThat(response.status()).as(response.body()).isEqualTo(200);
        assertThat(response.header("X-Cache")).isEqualTo(status);
    }

    /** How often the backend was asked that. */
    private static long computed(String prompt) {
        return backend.received().stream()
                .filter(request -> request.text().contains('"' + prompt + '"'))
                .count();
    }

    private static boolean shows(DroverProcess drover, String line) {
        try (RawClient client = RawClient.connect(drover.admin())) {
            return client.exchange("GET", "/metrics", "").body().contains(line + "\n");
        }
    }

    private static String purge(DroverProcess drover, String what) {
        try (RawClient client = RawClient.connect(drover.admin())) {
            RawClient.Response response = client.exchange("POST", "/api/cache/purge", what, "X-Drover: 1");
            assertThat(response.status()).as(response.body()).isEqualTo(200);
            return response.body();
        }
    }

    /** What one has just had computed the other has too; both have it in memory then. */
    private static void share(String body) {
        assertStatus(ask(one, body), "MISS");
        assertStatus(ask(other, body), "HIT");
    }

    private static int count(String names) {
        return Integer.parseInt(redis.command("KEYS", names).substring(1));
    }

    // ------------------------------------------------------------------ answers

    @ParameterizedTest
    @CsvSource({
        "/api/generate, true",
        "/api/generate, false",
        "/api/chat, true",
        "/api/chat, false",
        "/v1/chat/completions, true",
        "/v1/chat/completions, false",
        "/v1/completions, true",
        "/v1/completions, false",
        "/v1/messages, true",
        "/v1/messages, false",
        "/v1/responses, true",
        "/v1/responses, false",
        "/api/embed, false",
        "/api/embeddings, false",
        "/v1/embeddings, false",
    })
    void whatOneHadComputedTheOtherFinds(String path, boolean streamed) {
        String prompt = fresh();
        boolean embeds = path.contains("embed");
        String body = "{\"model\":\"" + (embeds ? "nomic" : MODEL) + "\",\"temperature\":0,\"max_tokens\":100,"
                + "\"options\":{\"temperature\":0},\"stream\":" + streamed + ",\"prompt\":\"" + prompt
                + "\",\"input\":\"" + prompt + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}]}";
        int before = keys().size();
        RawClient.Response first = ask(one.proxy(), path, body, ALICE);
        // It is written behind the answer.
        Await.until("it is in Redis", SOON, () -> keys().size() > before);
        RawClient.Response second = ask(other.proxy(), path, body, ALICE);
        assertStatus(first, "MISS");
        assertStatus(second, "HIT");
        assertThat(second.header("Content-Type")).isEqualTo(first.header("Content-Type"));
        assertThat(withoutTimes(second)).isEqualTo(withoutTimes(first)).isNotEmpty();
        assertThat(computed(prompt)).isEqualTo(1);
    }

    private static String withoutTimes(RawClient.Response response) {
        return response.body()
                .replaceAll("\"(created_at|completed_at|created)\":(\"[^\"]*\"|[0-9]+)", "\"$1\":0")
                // Of a vector that was asked for by itself nobody measures how long the whole took.
                .replaceAll("(?<=]),\"total_duration\":[0-9]+,\"load_duration\":[0-9]+", "")
                .replaceAll("(chatcmpl|cmpl|resp|msg|req)[-_][A-Za-z0-9]+", "$1");
    }

    @Test
    void aTenantFindsOnlyItsOwn() {
        String body = chat(fresh());
        assertStatus(ask(one.proxy(), "/api/chat", body, ALICE), "MISS");
        assertStatus(ask(other.proxy(), "/api/chat", body, BOB), "MISS");
        assertStatus(ask(other.proxy(), "/api/chat", body, ALICE), "HIT");
        assertStatus(ask(one.proxy(), "/api/chat", body, BOB), "HIT");
    }

    @Test
    void redisLearnsNeitherWhatIsAskedNorWhatIsAnswered() throws IOException {
        String prompt = "where is the xylophone";
        RawClient.Response answer = ask(one, chat(prompt));
        assertStatus(answer, "MISS");
        assertStatus(ask(other, chat(prompt)), "HIT");

        assertThat(count(KEPT)).isPositive();
        String all = everything();
        assertThat(all).contains("drover:cache:generations");
        for (String secret :
                List.of("xylophone", MODEL, "alice", "content", "created_at", "application/x-ndjson", "\"done\"")) {
            assertThat(answer.body() + prompt + "alice application/x-ndjson").contains(secret);
            assertThat(all).doesNotContain(secret);
        }

        try (Drover same = inProcess(keyFile(1));
                Drover another = inProcess(keyFile(2))) {
            assertThat(statusOnceShared(same, prompt)).isEqualTo("HIT");
            double failures = another.metric("drover_cache_redis_failures_total");
            assertThat(statusOnceShared(another, prompt)).isEqualTo("MISS");
            assertThat(another.metric("drover_cache_redis_failures_total")).isGreaterThan(failures);
        }
    }

    /** All names, and all that stands under them. */
    private static String everything() {
        RedisClient client = RedisClient.create(redis.uri());
        try {
            RedisCommands<String, String> commands =
                    client.connect(new StringCodec(StandardCharsets.ISO_8859_1)).sync();
            return commands.keys("*").stream()
                    .map(name -> name + " "
                            + (commands.type(name).equals("hash") ? commands.hgetall(name) : commands.get(name)))
                    .collect(Collectors.joining("\n"));
        } finally {
            client.shutdown(Duration.ZERO, SOON);
        }
    }

    private static Drover inProcess(Path keyFile) {
        return Drover.over(backend.url())
                .set("cache.enabled", "true")
                .set("cache.lookup-budget", "1s")
                .set("cache.per-tenant", "true")
                .set("cache.encryption-key-file", keyFile.toString())
                .set("auth.mode", "api-key")
                .set("auth.keys-file", directory.resolve("keys").toString())
                .set("redis.uri", redis.uri())
                .set("health.active.interval", "200ms")
                .start();
    }

    private static String statusOnceShared(Drover drover, String prompt) {
        Drover.await("it asks Redis", () -> {
            double asked = drover.metric("drover_cache_redis_seconds_count");
            ask(drover.address(), "/api/chat", chat(fresh()), ALICE);
            return drover.metric("drover_cache_redis_seconds_count") > asked;
        });
        return ask(drover.address(), "/api/chat", chat(prompt), ALICE).header("X-Cache");
    }

    // ------------------------------------------------------------------ purges

    @Test
    void aPurgeByOneReachesTheOther() {
        String prompt = fresh();
        String body = chat(prompt);
        String unlike = chat(OTHER_MODEL, prompt);
        share(unlike);

        share(body);
        assertThat(purge(one, "{\"model\":\"" + MODEL + "\"}")).contains("\"replicas_told\":true");
        awaitMiss(body);
        assertStatus(ask(other, unlike), "HIT");

        assertThat(purge(one, "{\"all\":true}")).contains("\"replicas_told\":true");
        awaitMiss(body);
        assertStatus(ask(one, unlike), "MISS");
    }

    @Test
    void aPurgeOfOneAnswerLeavesTheRest() {
        String rest = chat(fresh());
        share(rest);
        List<String> before = keys();
        String body = chat(fresh());
        share(body);
        Await.until("it is in Redis", SOON, () -> keys().size() > before.size());
        List<String> added = keys();
        added.removeAll(before);
        assertThat(added).hasSize(1);

        assertThat(purge(one, "{\"key\":\"" + added.get(0) + "\"}")).contains("\"replicas_told\":true");
        awaitMiss(body);
        assertStatus(ask(other, rest), "HIT");
        assertStatus(ask(one, rest), "HIT");
    }

    /** Of what Redis holds. */
    private static List<String> keys() {
        return everything()
                .lines()
                .filter(line -> line.matches("(?s)drover:cache:\\{[0-9a-f]{64}}:.*"))
                .map(line -> line.substring("drover:cache:{".length(), "drover:cache:{".length() + 64))
                .distinct()
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** Before it hears of the purge it answers from its memory. */
    private static void awaitMiss(String body) {
        Await.until("it has forgotten", SOON, () -> {
            RawClient.Response response = ask(other, body);
            assertThat(response.header("X-Cache")).isIn("HIT", "MISS");
            return response.header("X-Cache").equals("MISS");
        });
        assertStatus(ask(other, body), "HIT");
        assertStatus(ask(one, body), "HIT");
    }

    @Test
    void aPurgeWhileRedisIsFrozenReachesTheOtherOneLater() {
        String body = chat(fresh());
        share(body);

        redis.freeze();
        assertThat(purge(one, "{\"all\":true}")).contains("\"replicas_told\":false");
        assertStatus(ask(other, body), "HIT");
        assertStatus(ask(one, body), "MISS");
        redis.thaw();

        Await.until("it has forgotten", SOON, () -> !isHit(ask(other, body)));
        awaitSharing();
    }

    // ------------------------------------------------------------------ leases

    @Test
    void fortyWhoAskBothAtOnceHaveItComputedOnce() throws Exception {
        String prompt = fresh();
        backend.pace(20);
        List<Future<RawClient.Response>> asked = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            DroverProcess drover = i % 2 == 0 ? one : other;
            asked.add(clients.submit(() -> ask(drover, chat(prompt))));
        }
        List<String> statuses = new ArrayList<>();
        List<String> answers = new ArrayList<>();
        for (Future<RawClient.Response> each : asked) {
            RawClient.Response response = get(each);
            assertThat(response.status()).isEqualTo(200);
            statuses.add(response.header("X-Cache"));
            answers.add(withoutTimes(response));
        }
        assertThat(computed(prompt)).isEqualTo(1);
        assertThat(statuses).containsOnlyOnce("MISS").doesNotContain("BYPASS", "STALE");
        assertThat(answers.stream().distinct()).hasSize(1);
        Await.until("the lease is given back", SOON, () -> count("drover:cache:lease:*") == 0);
    }

    @Test
    void theLeaseOfOneThatWasKilledRunsOut() throws Exception {
        String prompt = fresh();
        Await.until("it shares", SOON, () -> {
            String body = chat(fresh());
            assertThat(ask(one, body).status()).isEqualTo(200);
            return isHit(ask(doomed, body));
        });
        backend.pace(1);
        try (RawClient leader = RawClient.connect(doomed.proxy());
                RawClient follower = RawClient.connect(doomed.proxy())) {
            leader.request("POST", "/api/chat", chat(prompt), "x-api-key: " + ALICE);
            Await.until("it computes", SOON, () -> computed(prompt) == 1 && count("drover:cache:lease:*") == 1);
            follower.request("POST", "/api/chat", chat(prompt), "x-api-key: " + ALICE);
            awaitFollowers(doomed, 1);
            List<Future<RawClient.Response>> waiting = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                waiting.add(clients.submit(() -> ask(other, chat(prompt))));
            }
            awaitFollowers(other, 2);
            assertThat(computed(prompt)).isEqualTo(1);

            doomed.close();
            backend.pace(0);

            List<String> statuses = new ArrayList<>();
            for (Future<RawClient.Response> each : waiting) {
                RawClient.Response response = get(each);
                assertThat(response.body()).contains("\"done\":true");
                statuses.add(response.header("X-Cache"));
            }
            assertThat(statuses).containsExactlyInAnyOrder("MISS", "COALESCED", "COALESCED");
        }
        assertThat(computed(prompt)).isEqualTo(2);
        assertStatus(ask(one, chat(prompt)), "HIT");
    }

    private static void awaitFollowers(DroverProcess drover, int count) {
        Await.until("they follow", SOON, () -> shows(drover, "drover_cache_followers " + count + ".0"));
    }

    private static RawClient.Response get(Future<RawClient.Response> asked)
            throws InterruptedException, ExecutionException, java.util.concurrent.TimeoutException {
        return asked.get(SOON.toSeconds(), TimeUnit.SECONDS);
    }

    // ------------------------------------------------------------------ Redis comes and goes

    private final Queue<RawClient.Response> unlike200 = new ConcurrentLinkedQueue<>();
    private final AtomicInteger served = new AtomicInteger();
    private volatile boolean ending;

    @Test
    void whateverBecomesOfRedisEachRequestIsAnswered() {
        for (int i = 0; i < 4; i++) {
            DroverProcess drover = i % 2 == 0 ? one : other;
            Future<?> load = clients.submit(() -> load(drover));
            assertThat(load).isNotNull();
        }
        try {
            awaitServed();
            redis.freeze();
            awaitBreakers(1);
            awaitServed();
            redis.thaw();
            awaitBreakers(0);
            awaitServed();
            redis.kill();
            awaitBreakers(1);
            awaitServed();
            redis.start();
            awaitBreakers(0);
            awaitServed();
        } finally {
            ending = true;
        }
        assertThat(unlike200).isEmpty();
        awaitSharing();
    }

    /** Some of what it asks was asked before, by others too. */
    private void load(DroverProcess drover) {
        int base = served.get();
        try (RawClient client = RawClient.connect(drover.proxy())) {
            for (int i = 0; !ending; i++) {
                String body = i % 3 == 0 ? chat(fresh()) : chat("often " + (base + i % 20));
                RawClient.Response response = client.exchange("POST", "/api/chat", body, "x-api-key: " + ALICE);
                if (response.status() != 200 || !response.body().contains("\"done\":true")) {
                    unlike200.add(response);
                }
                served.incrementAndGet();
            }
        } catch (AssertionError | RuntimeException failed) {
            if (!ending) {
                unlike200.add(new RawClient.Response(new RawClient.Head(failed.toString(), List.of()), ""));
            }
        }
    }

    private void awaitServed() {
        int enough = served.get() + 100;
        Await.until("a hundred more", SOON, () -> served.get() >= enough || !unlike200.isEmpty());
    }

    private static void awaitBreakers(int open) {
        for (DroverProcess drover : List.of(one, other)) {
            Await.until("breaker " + open, SOON, () -> shows(drover, "drover_cache_breaker_open " + open + ".0"));
        }
    }
}
