package io.drover.health;

import io.drover.backend.Backend;
import io.drover.backend.BackendState;
import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.ActiveHealth;
import io.drover.tls.BackendContexts;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Probes one backend again and again, never twice at a time. Belongs to one event loop. */
final class ProbeCycle {
    /** How far an interval may be off, so that many backends and many Drovers do not probe in step. */
    private static final double JITTER = 0.1;

    private static final long NAME_CHECK_MILLIS = 10;

    /** An interval has so many moments at which probes begin. */
    private static final int SLOTS = 10;

    /** A backend that is suspect or ejected is probed so many times as often: either way it is soon known. */
    private static final int HASTE = 5;

    private final Backend backend;
    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final BackendContexts tls;
    private final DroverConfig.Limits limits;
    private final Function<Backend, CompletionStage<Void>> onAnswered;
    private final CompletableFuture<Void> firstEnd = new CompletableFuture<>();
    private final long intervalNanos;
    private final long timeoutNanos;

    private long startedNanos;
    private boolean first = true;
    private boolean hurried;
    private @Nullable Future<?> next;
    private @Nullable Probe probe;

    /**
     * @param bootstrap with the transport and {@code loop} set
     * @param onAnswered is told of each success; what it returns delays nothing but the end of {@link #begin}
     */
    ProbeCycle(
            Backend backend,
            DroverConfig config,
            EventLoop loop,
            Bootstrap bootstrap,
            BackendContexts tls,
            Function<Backend, CompletionStage<Void>> onAnswered) {
        ActiveHealth active = config.health().active();
        this.backend = backend;
        this.loop = loop;
        this.bootstrap = bootstrap;
        this.tls = tls;
        this.limits = config.limits();
        this.onAnswered = onAnswered;
        this.intervalNanos = active.interval().toNanos();
        this.timeoutNanos = active.timeout().toNanos();
    }

    Backend backend() {
        return backend;
    }

    /** Probes at once, and from now on; not at all if probes are off. Completes with the first one, or the end. */
    CompletableFuture<Void> begin() {
        if (intervalNanos == 0) {
            firstEnd.complete(null);
        } else {
            start();
        }
        return firstEnd;
    }

    /**
     * Time has passed. One that was ejected since is probed at once: if it has ended, probes see it, and will see it come
     * back.
     */
    void onTime() {
        boolean hurries = isHurried();
        if (hurries && !hurried && probe == null && next != null && intervalNanos > 0 && next.cancel(false)) {
            start();
        }
        hurried = hurries;
    }

    private boolean isHurried() {
        BackendState state = backend.state(System.nanoTime());
        return state == BackendState.SUSPECT || state == BackendState.EJECTED;
    }

    private void start() {
        startedNanos = System.nanoTime();
        attempt();
    }

    void close() {
        if (next != null) {
            next.cancel(false);
        }
        if (probe != null) {
            probe.cancel();
        }
        firstEnd.complete(null);
    }

    /** Somewhat later, so that it begins together with others: to wake up for each costs more than to probe. */
    private long together(long delayNanos) {
        long slot = Math.max(1, intervalNanos / SLOTS);
        long dueNanos = System.nanoTime() + delayNanos;
        return delayNanos + slot - Math.floorMod(dueNanos, slot);
    }

    private void attempt() {
        InetSocketAddress address = backend.address();
        if (address != null) {
            probe = new Probe(backend, ProbeRequest.closing(backend, "/api/version"), limits, this::onEnd);
            probe.start(bootstrap, tls, loop, address, timeoutNanos);
        } else if (first && !backend.isLookupFailed() && System.nanoTime() - startedNanos < timeoutNanos) {
            // The very first result decides at once, and the first look-up may well be under way still.
            next = loop.schedule(this::attempt, NAME_CHECK_MILLIS, TimeUnit.MILLISECONDS);
        } else {
            backend.onProbe(false, "name not resolved", System.nanoTime());
            onEnd();
        }
    }

    private void onEnd() {
        boolean answered = probe != null && probe.isAnswered();
        probe = null;
        double jitter = 1 + JITTER * (2 * ThreadLocalRandom.current().nextDouble() - 1);
        long sinceStart = System.nanoTime() - startedNanos;
        hurried = isHurried();
        long interval = hurried ? intervalNanos / HASTE : intervalNanos;
        long delay = together(Math.max(0, (long) (interval * jitter) - sinceStart));
        next = loop.schedule(this::start, delay, TimeUnit.NANOSECONDS);
        CompletionStage<Void> followed = answered ? onAnswered.apply(backend) : CompletableFuture.completedStage(null);
        if (first) {
            first = false;
            followed.thenRun(() -> firstEnd.complete(null));
        }
    }
}
