package io.drover.health;

import io.drover.backend.Backend;
import io.drover.backend.Cluster;
import io.drover.config.DroverConfig;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Asks each backend for its version every {@code health.active.interval} and tells it, by {@link Backend#onProbe}, what
 * came of that; what follows from it the backend decides. That a server answers proves only that its process lives.
 *
 * <p>Everything happens on one event loop; the methods may be called from any thread.
 */
public final class HealthProber implements AutoCloseable {
    /** How soon what time alone changes is told of, such as the end of an ejection. */
    private static final long LOOK_MILLIS = 250;

    private final Cluster cluster;
    private final EventLoop loop;
    private final List<ProbeCycle> cycles = new ArrayList<>();
    private final CompletableFuture<Void> firstRound = new CompletableFuture<>();
    private int awaited;
    private @Nullable Future<?> looks;

    /**
     * @param loop where probes run; it stays the caller's and must outlive this
     * @param listings of models, which follow each success; on the same loop
     */
    public HealthProber(
            Cluster cluster,
            DroverConfig config,
            EventLoop loop,
            Class<? extends SocketChannel> channelType,
            ModelListings listings) {
        this(cluster, config, loop, channelType, listings::afterProbe);
    }

    /** @param onAnswered is told of each success; the first round ends no sooner than what it returns */
    HealthProber(
            Cluster cluster,
            DroverConfig config,
            EventLoop loop,
            Class<? extends SocketChannel> channelType,
            Function<Backend, CompletionStage<Void>> onAnswered) {
        this.cluster = cluster;
        this.loop = loop;
        if (!config.health().active().interval().isZero()) {
            // The deadline of a probe includes the connect; a limit of Netty's own would only make two of it.
            Bootstrap bootstrap = new Bootstrap()
                    .group(loop)
                    .channel(channelType)
                    .disableResolver()
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0);
            for (Backend backend : cluster.backends()) {
                cycles.add(new ProbeCycle(backend, config, loop, bootstrap, onAnswered, this::onFirstEnd));
            }
        }
        awaited = cycles.size();
    }

    /** Starts the first probe of every backend at once; of a backend that has no address yet, as soon as it has. */
    public void start() {
        looks = loop.scheduleAtFixedRate(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        if (cycles.isEmpty()) {
            firstRound.complete(null);
        } else {
            loop.execute(() -> cycles.forEach(ProbeCycle::start));
        }
    }

    /**
     * Completes, on the event loop, when every backend was probed once and, where it answered, asked once for its
     * models; at once if probes are off. Never fails.
     */
    public CompletionStage<Void> firstRound() {
        return firstRound;
    }

    /** Probes no more; what is under way is cut off and not reported. Does not wait for that. */
    @Override
    public void close() {
        if (!loop.isShuttingDown()) {
            loop.execute(() -> {
                if (looks != null) {
                    looks.cancel(false);
                }
                cycles.forEach(ProbeCycle::close);
            });
        }
    }

    private void look() {
        long now = System.nanoTime();
        cluster.backends().forEach(backend -> backend.onTime(now));
    }

    private void onFirstEnd() {
        awaited--;
        if (awaited == 0) {
            firstRound.complete(null);
        }
    }
}
