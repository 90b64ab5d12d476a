package io.drover.server;

import io.drover.admission.BudgetsFile;
import io.drover.admission.KeyStore;
import io.drover.admission.LimitStore;
import io.drover.admission.Replicas;
import io.drover.backend.Backend;
import io.drover.backend.BackendReport;
import io.drover.backend.BackendState;
import io.drover.backend.Cluster;
import io.drover.backend.Membership;
import io.drover.cache.RedisHash;
import io.drover.cache.RedisLink;
import io.drover.cache.RedisScripts;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig;
import io.drover.config.LoadedConfig;
import io.drover.health.HerdWatch;
import io.drover.metrics.AccessLog;
import io.drover.metrics.AuditLog;
import io.drover.metrics.Metrics;
import io.drover.proxy.ProxyContext;
import io.drover.proxy.Worker;
import io.drover.tls.BackendContexts;
import io.drover.tls.ServerTls;
import io.drover.tls.TlsLibrary;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running Drover: everything from the listeners to the background threads, wired. Starting it waits for no backend,
 * no name server and no Redis, but for a moment to know which backends answer.
 */
public final class ProxyServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ProxyServer.class);

    /** How long listening waits for the first round of probes. */
    private static final long FIRST_PROBES_MILLIS = 300;

    /** How long listening waits for limits to be shared: until then each replica would give everybody a full bucket. */
    private static final long FIRST_SHARING_MILLIS = 2_000;

    /** How long the end waits for closed connections to be gone. */
    private static final long CLOSING_MILLIS = 500;

    private static final int ADMIN_MAX_BODY = 64 * 1024;

    private final DroverConfig config; // as of the start: addresses, threads and the like
    private final Transport transport;
    private final Metrics metrics;
    private final AccessLog accessLog;
    private final AuditLog auditLog;
    private final ProxyContext proxy;
    private final EventLoopGroup loops;
    private final EventLoopGroup background;
    private final Map<EventLoop, Worker> workers = new HashMap<>();
    private final List<Channel> listeners = new ArrayList<>();
    private final HerdWatch watch;
    private final LiveConfig live;
    private final @Nullable RedisLink redis;
    private final Credentials credentials;
    private final @Nullable Replicas replicas;
    private final @Nullable BudgetsFile budgetsFile;
    private final @Nullable CacheService cache;
    private @Nullable Channel admin;

    private ProxyServer(ConfigSource source, DroverConfig config, Transport transport)
            throws ConfigException, IOException {
        this.config = config;
        this.transport = transport;
        ServerTls serverTls = ServerTls.of(config.tls()).orElse(null);
        BackendContexts backendTls = new BackendContexts(config.tls().provider());
        backendTls.prepare(config.backends());
        redis = config.redis().uri().map(RedisLink::new).orElse(null);
        credentials = new Credentials(redis == null ? null : new RedisHash(redis, KeyStore.REDIS_KEY)::all);
        try {
            credentials.configure(config.auth());
        } catch (ConfigException unreadable) {
            abandon(credentials, redis);
            throw unreadable;
        }
        metrics = new Metrics(config.metrics());
        metrics.buildInfo(Version.current(), transport.name());
        try {
            cache = CacheService.open(config.cache(), redis, metrics.cache());
        } catch (ConfigException unusable) {
            abandon(credentials, redis);
            throw unusable;
        }
        try {
            accessLog = AccessLog.open(config.accessLog(), metrics::onAccessLogDropped);
            auditLog = openAuditLog(config.auditLog(), metrics, accessLog);
        } catch (IOException unopened) {
            if (cache != null) {
                cache.close();
            }
            abandon(credentials, redis);
            throw unopened;
        }
        BackendReport report = new BackendReport(metrics);
        Membership members = new Membership(
                (backend, from, to, reason) -> {
                    report.onChange(backend, from, to, reason);
                    onBackendChange(backend, to);
                },
                this::onModelChange);
        Cluster cluster = members.apply(config.backends(), config.health(), System.nanoTime());
        loops = new MultiThreadIoEventLoopGroup(
                config.eventLoops(), new DefaultThreadFactory("drover-loop"), transport.ioHandlers());
        background = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("drover-background"), NioIoHandler.newFactory());
        EventLoop asking = background.next();
        watch = new HerdWatch(config, asking, NioSocketChannel.class, backendTls, this::onGone);
        replicas = redis == null || !config.limits().shared()
                ? null
                : new Replicas(store(redis), config.limits().lease(), background.next());
        proxy = new ProxyContext(
                config,
                cluster,
                credentials.current(),
                replicas,
                serverTls,
                backendTls,
                watch::refreshModels,
                cache == null ? null : cache.caching(),
                metrics,
                accessLog,
                auditLog);
        metrics.backends(() -> proxy.cluster().backends());
        ByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;
        for (EventExecutor executor : loops) {
            EventLoop loop = (EventLoop) executor;
            workers.put(loop, new Worker(proxy, loop, transport.upstream(loop), allocator));
        }
        budgetsFile = config.limits()
                .budgetsFile()
                .filter(file -> replicas == null)
                .map(file -> BudgetsFile.open(file, proxy.budgets(), background.next(), System::currentTimeMillis))
                .orElse(null);
        live = new LiveConfig(
                source, config, members, proxy, credentials, backendTls, watch, asking, metrics, this::onReload);
    }

    /**
     * Starts and listens.
     *
     * @param source read now, and again at each reload
     * @throws ConfigException when the configuration is invalid
     * @throws IOException when an address cannot be listened on, or a log cannot be opened; nothing is left running
     */
    public static ProxyServer start(ConfigSource source) throws ConfigException, IOException {
        LoadedConfig loaded = ConfigLoader.load(source);
        loaded.warnings().forEach(warning -> LOG.warn("{}", warning));
        Transport transport = Transport.choose(loaded.config().transport());
        ProxyServer server = new ProxyServer(source, loaded.config(), transport);
        try {
            server.begin();
        } catch (IOException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** What has threads and was made before something that is missing. */
    private static void abandon(Credentials credentials, @Nullable RedisLink redis) {
        credentials.close();
        if (redis != null) {
            redis.close();
        }
    }

    private static AuditLog openAuditLog(DroverConfig.AuditLog config, Metrics metrics, AccessLog opened)
            throws IOException {
        try {
            return AuditLog.open(config, metrics::onAuditLogDropped);
        } catch (IOException e) {
            opened.close();
            throw e;
        }
    }

    private static LimitStore store(RedisLink redis) {
        RedisScripts scripts = new RedisScripts(redis);
        return new LimitStore() {
            @Override
            public CompletionStage<List<Long>> run(String script, String key, List<String> arguments) {
                return scripts.run(script, key, arguments);
            }

            @Override
            public int connections() {
                return redis.connections();
            }
        };
    }

    private void begin() throws IOException {
        CompletableFuture<Void> shared = startRedis().toCompletableFuture();
        CompletableFuture<Void> probed = watch.add(cluster().backends()).toCompletableFuture();
        CompletableFuture<Void> found = live.start().toCompletableFuture();
        if (!isDone(CompletableFuture.allOf(probed, found), FIRST_PROBES_MILLIS)) {
            LOG.info(
                    "not every backend was found and probed within {} ms; listening all the same", FIRST_PROBES_MILLIS);
        }
        if (!isDone(shared, FIRST_SHARING_MILLIS)) {
            LOG.warn("Redis has not answered within {} ms; listening all the same", FIRST_SHARING_MILLIS);
        }
        // The admin port first: whoever watches it sees the proxy port come.
        admin = listen(adminBootstrap(), config.admin().listen());
        for (InetSocketAddress address : config.listen()) {
            listeners.add(listen(proxyBootstrap(), address));
        }
        LOG.info(
                "listening on {}{}, admin on {}, transport {}, {} event loops, {} backends",
                addresses(),
                config.tls().isOn()
                        ? " with TLS by " + TlsLibrary.name(config.tls().provider())
                        : "",
                adminAddress(),
                transport.name(),
                config.eventLoops(),
                cluster().backends().size());
    }

    /** Completes when limits are shared, or cannot be now. */
    private CompletionStage<Void> startRedis() {
        if (redis == null) {
            return CompletableFuture.completedStage(null);
        }
        metrics.redisUp(redis::isUp);
        CompletionStage<Void> tried = redis.start();
        Replicas sharing = replicas;
        if (sharing == null) {
            return CompletableFuture.completedStage(null);
        }
        metrics.sharedLimits(sharing::isUp, sharing::count);
        return tried.thenCompose(done -> sharing.start());
    }

    private void onBackendChange(Backend backend, BackendState state) {
        if (state == BackendState.DOWN || state == BackendState.WEDGED) {
            boolean wedged = state == BackendState.WEDGED;
            workers.forEach((loop, worker) -> loop.execute(() -> worker.onBackendDown(backend, wedged)));
        }
    }

    /** What was kept between the change and this may be of either model. */
    private void onModelChange(String model, String before, @Nullable String now) {
        if (cache != null) {
            cache.purgeModel(model);
        }
    }

    /** Its last answer may be counted a moment after it ended. */
    private void onGone(Backend backend) {
        background.next().schedule(() -> forgetSeries(backend.name()), 1, TimeUnit.SECONDS);
    }

    private void forgetSeries(String backend) {
        if (cluster().backends().stream().noneMatch(present -> present.name().equals(backend))) {
            metrics.onRemoval(backend);
        }
    }

    private void onReload() {
        workers.forEach((loop, worker) -> loop.execute(worker::onReload));
    }

    /** Reads the configuration again: see {@link LiveConfig#reload}; opens the logs' files anew in any case. */
    CompletionStage<LiveConfig.Reloaded> reload() {
        accessLog.reopen();
        auditLog.reopen();
        return live.reload();
    }

    /** As {@link #reload}, by a signal. */
    void reloadOnSignal() {
        reload().whenComplete((done, fault) -> AdminAudit.onSignal(auditLog, fault));
    }

    private static boolean isDone(CompletableFuture<Void> work, long withinMillis) {
        try {
            work.get(withinMillis, TimeUnit.MILLISECONDS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            return false;
        }
    }

    private ServerBootstrap proxyBootstrap() {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops)
                .channel(transport.serverChannel())
                .option(ChannelOption.SO_BACKLOG, 4096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(
                                config.buffers().streamLow(), config.buffers().streamHigh()))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        Worker worker = workers.get(channel.eventLoop());
                        if (worker == null) {
                            throw new IllegalStateException("a loop without a worker");
                        }
                        worker.expectPeerHeader(channel.pipeline());
                        worker.accept(channel.pipeline());
                    }
                });
        transport.boundUnsent(bootstrap, config.buffers().streamHigh());
        return bootstrap;
    }

    private ServerBootstrap adminBootstrap() {
        AdminHandler handler = new AdminHandler(
                proxy,
                metrics,
                new BackendsApi(this::cluster),
                new ReloadApi(this::reload),
                new CachePurgeApi(cache, metrics.cache()),
                new AdminGuard(config.admin().hosts()),
                new AdminTokens(config.admin()),
                new AdminAudit(auditLog));
        return new ServerBootstrap()
                .group(background)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(
                                        new HttpServerCodec(),
                                        new HttpObjectAggregator(ADMIN_MAX_BODY),
                                        new FlowControlHandler(),
                                        handler);
                    }
                });
    }

    private static Channel listen(ServerBootstrap bootstrap, InetSocketAddress address) throws IOException {
        var bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "cannot listen on " + address.getHostString() + ":" + address.getPort() + ": "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        return bound.channel();
    }

    /** Where the proxy port really is, also when port 0 was asked for. */
    public List<InetSocketAddress> addresses() {
        return listeners.stream()
                .map(channel -> (InetSocketAddress) channel.localAddress())
                .toList();
    }

    public InetSocketAddress adminAddress() {
        if (admin == null) {
            throw new IllegalStateException("not started");
        }
        return (InetSocketAddress) admin.localAddress();
    }

    public ProxyContext proxy() {
        return proxy;
    }

    public Cluster cluster() {
        return proxy.cluster();
    }

    public Metrics metrics() {
        return metrics;
    }

    public Transport transport() {
        return transport;
    }

    DroverConfig config() {
        return proxy.config();
    }

    /** Not ready from now on, but still serving. */
    void becomeUnready() {
        proxy.startDraining();
    }

    /** No new connections, and none kept without a request. */
    void stopAccepting() {
        for (Channel listener : listeners) {
            listener.close().awaitUninterruptibly();
        }
        closeIdle();
    }

    /** Ends connections without a request. */
    void closeIdle() {
        for (Worker worker : workers.values()) {
            worker.loop().execute(worker::closeIdle);
        }
    }

    /** Closing is asynchronous on io_uring; a loop that is shut down at once would forget what is under way. */
    private void awaitClosed() {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSING_MILLIS);
        while ((proxy.openClients() > 0 || proxy.openUpstreams() > 0) && System.nanoTime() < end) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    /** Ends everything at once. */
    @Override
    public void close() {
        proxy.startDraining();
        for (Channel listener : listeners) {
            listener.close().awaitUninterruptibly();
        }
        live.close();
        credentials.close();
        for (Worker worker : workers.values()) {
            worker.loop().submit(worker::closeAll).awaitUninterruptibly();
        }
        // After those who may wait for a look at the models: its end is no answer to them.
        watch.close();
        awaitClosed();
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        if (budgetsFile != null) {
            budgetsFile.close();
        }
        if (cache != null) {
            cache.close();
        }
        // After the last request has told what it used.
        if (replicas != null) {
            replicas.close();
        }
        if (redis != null) {
            redis.close();
        }
        background.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        accessLog.close();
        auditLog.close();
    }
}
