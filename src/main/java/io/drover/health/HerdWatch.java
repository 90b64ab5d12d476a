package io.drover.health;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig;
import io.drover.tls.BackendContexts;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import java.util.Collection;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * All that watches the backends of its own accord: where they are, whether they answer, which models they have. One that
 * has left the herd is watched until nothing runs there any more. Any thread.
 */
public final class HerdWatch implements AutoCloseable {
    private final NameResolver names = new NameResolver();
    private final ModelListings listings;
    private final HealthProber prober;
    private final Consumer<Backend> onGone;

    /**
     * @param loop where backends are asked; it stays the caller's and must outlive this
     * @param onGone is told, on the loop, of each backend that has left the herd and on which nothing runs any more
     */
    public HerdWatch(
            DroverConfig config,
            EventLoop loop,
            Class<? extends SocketChannel> channelType,
            BackendContexts tls,
            Consumer<Backend> onGone) {
        this.onGone = onGone;
        listings = new ModelListings(config, loop, channelType, tls);
        prober = new HealthProber(config, loop, channelType, tls, listings::afterProbe, this::forget);
    }

    /** Watches these too; completes, on the event loop, when each was probed once, or when probes are off. */
    public CompletionStage<Void> add(Collection<Backend> backends) {
        names.add(backends);
        return prober.add(backends);
    }

    private void forget(Backend gone) {
        listings.forget(gone);
        names.remove(gone);
        onGone.accept(gone);
    }

    /** Watches as {@code next} says, where that differs from what was said before. */
    public void configure(DroverConfig last, DroverConfig next) {
        if (!next.health().equals(last.health()) || !next.limits().equals(last.limits())) {
            listings.configure(next);
            prober.configure(next);
        }
    }

    /** Looks for models that are new: see {@link ModelListings#refreshNow()}. */
    public CompletionStage<Void> refreshModels() {
        return listings.refreshNow();
    }

    /** Watches no more. Does not wait for that. */
    @Override
    public void close() {
        prober.close();
        listings.close();
        names.close();
    }
}
