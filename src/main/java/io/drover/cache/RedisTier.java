package io.drover.cache;

import io.lettuce.core.KeyValue;
import io.lettuce.core.SetArgs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Answers in Redis, where all replicas find them. Any thread; nothing here waits. */
final class RedisTier {
    /** Keys of one command: Redis serves nobody else while it answers. */
    static final int MOST_AT_ONCE = 64;

    private static final String PREFIX = "drover:cache:";

    private final GuardedLink redis;
    private final Seal seal;
    private final CacheObserver observer;
    private final Executor writer;
    private final long mostWriting;
    private final long budgetNanos;
    private final AtomicLong writing = new AtomicLong();

    /**
     * @param writer where answers are made ready for Redis: encrypting a large one takes longer than a loop has
     * @param mostWriting bytes of answers on their way
     * @param budget nobody waits longer for a look-up
     */
    RedisTier(
            GuardedLink redis, Seal seal, CacheObserver observer, Executor writer, long mostWriting, Duration budget) {
        this.redis = redis;
        this.seal = seal;
        this.observer = observer;
        this.writer = writer;
        this.mostWriting = mostWriting;
        this.budgetNanos = budget.toNanos();
    }

    /** With braces, so that all of a key, its lease too, is on one server of a cluster. */
    private static byte[] name(CacheKey key, long generation) {
        return (PREFIX + '{' + key + "}:" + generation).getBytes(StandardCharsets.US_ASCII);
    }

    /** @return never fails: null stands for all that is no answer. Completes on a thread of Redis' */
    CompletionStage<@Nullable CachedAnswer> find(CacheKey key, long generation) {
        byte[] name = name(key, generation);
        long start = System.nanoTime();
        CompletionStage<byte[]> asked = redis.ask(commands -> commands.get(name));
        if (asked == null) {
            return CompletableFuture.completedFuture(null);
        }
        return asked.handle((value, failure) -> {
            boolean late = isLate(start);
            CachedAnswer answer = value == null ? null : read(name, value, generation);
            if (late || failure != null || (value != null && answer == null)) {
                observer.onReadFailed();
            }
            return answer;
        });
    }

    /**
     * Looks for several at once, at most {@link #MOST_AT_ONCE}.
     *
     * @param then gets each that is found, on a thread of Redis'
     * @return never fails
     */
    CompletionStage<Void> find(
            List<CacheKey> keys, ToLongFunction<CacheKey> generation, BiConsumer<CacheKey, CachedAnswer> then) {
        long[] generations = keys.stream().mapToLong(generation).toArray();
        byte[][] names = new byte[generations.length][];
        Arrays.setAll(names, i -> name(keys.get(i), generations[i]));
        long start = System.nanoTime();
        CompletionStage<List<KeyValue<byte[], byte[]>>> asked = redis.ask(commands -> commands.mget(names));
        if (asked == null) {
            return CompletableFuture.completedFuture(null);
        }
        return asked.handle((values, failure) -> {
            boolean failed = failure != null || isLate(start);
            for (int i = 0; failure == null && i < names.length; i++) {
                byte[] value = values.get(i).getValueOrElse(null);
                CachedAnswer answer = value == null ? null : read(names[i], value, generations[i]);
                failed |= value != null && answer == null;
                if (answer != null) {
                    then.accept(keys.get(i), answer);
                }
            }
            if (failed) {
                observer.onReadFailed();
            }
            return null;
        });
    }

    private boolean isLate(long startNanos) {
        return System.nanoTime() - startNanos > budgetNanos;
    }

    private @Nullable CachedAnswer read(byte[] name, byte[] value, long generation) {
        byte[] open = seal.open(name, value);
        CachedAnswer answer = open == null ? null : CachedAnswer.fromBytes(open);
        return answer == null || answer.origin().generation() != generation ? null : answer;
    }

    /**
     * Behind the caller's back; what is too much, or fails, is counted.
     *
     * @param reading reads the answer, on the writer's thread; null: it must not be kept
     */
    void put(CacheKey key, KeptAnswer answer, Supplier<@Nullable CachedAnswer> reading, long keptMillis) {
        if (!redis.isOpen()) {
            return;
        }
        int bytes = answer.weight();
        if (writing.addAndGet(bytes) > mostWriting) {
            writing.addAndGet(-bytes);
            observer.onWriteDropped();
            return;
        }
        CompletableFuture.supplyAsync(() -> write(key, reading.get(), keptMillis), writer)
                .thenCompose(sent -> sent)
                .whenComplete((done, failure) -> {
                    writing.addAndGet(-bytes);
                    if (failure != null) {
                        observer.onWriteDropped();
                    }
                });
    }

    private CompletionStage<?> write(CacheKey key, @Nullable CachedAnswer answer, long keptMillis) {
        if (answer == null) {
            return CompletableFuture.completedFuture(null);
        }
        byte[] name = name(key, answer.origin().generation());
        byte[] value = seal.close(name, answer.toBytes());
        return redis.tell(commands -> commands.set(name, value, SetArgs.Builder.px(keptMillis)));
    }

    /** Bytes of answers on their way to Redis. */
    long writing() {
        return writing.get();
    }
}
