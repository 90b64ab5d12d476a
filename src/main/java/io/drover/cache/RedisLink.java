package io.drover.cache;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import io.netty.resolver.DefaultAddressResolverGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to Redis, kept up or being restored for as long as the process lives. Nothing waits for Redis: while it
 * is away commands fail at once, and so does every command that gets no answer within a second.
 *
 * <p>A PING every second tells whether Redis is up; changes are logged, once each. The methods may be called from any
 * thread; {@link #isUp} costs a volatile read.
 */
public final class RedisLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisLink.class);

    private static final Duration PING_INTERVAL = Duration.ofSeconds(1);
    private static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(1);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

    /** Most commands that wait to be sent or answered; more fail at once. */
    private static final int REQUEST_QUEUE = 4096;

    /**
     * PINGs in a row without an answer after which the connection is made anew: TCP alone would take a quarter of an
     * hour to notice that the host is gone without a word.
     */
    private static final int STALE_PINGS = 3;

    private final ClientResources resources;
    private final RedisSource source;
    private final String where;

    private final CompletableFuture<Void> tried = new CompletableFuture<>();
    private final AtomicInteger connections = new AtomicInteger();
    private volatile boolean up;
    private volatile boolean closed;
    private volatile @Nullable RedisConnection connection;

    private final List<CheckListener> listeners = new CopyOnWriteArrayList<>();

    // One check runs at a time; each starts the next.
    private volatile boolean told;
    private volatile int unanswered;

    /** Hears how each check has ended; must be quick. */
    interface CheckListener {
        /** @param nanos that the answer took; of no meaning where it failed */
        void onCheck(boolean failed, long nanos);
    }

    /**
     * Connects nowhere yet.
     *
     * @param uri {@code redis.uri}; its time-out, if it has one, does not count
     * @throws IllegalArgumentException if it is no Redis URI; the message does not contain it, since it may hold a
     *     password
     */
    public RedisLink(String uri) {
        List<RedisURI> uris = RedisSource.parse(uri);
        uris.forEach(one -> one.setTimeout(COMMAND_TIMEOUT));
        where = RedisSource.text(uris);
        resources = ClientResources.builder()
                // The least that Lettuce takes.
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                // The JDK's look-up, as for backends: /etc/hosts and the name service switch count. It may block these
                // threads, which serve nothing else.
                .addressResolverGroup(DefaultAddressResolverGroup.INSTANCE)
                .commandLatencyRecorder(CommandLatencyRecorder.disabled())
                .reconnectDelay(
                        Delay.equalJitter(Duration.ofMillis(50), Duration.ofSeconds(1), 50, TimeUnit.MILLISECONDS))
                .build();
        source = RedisSource.of(uris, resources, options(), connections::incrementAndGet);
    }

    private static ClientOptions options() {
        return ClientOptions.builder()
                .autoReconnect(true)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .requestQueueSize(REQUEST_QUEUE)
                .timeoutOptions(TimeoutOptions.enabled(COMMAND_TIMEOUT))
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(CONNECT_TIMEOUT)
                        // The PINGs do better; and Lettuce sets io_uring's keep-alive options on epoll's sockets too,
                        // with a warning for each.
                        .keepAlive(false)
                        .build())
                // Push messages of hosted Redis about its own maintenance; others refuse the command.
                .maintNotificationsConfig(MaintNotificationsConfig.disabled())
                .build();
    }

    /** Starts to connect; completes normally when the first try has ended, however it did. */
    public CompletionStage<Void> start() {
        resources.eventExecutorGroup().execute(this::check);
        return tried;
    }

    /** Connections made so far: behind a new one there may be another Redis, or one that has lost something. */
    public int connections() {
        return connections.get();
    }

    /** Whether Redis answered the last PING, which was a second or two ago. */
    public boolean isUp() {
        return up;
    }

    /** The connection, which may be broken; null where there is none yet. */
    @Nullable
    RedisConnection connection() {
        return connection;
    }

    void addListener(CheckListener listener) {
        listeners.add(listener);
    }

    void removeListener(CheckListener listener) {
        listeners.remove(listener);
    }

    /**
     * Listens to a channel, over a connection of its own that is restored by itself; what is said meanwhile is not heard.
     *
     * @param heard called at each message, on a thread of Redis'; must be quick
     */
    CompletionStage<StatefulConnection<?, ?>> subscribe(String channel, Runnable heard) {
        return source.subscribe(channel, heard);
    }

    /** Lets go of Redis; takes two seconds at most. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        up = false;
        long half = CLOSE_TIMEOUT.toMillis() / 2;
        await(source.shutdown(half), half);
        await(resources.shutdown(0, half, TimeUnit.MILLISECONDS), half);
    }

    private static void await(Future<?> future, long millis) {
        try {
            future.get(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException late) {
            LOG.debug("Redis connection not closed in time", late);
        }
    }

    private void check() {
        EventExecutorGroup executor = resources.eventExecutorGroup();
        CompletableFuture.supplyAsync(this::connected, executor)
                .thenCompose(Function.identity())
                .thenCompose(RedisLink::ping)
                .whenComplete((nanos, failure) -> {
                    onAnswer(failure);
                    listeners.forEach(one -> one.onCheck(failure != null, failure == null ? nanos : 0));
                    tried.complete(null);
                    if (!closed) {
                        executor.schedule(this::check, PING_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
                    }
                });
    }

    /** How long it takes. */
    private static CompletionStage<Long> ping(RedisConnection current) {
        long start = System.nanoTime();
        return current.commands().ping().thenApply(pong -> System.nanoTime() - start);
    }

    private CompletionStage<RedisConnection> connected() {
        RedisConnection current = connection;
        if (current != null && unanswered < STALE_PINGS) {
            return CompletableFuture.completedFuture(current);
        }
        connection = null;
        unanswered = 0;
        if (current != null) {
            current.stateful().closeAsync();
        }
        return source.connect().thenApply(fresh -> {
            connection = fresh;
            return fresh;
        });
    }

    private void onAnswer(@Nullable Throwable failure) {
        if (closed) {
            return;
        }
        boolean before = up;
        up = failure == null;
        unanswered = failure == null ? 0 : unanswered + 1;
        if (told && before == up) {
            return;
        }
        told = true;
        if (failure == null) {
            LOG.info("Redis at {} is up", where);
        } else {
            LOG.warn("Redis at {} is down: {}", where, rootOf(failure).getMessage());
        }
    }

    private static Throwable rootOf(Throwable failure) {
        Throwable root = failure;
        for (Throwable cause = root.getCause(); cause != null && cause != root; cause = root.getCause()) {
            root = cause;
        }
        return root;
    }
}
