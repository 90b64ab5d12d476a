package io.drover.cache;

import io.lettuce.core.SetArgs;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Answers in Redis, where all replicas find them. Any thread; nothing here waits. */
final class RedisTier {
    private static final String PREFIX = "drover:cache:";

    private final GuardedLink redis;
    private final Seal seal;
    private final CacheObserver observer;
    private final Executor writer;
    private final long mostWriting;
    private final AtomicLong writing = new AtomicLong();

    /**
     * @param writer where answers are made ready for Redis: encrypting a large one takes longer than a loop has
     * @param mostWriting bytes of answers on their way
     */
    RedisTier(GuardedLink redis, Seal seal, CacheObserver observer, Executor writer, long mostWriting) {
        this.redis = redis;
        this.seal = seal;
        this.observer = observer;
        this.writer = writer;
        this.mostWriting = mostWriting;
    }

    private static byte[] name(CacheKey key, long generation) {
        return (PREFIX + '{' + key + "}:" + generation).getBytes(StandardCharsets.US_ASCII);
    }

    /** @return never fails: null stands for all that is no answer. Completes on a thread of Redis' */
    CompletionStage<@Nullable CachedAnswer> find(CacheKey key, long generation) {
        byte[] name = name(key, generation);
        CompletionStage<byte[]> asked = redis.ask(commands -> commands.get(name));
        if (asked == null) {
            return CompletableFuture.completedFuture(null);
        }
        return asked.handle(
                (value, failure) -> failure == null && value == null ? null : read(name, value, generation));
    /** With braces, so that all of a key, its lease too, is on one server of a cluster. */
    }

    private @Nullable CachedAnswer read(byte[] name, byte @Nullable [] value, long generation) {
        byte[] open = value == null ? null : seal.open(name, value);
        CachedAnswer answer = open == null ? null : CachedAnswer.fromBytes(open);
        if (answer == null || answer.origin().generation() != generation) {
            observer.onReadFailed();
            return null;
        }
        return answer;
    }

    /** Behind the caller's back; what is too much, or fails, is counted. */
    void put(CacheKey key, CachedAnswer answer, long keptMillis) {
        if (!redis.isOpen()) {
            return;
        }
        int bytes = answer.weight();
        if (writing.addAndGet(bytes) > mostWriting) {
            writing.addAndGet(-bytes);
            observer.onWriteDropped();
            return;
        }
        CompletableFuture.supplyAsync(() -> write(key, answer, keptMillis), writer)
                .thenCompose(sent -> sent)
                .whenComplete((done, failure) -> {
                    writing.addAndGet(-bytes);
                    if (failure != null) {
                        observer.onWriteDropped();
                    }
                });
    }

    private CompletionStage<String> write(CacheKey key, CachedAnswer answer, long keptMillis) {
        byte[] name = name(key, answer.origin().generation());
        byte[] value = seal.close(name, answer.toBytes());
        return redis.tell(commands -> commands.set(name, value, SetArgs.Builder.px(keptMillis)));
    }

    /** Bytes of answers on their way to Redis. */
    long writing() {
        return writing.get();
    }
}
