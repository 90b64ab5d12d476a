package io.drover.health;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig;
import io.drover.tls.BackendContexts;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks each backend that answers probes for its models, on the disk and in memory, and tells it by
 * {@link Backend#onModels}. The prober's successes set the pace; a client's request for an unknown model may ask in
 * between. A listing that fails leaves the last one standing and says nothing about health.
 *
 * <p>Everything happens on one event loop; public methods may be called from any thread. Does nothing where probes are
 * off.
 */
final class ModelListings implements AutoCloseable {
    /**
     * Between the starts of two looks at one backend, at least, however many clients ask for models that nobody has.
     * A client that has just pulled a model waits so long at most for its first use.
     */
    private static final Duration GAP = Duration.ofMillis(500);

    private static final CompletionStage<Void> DONE = CompletableFuture.completedStage(null);

    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final BackendContexts tls;
    private final long gapNanos;
    private final AtomicReference<@Nullable CompletableFuture<Void>> nextOfAll = new AtomicReference<>();

    // Of the loop only.
    private final Map<Backend, ListingCycle> cycles = new HashMap<>();
    private DroverConfig config;
    private boolean closed;

    /** @param loop where backends are asked, the prober's; it stays the caller's and must outlive this */
    public ModelListings(
            DroverConfig config, EventLoop loop, Class<? extends SocketChannel> channelType, BackendContexts tls) {
        this(config, loop, channelType, tls, GAP);
    }

    ModelListings(
            DroverConfig config,
            EventLoop loop,
            Class<? extends SocketChannel> channelType,
            BackendContexts tls,
            Duration gap) {
        this.tls = tls;
        this.config = config;
        this.loop = loop;
        // The deadline of a look includes the connect.
        this.bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .disableResolver()
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0);
        this.gapNanos = gap.toNanos();
    }

    /**
     * A backend has answered a probe: looks at what it has in memory and, where that is due, on its disk; or joins the
     * look under way. On the loop only.
     */
    CompletionStage<Void> afterProbe(Backend backend) {
        return isOff() ? DONE : cycle(backend).look();
    }

    /**
     * Asks every backend that is in rotation and has ever answered a probe, not before this call and once for all
     * callers up to then. Completes when all have answered, failed or timed out, on the event loop of the probes;
     * never fails.
     */
    public CompletionStage<Void> refreshNow() {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> shared = nextOfAll.compareAndExchange(null, mine);
        if (shared != null) {
            return shared;
        }
        onLoop(mine, () -> {
            nextOfAll.set(null);
            return lookAtAll();
        });
        return mine;
    }

    /** As {@link #refreshNow()}, but asks one backend only, in rotation or not. */
    public CompletionStage<Void> refreshNow(Backend backend) {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        onLoop(mine, () -> isOff() ? DONE : cycle(backend).lookAnew());
        return mine;
    }

    /** A backend has left the herd and is probed no more: looks at it no more. */
    public void forget(Backend backend) {
        onLoop(new CompletableFuture<>(), () -> {
            ListingCycle cycle = cycles.remove(backend);
            if (cycle != null) {
                cycle.close();
            }
            return DONE;
        });
    }

    /** Asks as this says from now on. */
    void configure(DroverConfig next) {
        onLoop(new CompletableFuture<>(), () -> {
            config = next;
            cycles.values().forEach(cycle -> cycle.configure(next));
            return DONE;
        });
    }

    private boolean isOff() {
        return closed || config.health().active().interval().isZero();
    }

    /** Looks no more; whoever waits is let go. Does not wait for that. */
    @Override
    public void close() {
        onLoop(new CompletableFuture<>(), () -> {
            closed = true;
            cycles.values().forEach(ListingCycle::close);
            return DONE;
        });
    }

    private ListingCycle cycle(Backend backend) {
        return cycles.computeIfAbsent(backend, b -> new ListingCycle(b, config, loop, bootstrap, tls, gapNanos));
    }

    private CompletionStage<Void> lookAtAll() {
        long now = System.nanoTime();
        return CompletableFuture.allOf(cycles.values().stream()
                // One that hangs would make everybody wait for what its last listing tells as well.
                .filter(cycle -> cycle.backend().isUp(now))
                .map(cycle -> cycle.lookAnew().toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
    }

    private void onLoop(CompletableFuture<Void> done, Supplier<CompletionStage<Void>> action) {
        try {
            loop.execute(() -> action.get().thenRun(() -> done.complete(null)));
        } catch (RejectedExecutionException ending) {
            done.complete(null);
        }
    }
}
