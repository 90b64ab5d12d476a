package io.drover.cache;

import io.lettuce.core.RedisException;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Redis behind a breaker, for questions that a request may wait for. Any thread; nothing here waits. */
final class GuardedLink {
    private final RedisLink link;
    private final Breaker breaker;
    private final BooleanSupplier settled;
    private final CacheObserver observer;

    /** @param settled whether what Redis holds may be used */
    GuardedLink(RedisLink link, Breaker breaker, BooleanSupplier settled, CacheObserver observer) {
        this.link = link;
        this.breaker = breaker;
        this.settled = settled;
        this.observer = observer;
    }

    /** Whether a question would be sent, unless it is found just then that Redis has become slow. */
    boolean isOpen() {
        return link.isUp() && breaker.state() == Breaker.State.CLOSED && settled.getAsBoolean();
    }

    /** @return fails if Redis does; null if it is not asked */
    <T> @Nullable CompletionStage<T> ask(
            Function<RedisClusterAsyncCommands<byte[], byte[]>, CompletionStage<T>> command) {
        RedisConnection connection = link.connection();
        if (connection == null || !isOpen()) {
            return null;
        }
        long start = System.nanoTime();
        Breaker.Question question = breaker.ask(start);
        if (question == null) {
            return null;
        }
        return send(connection, command).whenComplete((answer, failure) -> {
            long end = System.nanoTime();
            breaker.onAnswer(question, failure != null, end);
            observer.onRedisAnswer(end - start);
        });
    }

    /** Of what no request waits for; fails at once where Redis is not in use. */
    <T> CompletionStage<T> tell(Function<RedisClusterAsyncCommands<byte[], byte[]>, CompletionStage<T>> command) {
        RedisConnection connection = link.connection();
        if (connection == null || !isOpen()) {
            return CompletableFuture.failedFuture(new RedisException("Redis is not in use"));
        }
        return send(connection, command);
    }

    private static <T> CompletionStage<T> send(
            RedisConnection connection,
            Function<RedisClusterAsyncCommands<byte[], byte[]>, CompletionStage<T>> command) {
        try {
            return command.apply(connection.commands());
        } catch (RuntimeException closed) {
            return CompletableFuture.failedFuture(closed);
        }
    }
}
