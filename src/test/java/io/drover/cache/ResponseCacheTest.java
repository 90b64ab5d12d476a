package io.drover.cache;

import static io.drover.cache.Samples.MODEL;
import static io.drover.cache.Samples.OTHER_MODEL;
import static io.drover.cache.Samples.key;
import static io.drover.cache.Samples.stream;
import static io.drover.cache.Samples.whole;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.cache.CacheObserver.Eviction;
import io.drover.config.CacheConfig;
import io.drover.config.ConfigException;
import io.drover.ollama.Endpoint;
import io.drover.testing.Await;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Without Redis. */
@Timeout(60)
class ResponseCacheTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final ZoneOffset ZONE = ZoneOffset.ofHours(2);
    private static final long MINUTE = Duration.ofMinutes(1).toMillis();

    private final AtomicLong now = new AtomicLong(
            ZonedDateTime.of(2026, 3, 4, 23, 45, 0, 0, ZONE).toInstant().toEpochMilli());
    private final Samples.Counts counts = new Samples.Counts();
    private @Nullable ResponseCache opened;

    @AfterEach
    void close() {
        if (opened != null) {
            opened.close();
        }
    }

    @Test
    void whatIsStoredIsFound() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        CachedAnswer answer = whole("hello", MODEL, 0, now.get());

        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
        cache.store(key("a"), answer);

        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isSameAs(answer);
        assertThat(cache.inMemory(key("b"), Form.WHOLE, MODEL)).isNull();
        assertThat(cache.inRedis(key("a"), Form.WHOLE, MODEL).toCompletableFuture())
                .isCompletedWithValue(null);
    }

    @Test
    void anotherFormIsToldAndKeptWhereItCanBe() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        CachedAnswer answer = stream("hello", MODEL, 0, now.get());
        cache.store(key("a"), answer);

        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
        CachedAnswer found = cache.inAnotherForm(key("a"), Form.WHOLE, MODEL)
                .toCompletableFuture()
                .getNow(null);

        assertThat(found).isNotNull();
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isSameAs(found);
        assertThat(cache.inMemory(key("a"), Form.STREAM, MODEL)).isSameAs(answer);
    }

    @Test
    void anAnswerIsReadWhenItIsAskedForFirst() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        cache.store(key("a"), unread(stream("hello", MODEL, 0, now.get()), Form.STREAM, 6));

        CachedAnswer found = cache.inMemory(key("a"), Form.STREAM, MODEL);

        assertThat(found).isNotNull();
        assertThat(found.tokens()).isEqualTo(5);
        assertThat(cache.inMemory(key("a"), Form.STREAM, MODEL)).isSameAs(found);
        assertThat(cache.answers()).isEqualTo(1);
    }

    @Test
    void anotherFormIsToldOfAnAnswerThatWasNotRead() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        cache.store(key("a"), unread(stream("hello", MODEL, 0, now.get()), Form.STREAM, 6));

        CachedAnswer found = cache.inAnotherForm(key("a"), Form.WHOLE, MODEL)
                .toCompletableFuture()
                .getNow(null);

        assertThat(found).isNotNull();
        assertThat(found.form()).isEqualTo(Form.WHOLE);
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isSameAs(found);
    }

    @Test
    void anAnswerThatMustNotBeServedLeavesWhenItIsAskedFor() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        CachedAnswer stream = stream("hello", MODEL, 0, now.get());
        // The one is said to be whole, which it is not, and the other is as long as the context.
        cache.store(key("a"), unread(stream, Form.WHOLE, 6));
        cache.store(key("b"), unread(stream, Form.STREAM, 5));
        assertThat(cache.answers()).isEqualTo(2);

        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
        assertThat(cache.inAnotherForm(key("b"), Form.WHOLE, MODEL).toCompletableFuture())
                .isCompletedWithValue(null);

        assertThat(cache.answers()).isZero();
    }

    private static UnreadAnswer unread(CachedAnswer answer, Form form, long fewerTokensThan) {
        String type = ContentTypes.of(Endpoint.GENERATE, form);
        return new UnreadAnswer(Endpoint.GENERATE, form, type, answer.body(), answer.origin(), fewerTokensThan);
    }

    @Test
    void aLargeOneIsToldBesideWhoeverAsks() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        CachedAnswer answer = stream("hello".repeat(20_000), MODEL, 0, now.get());
        cache.store(key("a"), answer);

        CompletableFuture<CachedAnswer> told =
                cache.inAnotherForm(key("a"), Form.WHOLE, MODEL).toCompletableFuture();

        CachedAnswer found = told.get(10, TimeUnit.SECONDS);
        assertThat(found).isNotNull();
        assertThat(found.form()).isEqualTo(Form.WHOLE);
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isSameAs(found);
    }

    @Test
    void anAnswerIsFreshForItsTimeAndUntilMidnight() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        CachedAnswer answer = whole("today", MODEL, 0, now.get());
        assertThat(cache.isFresh(answer, now.get() + 15 * MINUTE - 1)).isTrue();
        assertThat(cache.isFresh(answer, now.get() + 15 * MINUTE)).isFalse();
        assertThat(cache.isUsableStale(answer, now.get() + 15 * MINUTE)).isTrue();

        now.addAndGet(15 * MINUTE);
        CachedAnswer next = whole("tomorrow", MODEL, 0, now.get());
        assertThat(cache.isFresh(next, now.get() + 60 * MINUTE - 1)).isTrue();
        assertThat(cache.isFresh(next, now.get() + 60 * MINUTE)).isFalse();
        assertThat(cache.isUsableStale(next, now.get() + 180 * MINUTE - 1)).isTrue();
        assertThat(cache.isUsableStale(next, now.get() + 180 * MINUTE)).isFalse();
    }

    @Test
    void oneThatWasAskedForBeforeMidnightIsNotFreshBehindIt() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        long asked = now.addAndGet(10 * MINUTE);
        now.addAndGet(4 * MINUTE);
        assertThat(cache.answeredAt(asked)).isEqualTo(now.get());

        now.addAndGet(2 * MINUTE);
        CachedAnswer yesterdays = whole("today is Wednesday", MODEL, 0, cache.answeredAt(asked));
        cache.store(key("a"), yesterdays);
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isSameAs(yesterdays);
        assertThat(cache.isFresh(yesterdays, now.get())).isFalse();
        assertThat(cache.isUsableStale(yesterdays, now.get())).isTrue();
    }

    @Test
    void anExpiredAnswerIsFoundUntilItCannotEvenBeStale() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        CachedAnswer answer = whole("old", MODEL, 0, now.get());
        cache.store(key("a"), answer);

        now.addAndGet(180 * MINUTE - 1);
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isSameAs(answer);
        now.addAndGet(1);
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();

        cache.store(key("b"), answer);
        assertThat(cache.inMemory(key("b"), Form.WHOLE, MODEL)).isNull();
        Await.until("it has left memory", SOON, () -> counts.of(Eviction.AGE) == 1);
        assertThat(cache.bytes()).isZero();
        assertThat(counts.of("AGE bytes")).isEqualTo(answer.weight() + MemoryTier.OVERHEAD);
    }

    @Test
    void aPurgeMeansWhatItNamesAndWhatIsBeingComputed() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        CachedAnswer late = whole("late", MODEL, cache.generation(key("a"), MODEL), now.get());
        for (String name : new String[] {"a", "b", "c"}) {
            cache.store(key(name), whole(name, MODEL, 0, now.get()));
            cache.store(key(name + "2"), whole(name, OTHER_MODEL, 0, now.get()));
        }

        assertThat(get(cache.purge(key("a")).toCompletableFuture())).isEqualTo(new Purged(1, false));
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
        assertThat(cache.inMemory(key("b"), Form.WHOLE, MODEL)).isNotNull();
        cache.store(key("a"), late);
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
        cache.store(key("a"), whole("new", MODEL, cache.generation(key("a"), MODEL), now.get()));
        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNotNull();

        assertThat(get(cache.purgeModel(MODEL).toCompletableFuture())).isEqualTo(new Purged(3, false));
        assertThat(cache.inMemory(key("b"), Form.WHOLE, MODEL)).isNull();
        assertThat(cache.inMemory(key("b2"), Form.WHOLE, OTHER_MODEL)).isNotNull();

        assertThat(get(cache.purgeAll().toCompletableFuture())).isEqualTo(new Purged(3, false));
        assertThat(cache.inMemory(key("b2"), Form.WHOLE, OTHER_MODEL)).isNull();
        assertThat(counts.of(Eviction.PURGE)).isEqualTo(7);
        Await.until("its room is free again", SOON, () -> cache.bytes() == 0);
    }

    @Test
    void memoryIsBoundedByBytes() throws Exception {
        long most = 256 << 10;
        ResponseCache cache = open(new Samples.Settings().memory(most).config());
        long stored = 0;
        for (int i = 0; i < 100; i++) {
            CachedAnswer answer = whole("x".repeat(10_000), MODEL, 0, now.get());
            stored += answer.weight() + MemoryTier.OVERHEAD;
            cache.store(key("a" + i), answer);
        }

        long all = stored;
        Await.until(
                "what is too much has left",
                SOON,
                () -> cache.bytes() <= most && counts.of("SIZE bytes") == all - cache.bytes());
        assertThat(cache.bytes()).isPositive();
        assertThat(counts.of(Eviction.SIZE)).isEqualTo(100 - cache.answers());
    }

    @Test
    void whatIsTooLargeIsNotKept() throws Exception {
        CachedAnswer answer = whole("x".repeat(10_000), MODEL, 0, now.get());
        ResponseCache cache =
                open(new Samples.Settings().maxEntry(answer.weight() - 1).config());

        cache.store(key("a"), answer);

        assertThat(cache.inMemory(key("a"), Form.WHOLE, MODEL)).isNull();
    }

    @Test
    void aLeaseIsOursAtOnce() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());

        Lease lease = get(cache.lease(key("a")).toCompletableFuture());

        assertThat(lease.state()).isEqualTo(Lease.State.TAKEN);
        lease.release();
        assertThat(get(lease.renew().toCompletableFuture())).isFalse();
    }

    @Test
    void aPurgeAfterTheEndHarmsNothing() throws Exception {
        ResponseCache cache = open(new Samples.Settings().config());
        cache.close();

        assertThat(get(cache.purgeAll().toCompletableFuture())).isEqualTo(new Purged(0, false));
    }

    private ResponseCache open(CacheConfig config) throws ConfigException {
        ResponseCache cache = ResponseCache.open(config, null, counts, now::get, ZONE);
        opened = cache;
        return cache;
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return Objects.requireNonNull(future.get(20, TimeUnit.SECONDS));
    }
}
