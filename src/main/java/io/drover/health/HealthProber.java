package io.drover.health;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig;
import io.drover.tls.BackendContexts;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Asks each backend for its version every {@code health.active.interval} and tells it, by {@link Backend#onProbe}, what
 * came of that; what follows from it the backend decides. That a server answers proves only that its process lives. One
 * that has left the herd is probed until nothing runs there any more.
 *
 * <p>Everything happens on one event loop; the methods may be called from any thread.
 */
final class HealthProber implements AutoCloseable {
    /** How soon what time alone changes is told of, such as the end of an ejection. */
    private static final long LOOK_MILLIS = 250;

    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final BackendContexts tls;
    private final Function<Backend, CompletionStage<Void>> onAnswered;
    private final Consumer<Backend> onGone;

    // Of the loop only.
    private final Map<Backend, ProbeCycle> cycles = new LinkedHashMap<>();
    private DroverConfig config;
    private @Nullable Future<?> looks;
    private boolean closed;

    /**
     * @param loop where probes run; it stays the caller's and must outlive this
     * @param onAnswered is told of each success; a backend's first round ends no sooner than what it returns
     * @param onGone is told of each backend that has left the herd and on which nothing runs any more
     */
    HealthProber(
            DroverConfig config,
            EventLoop loop,
            Class<? extends SocketChannel> channelType,
            BackendContexts tls,
            Function<Backend, CompletionStage<Void>> onAnswered,
            Consumer<Backend> onGone) {
        this.config = config;
        this.loop = loop;
        this.tls = tls;
        this.onAnswered = onAnswered;
        this.onGone = onGone;
        // The deadline of a probe includes the connect; a limit of Netty's own would only make two of it.
        this.bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .disableResolver()
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0);
    }

    /**
     * Starts the first probe of each of these at once; of a backend that has no address yet, as soon as it has.
     *
     * @return completes, on the event loop, when each was probed once and, where it answered, asked once for its models;
     *     at once if probes are off. Never fails
     */
    CompletionStage<Void> add(Collection<Backend> backends) {
        List<Backend> added = List.copyOf(backends);
        CompletableFuture<Void> probed = new CompletableFuture<>();
        loop.execute(() -> {
            if (looks == null && !closed) {
                looks = loop.scheduleAtFixedRate(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
            }
            begin(added).thenRun(() -> probed.complete(null));
        });
        return probed;
    }

    /** Probes as this says from now on, everything at once. */
    void configure(DroverConfig next) {
        loop.execute(() -> {
            config = next;
            List<Backend> all = List.copyOf(cycles.keySet());
            cycles.values().forEach(ProbeCycle::close);
            cycles.clear();
            begin(all);
        });
    }

    /** Probes no more; what is under way is cut off and not reported. Does not wait for that. */
    @Override
    public void close() {
        if (!loop.isShuttingDown()) {
            loop.execute(() -> {
                closed = true;
                if (looks != null) {
                    looks.cancel(false);
                }
                cycles.values().forEach(ProbeCycle::close);
                cycles.clear();
            });
        }
    }

    private CompletableFuture<Void> begin(List<Backend> backends) {
        if (closed) {
            return CompletableFuture.completedFuture(null);
        }
        return CompletableFuture.allOf(backends.stream()
                .map(backend -> {
                    ProbeCycle cycle = new ProbeCycle(backend, config, loop, bootstrap, tls, onAnswered);
                    cycles.put(backend, cycle);
                    return cycle.begin();
                })
                .toArray(CompletableFuture<?>[]::new));
    }

    private void look() {
        long now = System.nanoTime();
        for (Iterator<ProbeCycle> each = cycles.values().iterator(); each.hasNext(); ) {
            ProbeCycle cycle = each.next();
            Backend backend = cycle.backend();
            backend.onTime(now);
            cycle.onTime();
            // One that has left is probed as long as something runs there: should it die, that must not wait for it.
            if (backend.isRetired() && backend.inFlight() == 0) {
                cycle.close();
                each.remove();
                onGone.accept(backend);
            }
        }
    }
}
