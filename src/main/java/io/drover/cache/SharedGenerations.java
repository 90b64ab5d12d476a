package io.drover.cache;

import io.lettuce.core.RedisCommandExecutionException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The generations that replicas have in common, in a hash in Redis. Until they are known, and while a purge of ours is not
 * known there, nothing may be read from Redis or written to it: a process that has just started, or was cut off, does not
 * know which of the entries there have been purged.
 *
 * <p>Any thread; nothing here waits. One round is under way at a time.
 */
final class SharedGenerations {
    private static final Logger LOG = LoggerFactory.getLogger(SharedGenerations.class);

    static final String REDIS_KEY = "drover:cache:generations";

    /** Whoever hears anything here reads the hash. */
    static final String CHANNEL = "drover:cache:purges";

    /**
     * Takes what is larger, raises what is purged above everything, and tells.
     *
     * <p>The counter of everything is never missing: who comes without knowledge and finds none begins with the time, so
     * that entries that have outlived a lost hash stay out of sight.
     *
     * <p>Arguments: the time; 1 of who knows nothing; most counters; the channel; how many counters follow, each with its
     * value; what is purged.
     */
    private static final String SCRIPT = """
            local function at(field)
              return tonumber(redis.call('HGET', KEYS[1], field)) or 0
            end
            local function set(field, value)
              redis.call('HSET', KEYS[1], field, string.format('%.0f', value))
            end
            local function largest()
              local most = 0
              for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
                most = math.max(most, tonumber(value) or 0)
              end
              return most
            end
            local now = tonumber(ARGV[1])
            if ARGV[2] == '1' and at('*') == 0 then
              set('*', now)
            end
            local purged = 6 + 2 * tonumber(ARGV[5])
            for i = 6, purged - 1, 2 do
              local value = tonumber(ARGV[i + 1])
              if value > at('*') and value > at(ARGV[i]) then
                set(ARGV[i], value)
              end
            end
            local next = math.max(now, largest() + 1)
            for i = purged, #ARGV do
              set(ARGV[i], next)
            end
            if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) then
              set('*', largest() + 1)
            end
            local all = at('*')
            for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
              if field ~= '*' and at(field) <= all then
                redis.call('HDEL', KEYS[1], field)
              end
            end
            if #ARGV >= purged then
              redis.call('PUBLISH', ARGV[4], '')
            end
            return {all}
            """;

    private final Generations own;
    private final RedisLink link;
    private final RedisScripts scripts;
    private final RedisHash hash;
    private final LongSupplier wallMillis;
    private final Runnable onRaised;

    /** Of the link's connections, the one over which all was last known; below zero before the first. */
    private volatile int settled = -1;

    // Of the one round that is under way.
    private boolean behind;
    private volatile boolean failed;

    // Guarded by this.
    private boolean running;
    private @Nullable CompletableFuture<Boolean> next;

    /** @param onRaised called when others have purged; must be quick */
    SharedGenerations(Generations own, RedisLink link, LongSupplier wallMillis, Runnable onRaised) {
        this.own = own;
        this.link = link;
        this.scripts = new RedisScripts(link);
        this.hash = new RedisHash(link, REDIS_KEY);
        this.wallMillis = wallMillis;
        this.onRaised = onRaised;
    }

    /** Whether what Redis holds may be used. */
    boolean isSettled() {
        return settled == link.connections() && own.untold().isEmpty();
    }

    /**
     * Learns what others have purged, and tells what was purged here before this call.
     *
     * @return never fails; tells whether it is done. Takes seconds at most
     */
    CompletionStage<Boolean> settle() {
        CompletableFuture<Boolean> round;
        synchronized (this) {
            if (next != null) {
                return next;
            }
            round = new CompletableFuture<>();
            if (running) {
                next = round;
                return round;
            }
            running = true;
        }
        begin(round);
        return round;
    }

    private void begin(CompletableFuture<Boolean> round) {
        round().whenComplete((done, failure) -> {
            CompletableFuture<Boolean> following;
            synchronized (this) {
                following = next;
                next = null;
                running = following != null;
            }
            if (failure != null) {
                tell(failure);
            }
            round.complete(failure == null);
            if (following != null) {
                begin(following);
            }
        });
    }

    private CompletionStage<Void> round() {
        int connections = link.connections();
        Map<String, Long> purged = own.untold();
        boolean toTell = behind || connections != settled || !purged.isEmpty();
        CompletionStage<?> told = toTell
                ? scripts.run(SCRIPT, REDIS_KEY, arguments(purged))
                : CompletableFuture.completedStage(List.of());
        return told.thenCompose(done -> hash.all()).thenAccept(read -> {
            Map<String, Long> theirs = numbers(read);
            boolean raised = own.merge(theirs);
            own.onTold(purged);
            behind = !own.areKnownTo(theirs);
            settled = connections;
            failed = false;
            if (behind && !toTell) {
                // It has lost something.
                settle();
            }
            if (raised) {
                onRaised.run();
            }
        });
    }

    private List<String> arguments(Map<String, Long> purged) {
        Map<String, Long> known = own.all();
        List<String> arguments = new ArrayList<>();
        arguments.add(Long.toString(wallMillis.getAsLong()));
        arguments.add(settled < 0 ? "1" : "0");
        arguments.add(Integer.toString(Generations.MOST));
        arguments.add(CHANNEL);
        arguments.add(Integer.toString(known.size()));
        known.forEach((field, value) -> arguments.addAll(List.of(field, Long.toString(value))));
        arguments.addAll(purged.keySet());
        return arguments;
    }

    private static Map<String, Long> numbers(Map<String, String> read) {
        Map<String, Long> numbers = new HashMap<>();
        read.forEach((field, value) -> {
            try {
                numbers.put(field, Long.parseLong(value));
            } catch (NumberFormatException notOurs) {
                LOG.debug("{} {}: \"{}\" (expected: a number)", REDIS_KEY, field, value);
            }
        });
        return numbers;
    }

    private void tell(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        // That Redis is away is told by its link.
        if (!failed && cause instanceof RedisCommandExecutionException) {
            failed = true;
            LOG.warn("{}, so that no answers are kept in Redis: {}", REDIS_KEY, cause.getMessage());
        }
    }
}
