package io.drover.cache;

import static io.drover.cache.Samples.MODEL;
import static io.drover.cache.Samples.OTHER_MODEL;
import static io.drover.cache.Samples.key;
import static io.drover.cache.Samples.whole;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.CacheConfig;
import io.drover.config.ConfigException;
import io.drover.ollama.Endpoint;
import io.drover.testing.Await;
import io.drover.testing.Redis;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas with a Redis in common, which comes and goes. */
@Timeout(60)
class SharedCacheTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final Path dir;
    private final Redis redis;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Samples.Counts counts = new Samples.Counts();

    SharedCacheTest(@TempDir Path dir) {
        this.dir = dir;
        this.redis = Redis.start(dir);
    }

    @AfterEach
    void close() throws Exception {
        // Whatever is frozen would hold up the end.
        redis.thaw();
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
        redis.close();
    }

    @Test
    void whatOneReplicaStoresAnotherFindsAndKeeps() throws Exception {
        ResponseCache one = replica();
        ResponseCache other = replica();

        CachedAnswer answer = store(one, "a", MODEL);

        CachedAnswer found = await(other, "a", MODEL);
        assertThat(found.toBytes()).isEqualTo(answer.toBytes());
        assertThat(other.inMemory(key("a"), Form.WHOLE, MODEL)).isSameAs(found);
        assertThat(get(other.inRedis(key("b"), Form.WHOLE, MODEL))).isNull();
    }

    @Test
    void purgesOfEachKindReachTheOtherReplicas() throws Exception {
        ResponseCache one = replica();
        ResponseCache other = replica();
        for (String name : List.of("a", "b", "c")) {
            store(one, name, MODEL);
            await(other, name, MODEL);
        }
        store(one, "d", OTHER_MODEL);
        await(other, "d", OTHER_MODEL);

        assertThat(get(one.purge(key("a")))).isEqualTo(new Purged(1, true));
        awaitGone(other, "a", MODEL);
        assertThat(other.inMemory(key("b"), Form.WHOLE, MODEL)).isNotNull();
        assertThat(get(one.inRedis(key("a"), Form.WHOLE, MODEL))).isNull();
        assertThat(get(one.inRedis(key("b"), Form.WHOLE, MODEL))).isNotNull();

        assertThat(get(other.purgeModel(MODEL))).isEqualTo(new Purged(2, true));
        awaitGone(one, "b", MODEL);
        assertThat(get(one.inRedis(key("c"), Form.WHOLE, MODEL))).isNull();
        assertThat(get(one.inRedis(key("d"), Form.WHOLE, OTHER_MODEL))).isNotNull();

        assertThat(get(one.purgeAll())).isEqualTo(new Purged(1, true));
        awaitGone(other, "d", OTHER_MODEL);
        assertThat(get(other.inRedis(key("d"), Form.WHOLE, OTHER_MODEL))).isNull();

        store(one, "a", MODEL);
        await(other, "a", MODEL);
    }

    @Test
    void replicasListenForPurges() throws Exception {
        replica();
        replica();

        Await.until("both listen", SOON, () -> redis.command("PUBLISH", SharedGenerations.CHANNEL, "")
                .equals(":2"));
    }

    @Test
    void oneThatComesLaterDoesNotFindWhatWasPurgedBefore() throws Exception {
        ResponseCache one = replica();
        store(one, "a", MODEL);
        get(one.purgeModel(MODEL));

        ResponseCache later = replica();

        assertThat(later.generation(key("a"), MODEL)).isEqualTo(one.generation(key("a"), MODEL));
        assertThat(get(later.inRedis(key("a"), Form.WHOLE, MODEL))).isNull();
    }

    @Test
    void entriesThatOutliveTheirGenerationsAreNotFoundBySomebodyNew() throws Exception {
        RedisLink link = link();
        ResponseCache one = open(link, new Samples.Settings().config());
        store(one, "a", MODEL);
        Await.until("written", SOON, () -> one.writing() == 0);
        one.close();
        redis.command("DEL", SharedGenerations.REDIS_KEY);

        ResponseCache later = replica();

        assertThat(get(later.inRedis(key("a"), Form.WHOLE, MODEL))).isNull();
    }

    @Test
    void aPurgeWhileRedisIsAwayIsToldWhenItIsBackEmpty() throws Exception {
        ResponseCache one = replica();
        ResponseCache other = replica();
        store(one, "a", MODEL);
        await(other, "a", MODEL);
        store(one, "d", OTHER_MODEL);
        await(other, "d", OTHER_MODEL);

        redis.kill();
        assertThat(get(one.purgeModel(MODEL))).isEqualTo(new Purged(1, false));
        assertThat(one.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
        assertThat(other.inMemory(key("a"), Form.WHOLE, MODEL)).isNotNull();
        assertThat(get(one.inRedis(key("d"), Form.WHOLE, OTHER_MODEL))).isNull();
        assertThat(get(one.lease(key("d"))).state()).isEqualTo(Lease.State.TAKEN);
        redis.start();

        awaitGone(other, "a", MODEL);
        awaitShared(one);
        awaitShared(other);
        assertThat(other.inMemory(key("d"), Form.WHOLE, OTHER_MODEL))
                .as("nobody purged it")
                .isNotNull();
        store(one, "a", MODEL);
        await(other, "a", MODEL);
    }

    @Test
    void aFlushedRedisLearnsTheGenerationsAnew() throws Exception {
        ResponseCache one = replica();
        get(one.purgeModel(MODEL));
        long generation = one.generation(key("a"), MODEL);
        store(one, "a", MODEL);

        redis.command("FLUSHALL");

        Await.until("it has them", SOON, () -> redis.command(
                        "HEXISTS", SharedGenerations.REDIS_KEY, Generations.ofModel(MODEL))
                .equals(":1"));
        assertThat(one.generation(key("a"), MODEL)).isEqualTo(generation);
        assertThat(one.inMemory(key("a"), Form.WHOLE, MODEL)).isNotNull();
    }

    @Test
    void tooManyGenerationsInRedisBecomeOne() throws Exception {
        ResponseCache one = replica();
        long before = one.generation(key("a"), MODEL);
        List<String> command = new ArrayList<>(List.of("HSET", SharedGenerations.REDIS_KEY));
        for (int i = 0; i < Generations.MOST; i++) {
            command.addAll(List.of("model:m" + i, Long.toString(before + 1 + i)));
        }
        redis.command(command.toArray(String[]::new));

        Await.until("it has one", SOON, () -> redis.command("HLEN", SharedGenerations.REDIS_KEY)
                .equals(":1"));
        assertThat(one.generation(key("a"), MODEL)).isGreaterThan(before + Generations.MOST);
    }

    @Test
    void whereGenerationsCannotBeKnownOnlyMemoryIsUsed() throws Exception {
        redis.command("SET", SharedGenerations.REDIS_KEY, "of another type");
        RedisLink link = link();
        ResponseCache one = open(link, new Samples.Settings().config());
        Await.until("up", SOON, link::isUp);

        assertThat(get(one.purgeAll()).told()).isFalse();
        store(one, "a", MODEL);
        assertThat(one.isShared()).isFalse();
        assertThat(one.inRedis(key("a"), Form.WHOLE, MODEL).toCompletableFuture())
                .isCompletedWithValue(null);
        assertThat(one.inMemory(key("a"), Form.WHOLE, MODEL)).isNotNull();

        redis.command("DEL", SharedGenerations.REDIS_KEY);
        awaitShared(one);
    }

    @Test
    void manyInputsAreLookedUpWithFewCommands() throws Exception {
        int size = 2_000;
        ResponseCache one = replica();
        ResponseCache other = replica();
        String inputs =
                IntStream.range(0, size).mapToObj(i -> "\"text " + i + '"').collect(Collectors.joining(","));
        String vectors = IntStream.range(0, size).mapToObj(i -> "[0." + i + "]").collect(Collectors.joining(","));
        EmbedLookup told = inputs(one, inputs);
        told.store(
                ("{\"model\":\"m\",\"embeddings\":[" + vectors + "],\"prompt_eval_count\":9}")
                        .getBytes(StandardCharsets.UTF_8),
                false,
                System.currentTimeMillis());
        Await.until("written", SOON, () -> one.writing() == 0);
        long before = counts.of("asked");

        List<EmbedLookup> atOnce = List.of(inputs(other, inputs), inputs(other, inputs), inputs(other, inputs));
        for (CompletionStage<Void> asked :
                atOnce.stream().map(EmbedLookup::inRedis).toList()) {
            get(asked);
        }

        assertThat(counts.of("asked") - before).isBetween(1L, 3L * size / 50);
        assertThat(counts.of("failed")).isZero();
        atOnce.forEach(EmbedLookup::inMemory);
        assertThat(atOnce).allMatch(EmbedLookup::isAllFound);
    }

    private static EmbedLookup inputs(ResponseCache cache, String inputs) {
        byte[] body = ("{\"model\":\"m\",\"input\":[" + inputs + "]}").getBytes(StandardCharsets.UTF_8);
        EmbedQuestion question =
                EmbedQuestion.read(Endpoint.EMBED, new Asked("digest", "version", ""), new ByteArrayInputStream(body));
        return new EmbedLookup(cache, Objects.requireNonNull(question), MODEL, any -> true);
    }

    @Test
    void aFrozenRedisIsAskedByTheFirstFewOnlyAndAgainOnceItAnswers() throws Exception {
        ResponseCache one = open(
                link(), new Samples.Settings().budget(Duration.ofMillis(50)).config());
        awaitShared(one);
        store(one, "a", MODEL);
        await(one, "a", MODEL);
        long asked = counts.of("asked");
        long openings = counts.of("opened");

        redis.freeze();
        List<CompletableFuture<?>> waiting = new ArrayList<>();
        Await.until("not asked any more", SOON, () -> {
            CompletableFuture<?> answer =
                    one.inRedis(key("a"), Form.WHOLE, MODEL).toCompletableFuture();
            waiting.add(answer);
            return answer.isDone();
        });
        assertThat(one.isBreakerOpen()).isTrue();
        assertThat(one.lease(key("a")).toCompletableFuture()).isCompleted();
        assertThat(one.inMemory(key("a"), Form.WHOLE, MODEL)).isNotNull();
        store(one, "b", MODEL);
        assertThat(one.writing()).isZero();
        assertThat(counts.of("opened")).isEqualTo(openings + 1);

        redis.thaw();

        awaitShared(one);
        for (CompletableFuture<?> each : waiting) {
            each.get(20, TimeUnit.SECONDS);
        }
        assertThat(counts.of("asked"))
                .as("all but the last one, and nobody since")
                .isEqualTo(asked + waiting.size() - 1);
        assertThat(await(one, "a", MODEL)).isNotNull();
    }

    @Test
    void aPurgeWhileRedisIsFrozenIsTold() throws Exception {
        ResponseCache one = replica();
        ResponseCache other = replica();
        store(one, "a", MODEL);
        await(other, "a", MODEL);

        redis.freeze();
        CompletionStage<Purged> purged = one.purge(key("a"));
        assertThat(one.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
        assertThat(one.isShared()).isFalse();
        redis.thaw();

        assertThat(get(purged).answers()).isEqualTo(1);
        awaitGone(other, "a", MODEL);
        awaitShared(one);
        assertThat(get(one.inRedis(key("a"), Form.WHOLE, MODEL))).isNull();
    }

    @Test
    void whatIsOnItsWayToRedisIsBounded() throws Exception {
        int size = 100_000;
        ResponseCache one =
                open(link(), new Samples.Settings().writing(2 * size + size / 2).config());
        awaitShared(one);

        redis.freeze();
        for (int i = 0; i < 5; i++) {
            one.store(key("a" + i), answer(one, key("a" + i), "x".repeat(size)));
        }

        assertThat(counts.of("dropped")).isEqualTo(3);
        assertThat(one.writing()).isBetween(2L * size, 2L * size + size / 2);
        assertThat(one.inMemory(key("a4"), Form.WHOLE, MODEL)).isNotNull();
        redis.thaw();
        Await.until("all are there", SOON, () -> one.writing() == 0);
    }

    @Test
    void encryptedValuesAreReadWithTheKeyAndInTheirPlaceOnly() throws Exception {
        RedisLink link = link();
        ResponseCache one =
                open(link, new Samples.Settings().keyFile(keyFile(1)).config());
        ResponseCache same =
                open(link(), new Samples.Settings().keyFile(keyFile(1)).config());
        ResponseCache another =
                open(link(), new Samples.Settings().keyFile(keyFile(2)).config());
        ResponseCache none = replica();
        List.of(one, same, another).forEach(SharedCacheTest::awaitShared);
        one.store(key("a"), answer(one, key("a"), "sesame"));
        await(same, "a", MODEL);

        byte[] value = raw(link, name(one, "a"));
        assertThat(new String(value, StandardCharsets.ISO_8859_1)).doesNotContain("sesame", "llama3");
        assertThat(get(another.inRedis(key("a"), Form.WHOLE, MODEL))).isNull();
        assertThat(get(none.inRedis(key("a"), Form.WHOLE, MODEL))).isNull();
        assertThat(counts.of("failed")).isEqualTo(2);

        assertThat(get(connection(link).commands().set(name(one, "b"), value))).isEqualTo("OK");
        assertThat(get(one.inRedis(key("b"), Form.WHOLE, MODEL))).isNull();
        assertThat(counts.of("failed")).isEqualTo(3);
    }

    @Test
    void valuesAreReadableWithoutAKeyAndJunkIsAMiss() throws Exception {
        RedisLink link = link();
        ResponseCache one = open(link, new Samples.Settings().config());
        awaitShared(one);
        one.store(key("a"), answer(one, key("a"), "sesame"));
        await(one, "a", MODEL);
        assertThat(raw(link, name(one, "a"))).isNotEmpty();

        byte[] junk = "Pjunk".getBytes(StandardCharsets.US_ASCII);
        assertThat(get(connection(link).commands().set(name(one, "b"), junk))).isEqualTo("OK");

        assertThat(get(one.inRedis(key("b"), Form.WHOLE, MODEL))).isNull();
        assertThat(counts.of("failed")).isEqualTo(1);
    }

    @Test
    void entriesLeaveRedisByThemselves() throws Exception {
        ResponseCache one = replica();
        store(one, "a", MODEL);
        await(one, "a", MODEL);

        String left = redis.command("PTTL", new String(name(one, "a"), StandardCharsets.US_ASCII));

        long kept = Duration.ofHours(3).toMillis();
        assertThat(Long.parseLong(left.substring(1))).isBetween(kept - SOON.toMillis(), kept);
    }

    @Test
    void aLeaseIsOfOneReplicaUntilItIsReleased() throws Exception {
        ResponseCache one = replica();
        ResponseCache other = replica();

        Lease lease = get(one.lease(key("a")));
        assertThat(lease.state()).isEqualTo(Lease.State.TAKEN);
        Lease held = get(other.lease(key("a")));
        assertThat(held.state()).isEqualTo(Lease.State.HELD);
        assertThat(get(other.lease(key("b"))).state()).isEqualTo(Lease.State.TAKEN);
        assertThat(get(held.renew())).isFalse();
        held.release();
        assertThat(get(lease.renew())).isTrue();

        lease.release();

        Lease next = awaitLease(other);
        lease.release();
        assertThat(get(lease.renew())).isFalse();
        assertThat(get(next.renew())).as("not released by another").isTrue();
    }

    @Test
    void aLeaseEndsByItself() throws Exception {
        ResponseCache one =
                open(link(), new Samples.Settings().lease(Duration.ofMillis(50)).config());
        ResponseCache other = replica();
        awaitShared(one);
        assertThat(get(one.lease(key("a"))).state()).isEqualTo(Lease.State.TAKEN);

        awaitLease(other);
    }

    private Lease awaitLease(ResponseCache cache) {
        List<Lease> taken = new ArrayList<>();
        Await.until("the lease can be taken", SOON, () -> {
            Lease lease = cache.lease(key("a")).toCompletableFuture().join();
            if (lease.state() == Lease.State.TAKEN) {
                taken.add(lease);
            }
            return !taken.isEmpty();
        });
        return taken.get(0);
    }

    private RedisLink link() {
        RedisLink link = new RedisLink(redis.uri());
        opened.push(link);
        link.start();
        return link;
    }

    private ResponseCache replica() throws ConfigException {
        ResponseCache cache = open(link(), new Samples.Settings().config());
        awaitShared(cache);
        return cache;
    }

    private ResponseCache open(RedisLink link, CacheConfig config) throws ConfigException {
        ResponseCache cache = ResponseCache.open(config, link, counts);
        opened.push(cache);
        return cache;
    }

    private static void awaitShared(ResponseCache cache) {
        Await.until("in use", SOON, cache::isShared);
    }

    private static CachedAnswer answer(ResponseCache cache, CacheKey key, String text) {
        return whole(text, MODEL, cache.generation(key, MODEL), System.currentTimeMillis());
    }

    private static CachedAnswer store(ResponseCache cache, String name, String model) {
        CachedAnswer answer =
                whole("answer " + name, model, cache.generation(key(name), model), System.currentTimeMillis());
        cache.store(key(name), answer);
        return answer;
    }

    private static CachedAnswer await(ResponseCache cache, String name, String model) {
        List<CachedAnswer> found = new ArrayList<>();
        Await.until(name + " is found", SOON, () -> {
            CachedAnswer answer = cache.inRedis(key(name), Form.WHOLE, model)
                    .toCompletableFuture()
                    .join();
            if (answer != null) {
                found.add(answer);
            }
            return !found.isEmpty();
        });
        return found.get(0);
    }

    private static void awaitGone(ResponseCache cache, String name, String model) {
        Await.until(name + " is gone", SOON, () -> cache.inMemory(key(name), Form.WHOLE, model) == null);
    }

    private static byte[] name(ResponseCache cache, String name) {
        return ("drover:cache:{" + key(name) + "}:" + cache.generation(key(name), MODEL))
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] raw(RedisLink link, byte[] name) throws Exception {
        return Objects.requireNonNull(get(connection(link).commands().get(name)));
    }

    private static RedisConnection connection(RedisLink link) {
        return Objects.requireNonNull(link.connection());
    }

    private Path keyFile(int fill) throws IOException {
        byte[] key = new byte[32];
        Arrays.fill(key, (byte) fill);
        return Files.writeString(dir.resolve("key" + fill), Base64.getEncoder().encodeToString(key));
    }

    private static <T extends @Nullable Object> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
}
