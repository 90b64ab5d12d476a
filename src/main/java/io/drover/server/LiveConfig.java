package io.drover.server;

import io.drover.backend.Backend;
import io.drover.backend.Cluster;
import io.drover.backend.Membership;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DiscoveryName;
import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import io.drover.config.LoadedConfig;
import io.drover.health.Discovery;
import io.drover.health.DiscoveryListener;
import io.drover.health.Found;
import io.drover.health.HerdWatch;
import io.drover.metrics.Metrics;
import io.drover.proxy.ProxyContext;
import io.drover.tls.BackendContexts;
import io.drover.tls.ServerTls;
import io.netty.channel.EventLoop;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The configuration that runs, and how it changes: by a reload, and by what discovery finds. One change at a time, on a
 * thread of its own, since reading a file blocks and new backends are probed before anything is sent to them.
 */
final class LiveConfig implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveConfig.class);

    /** A first round is a probe and a look at the models, each within {@code health.active.timeout}. */
    private static final int ROUND_TIMEOUTS = 3;

    private final ConfigSource source;
    private final Membership members;
    private final ProxyContext proxy;
    private final Credentials credentials;
    private final BackendContexts backendTls;
    private final HerdWatch watch;
    private final EventLoop loop;
    private final Metrics metrics;
    private final Runnable onReload;
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(new DefaultThreadFactory("drover-config", true));
    private final CompletableFuture<Void> firstFound = new CompletableFuture<>();

    // Of the thread only, once it is started.
    private DroverConfig running;
    private List<BackendConfig> found = List.of();
    private volatile @Nullable Discovery discovery;

    /**
     * What a reload has changed.
     *
     * @param restartKeys keys that were changed too, and that only a restart can change
     * @param warnings of the configuration that was read
     */
    record Reloaded(List<String> added, List<String> removed, List<String> restartKeys, List<String> warnings) {}

    /**
     * @param members with the running configuration's backends
     * @param credentials of the running configuration; reloads change them
     * @param loop one of NIO, for discovery
     * @param onReload tells the event loops that the proxy's settings have changed
     */
    LiveConfig(
            ConfigSource source,
            DroverConfig running,
            Membership members,
            ProxyContext proxy,
            Credentials credentials,
            BackendContexts backendTls,
            HerdWatch watch,
            EventLoop loop,
            Metrics metrics,
            Runnable onReload) {
        this.source = source;
        this.running = running;
        this.members = members;
        this.proxy = proxy;
        this.credentials = credentials;
        this.backendTls = backendTls;
        this.watch = watch;
        this.loop = loop;
        this.metrics = metrics;
        this.onReload = onReload;
    }

    /** Starts discovery, where it is configured; completes when what it found first is in the herd. */
    CompletionStage<Void> start() {
        discover();
        return firstFound;
    }

    /**
     * Reads the configuration again and applies it. Completes on a thread of its own; fails with a
     * {@link ConfigException}, which is logged too, if what was read is invalid: nothing has changed then.
     */
    CompletionStage<Reloaded> reload() {
        try {
            return CompletableFuture.supplyAsync(this::readAndApply, thread);
        } catch (RejectedExecutionException ending) {
            return CompletableFuture.failedStage(ending);
        }
    }

    /** No further change. Does not wait for one under way. */
    @Override
    public void close() {
        Discovery last = discovery;
        if (last != null) {
            last.close();
        }
        thread.shutdownNow();
    }

    private Reloaded readAndApply() {
        try {
            return loadAndFollow();
        } catch (RuntimeException fault) {
            if (!(fault instanceof CompletionException)) {
                LOG.error("reload fails by a fault of ours", fault);
            }
            metrics.onReload(false);
            throw fault;
        }
    }

    private Reloaded loadAndFollow() {
        LoadedConfig loaded;
        ServerTls serverTls;
        try {
            loaded = ConfigLoader.reload(source, running);
            serverTls = serverTls(loaded.config());
            credentials.configure(loaded.config().auth());
        } catch (ConfigException invalid) {
            LOG.error("reload: nothing changes, since the configuration is invalid:\n{}", invalid.getMessage());
            throw new CompletionException(invalid);
        }
        loaded.warnings().forEach(warning -> LOG.warn("{}", warning));
        Membership.Change change = follow(loaded.config(), serverTls);
        metrics.onReload(true);
        LOG.info("the configuration was reloaded");
        if (!loaded.restartKeys().isEmpty()) {
            LOG.warn(
                    "changed in the configuration, but only by a restart: {}", String.join(", ", loaded.restartKeys()));
        }
        return new Reloaded(
                names(change.added()),
                names(change.removed()),
                loaded.restartKeys(),
                loaded.warnings().stream().map(Object::toString).toList());
    }

    /** Sessions are resumed only as long as nothing has changed. */
    private @Nullable ServerTls serverTls(DroverConfig next) throws ConfigException {
        return next.tls().equals(running.tls())
                ? proxy.serverTls()
                : ServerTls.of(next.tls()).orElse(null);
    }

    private Membership.Change follow(DroverConfig next, @Nullable ServerTls serverTls) {
        boolean rediscover = !next.discovery().equals(running.discovery());
        if (next.discovery().dns().isEmpty()) {
            found = List.of();
        } else if (next.backends().isEmpty() && found.isEmpty()) {
            // Until somebody is found those serve that did so far.
            found = proxy.cluster().backends().stream().map(Backend::config).toList();
        }
        Membership.Change change = apply(next, serverTls);
        if (rediscover) {
            discover();
        }
        return change;
    }

    private Membership.Change apply(DroverConfig next, @Nullable ServerTls serverTls) {
        backendTls.prepare(next.backends());
        // First, and in force before the herd changes: should probes be off from now on, none may come after that.
        watch.configure(running, next);
        Membership.Change change = members.plan(wanted(next), next.health());
        await(watch.add(change.added()), next);
        Cluster cluster = members.apply(change, System.nanoTime());
        proxy.apply(next, cluster, credentials.current(), serverTls);
        // Only now: a request that is on its way to a backend must always find one that takes it.
        change.removed().forEach(backend -> backend.retire(System.nanoTime()));
        if (!next.equals(running)) {
            onReload.run();
            running = next;
        }
        if (!change.added().isEmpty() || !change.removed().isEmpty()) {
            LOG.info(
                    "{} backends: added {}, removed {}",
                    change.members().size(),
                    names(change.added()),
                    names(change.removed()));
        }
        return change;
    }

    /** Those configured, and those found that are not configured too. */
    private List<BackendConfig> wanted(DroverConfig next) {
        List<BackendConfig> wanted = new ArrayList<>(next.backends());
        for (BackendConfig one : found) {
            boolean configured = next.backends().stream()
                    .anyMatch(other ->
                            other.name().equals(one.name()) || other.url().equals(one.url()));
            if (!configured) {
                wanted.add(one);
            }
        }
        return wanted;
    }

    private static List<String> names(List<Backend> backends) {
        return backends.stream().map(Backend::name).toList();
    }

    /** New backends are better known before anybody depends on them; one that hangs must not hold up the others. */
    private static void await(CompletionStage<Void> firstRound, DroverConfig config) {
        long most = ROUND_TIMEOUTS * config.health().active().timeout().toNanos();
        try {
            firstRound.toCompletableFuture().get(most, TimeUnit.NANOSECONDS);
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException late) {
            LOG.warn("not every new backend was probed within {} ms", TimeUnit.NANOSECONDS.toMillis(most));
        }
    }

    private void discover() {
        Discovery last = discovery;
        if (last != null) {
            last.close();
        }
        discovery = running.discovery().dns().map(this::discovery).orElse(null);
        if (discovery == null) {
            firstFound.complete(null);
        }
    }

    private Discovery discovery(DiscoveryName name) {
        Discovery next = new Discovery(name, running.discovery().interval(), loop, new Listener(name));
        next.start();
        return next;
    }

    /** On the thread, as long as there is one. */
    private void later(Runnable task) {
        try {
            thread.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException fault) {
                    LOG.error("a change of the herd fails by a fault of ours", fault);
                }
            });
        } catch (RejectedExecutionException ending) {
            LOG.debug("a change that comes with the end is left");
        }
    }

    private void onFound(DiscoveryName name, List<Found> all) {
        if (running.discovery().dns().filter(name::equals).isEmpty()) {
            return; // Told before a reload that looks elsewhere.
        }
        found = all.stream().map(LiveConfig::entry).toList();
        apply(running, proxy.serverTls());
        firstFound.complete(null);
    }

    /** What was found at an address is called by it: a name may lead to many. */
    private static BackendConfig entry(Found one) {
        String authority = NetUtil.toSocketAddressString(one.address());
        return new BackendConfig(
                URI.create("http://" + authority),
                authority,
                one.weight(),
                one.backup(),
                authority,
                true,
                Optional.empty(),
                BackendTls.DEFAULT);
    }

    private final class Listener implements DiscoveryListener {
        private final DiscoveryName name;

        Listener(DiscoveryName name) {
            this.name = name;
        }

        @Override
        public void onFound(List<Found> all) {
            later(() -> LiveConfig.this.onFound(name, all));
        }

        @Override
        public void onFailed(String reason) {
            LOG.warn("discovery of {} fails: {}; what it found before stays", name, reason);
        }

        @Override
        public void onRecovered() {
            LOG.info("discovery of {} works again", name);
        }
    }
}
