package io.drover.health;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig;
import io.drover.tls.BackendContexts;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at the models of one backend again and again, never twice at a time. Belongs to one event loop. */
final class ListingCycle {
    private static final Logger LOG = LoggerFactory.getLogger(ListingCycle.class);

    /**
     * The disk is listed anew when its listing is older than so many probe intervals: at every third look, and at the
     * first after the backend was down or its models were changed. Hundreds of models take a millisecond to read and change by the day.
     */
    private static final double DISK_INTERVALS = 2.5;

    private final Backend backend;
    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final BackendContexts tls;
    private final long gapNanos;

    private @Nullable ListingFetch fetch;
    /** Listings come on one connection as long as it lasts: making one for each costs more than all the rest. */
    private @Nullable Channel kept;

    private CompletableFuture<Void> underWay = new CompletableFuture<>();
    private @Nullable CompletableFuture<Void> wanted;
    private @Nullable Future<?> due;
    private DroverConfig config;
    private long startedNanos;
    private long diskListedNanos;
    private boolean failing;
    private boolean closed;

    /**
     * @param bootstrap with the transport and {@code loop} set
     * @param gapNanos at least between the starts of a look and of one that a client's request asks for
     */
    ListingCycle(
            Backend backend,
            DroverConfig config,
            EventLoop loop,
            Bootstrap bootstrap,
            BackendContexts tls,
            long gapNanos) {
        this.backend = backend;
        this.config = config;
        this.loop = loop;
        this.bootstrap = bootstrap;
        this.tls = tls;
        this.gapNanos = gapNanos;
        this.startedNanos = System.nanoTime() - gapNanos;
    }

    Backend backend() {
        return backend;
    }

    /** Looks as this says from the next time on. */
    void configure(DroverConfig next) {
        config = next;
    }

    private boolean isDiskDue() {
        double intervalNanos = config.health().active().interval().toNanos();
        return !backend.isListed() || startedNanos - diskListedNanos > DISK_INTERVALS * intervalNanos;
    }

    /** Looks at once, at the disk only if that is due; or joins the look under way. */
    CompletionStage<Void> look() {
        if (fetch == null && !closed) {
            begin();
        }
        return underWay;
    }

    /**
     * Looks once more, at disk and memory, from a moment not before this call: the one under way may have passed what
     * the caller misses. All callers until then share that look.
     */
    CompletionStage<Void> lookAnew() {
        if (closed) {
            return underWay;
        }
        CompletableFuture<Void> shared = wanted;
        if (shared == null) {
            shared = new CompletableFuture<>();
            wanted = shared;
            if (fetch == null) {
                beginWhenDue();
            }
        }
        return shared;
    }

    /** Looks no more; whoever waits is let go. */
    void close() {
        closed = true;
        if (due != null) {
            due.cancel(false);
        }
        if (fetch != null) {
            fetch.cancel();
        }
        if (kept != null) {
            kept.close();
        }
        underWay.complete(null);
        if (wanted != null) {
            wanted.complete(null);
        }
    }

    /** Anybody may ask for models that do not exist; that must not become a flood of questions to the backends. */
    private void beginWhenDue() {
        long wait = gapNanos - (System.nanoTime() - startedNanos);
        if (wait <= 0) {
            begin();
        } else {
            due = loop.schedule(this::begin, wait, TimeUnit.NANOSECONDS);
        }
    }

    private void begin() {
        if (due != null) {
            due.cancel(false);
            due = null;
        }
        startedNanos = System.nanoTime();
        boolean disk = wanted != null || isDiskDue();
        underWay = wanted == null ? new CompletableFuture<>() : wanted;
        wanted = null;
        InetSocketAddress address = backend.address();
        if (address == null) {
            onEnd("name not resolved");
        } else {
            fetch = new ListingFetch(
                    backend,
                    config.limits(),
                    bootstrap,
                    tls,
                    address,
                    ListingFetch.requests(backend),
                    kept,
                    this::onEnd);
            kept = null;
            fetch.start(loop, disk, config.health().active().timeout().toNanos());
        }
    }

    private void onEnd(@Nullable String failure) {
        if (fetch != null) {
            diskListedNanos = fetch.isDiskListed() ? startedNanos : diskListedNanos;
            kept = fetch.kept();
        }
        fetch = null;
        if (failure != null && !failing) {
            LOG.warn("models of backend {} not listed: {}; its last listing remains", backend.name(), failure);
        } else if (failure == null && failing) {
            LOG.info("models of backend {} are listed again", backend.name());
        }
        failing = failure != null;
        CompletableFuture<Void> ended = underWay;
        if (wanted != null) {
            beginWhenDue();
        }
        ended.complete(null);
    }
}
