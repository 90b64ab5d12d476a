package io.drover.cache;

import io.lettuce.core.SetArgs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** Leases in Redis, one for each key. Any thread; nothing here waits. */
final class Leases {
    private static final String PREFIX = "drover:cache:lease:";

    private static final String RENEW = """
            if redis.call('GET', KEYS[1]) == ARGV[1] then
              return {redis.call('PEXPIRE', KEYS[1], ARGV[2])}
            end
            return {0}
            """;

    private static final String RELEASE = """
            if redis.call('GET', KEYS[1]) == ARGV[1] then
              return {redis.call('DEL', KEYS[1])}
            end
            return {0}
            """;

    private final GuardedLink redis;
    private final RedisScripts scripts;
    private final Executor writer;
    private final long millis;

    /**
     * @param writer of answers too, one after the other
     * @param length of a lease, above 0
     */
    Leases(GuardedLink redis, RedisScripts scripts, Executor writer, Duration length) {
        this.redis = redis;
        this.scripts = scripts;
        this.writer = writer;
        this.millis = Math.max(1, length.toMillis());
    }

    CompletionStage<Lease> take(CacheKey key) {
        String name = PREFIX + '{' + key + '}';
        String token = UUID.randomUUID().toString();
        CompletionStage<String> asked = redis.ask(commands -> commands.set(
                name.getBytes(StandardCharsets.US_ASCII),
                token.getBytes(StandardCharsets.US_ASCII),
                SetArgs.Builder.nx().px(millis)));
        if (asked == null) {
            return CompletableFuture.completedFuture(Lease.alone());
        }
        // One that failed may have arrived all the same: then it is ours, and can be released.
        return asked.handle(
                (done, failure) -> failure == null && done == null ? Lease.held() : Lease.of(new Taken(name, token)));
    }

    private final class Taken implements Lease.Term {
        private final String name;
        private final String token;

        Taken(String name, String token) {
            this.name = name;
            this.token = token;
        }

        @Override
        public CompletionStage<Boolean> renew() {
            return redis.isOpen()
                    ? run(RENEW, List.of(token, Long.toString(millis)))
                    : CompletableFuture.completedFuture(false);
        }

        /**
         * Behind the answer, so that whoever takes the lease next finds that. A Redis that is too slow to be asked is
         * told too: it has what it was told before, and would keep the lease to its end.
         */
        @Override
        public void release() {
            writer.execute(() -> run(RELEASE, List.of(token)));
        }

        private CompletionStage<Boolean> run(String script, List<String> arguments) {
            try {
                return scripts.run(script, name, arguments)
                        .handle((answer, failure) -> failure == null && answer.equals(List.of(1L)));
            } catch (RuntimeException closed) {
                return CompletableFuture.completedFuture(false);
            }
        }
    }
}
