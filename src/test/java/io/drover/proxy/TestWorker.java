package io.drover.proxy;

import io.drover.backend.Cluster;
import io.drover.backend.Membership;
import io.drover.cache.CacheObserver;
import io.drover.cache.ResponseCache;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.metrics.AccessLog;
import io.drover.metrics.AuditLog;
import io.drover.metrics.Metrics;
import io.drover.tls.BackendContexts;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A worker whose loop connects to nothing: for what needs a worker's memory and settings only. */
final class TestWorker implements AutoCloseable {
    private final EventLoop loop = new DefaultEventLoop();
    private final AccessLog accessLog;
    private final AuditLog auditLog;
    private final ResponseCache cache;
    private final Worker worker;

    /** @param settings values by their key below {@code drover} */
    TestWorker(Map<String, String> settings) {
        this(settings, List.of("http://127.0.0.1:1"));
    }

    TestWorker(Map<String, String> settings, List<String> backends) {
        this(settings, backends, null);
    }

    /** @param aside of the cache, which is on; null: it is off */
    TestWorker(Map<String, String> settings, List<String> backends, @Nullable Executor aside) {
        Map<String, String> all = new HashMap<>(settings);
        all.put("access-log.enabled", "false");
        try {
            DroverConfig config = ConfigLoader.load(new ConfigSource(Optional.empty(), Map.of(), backends, all))
                    .config();
            accessLog = AccessLog.open(config.accessLog(), lines -> {});
            auditLog = AuditLog.open(config.auditLog(), (reason, lines) -> {});
            Cluster cluster = new Membership((backend, from, to, reason) -> {})
                    .apply(config.backends(), config.health(), System.nanoTime());
            Metrics metrics = new Metrics(config.metrics());
            cache = ResponseCache.open(config.cache(), null, new Unobserved());
            ProxyContext context = new ProxyContext(
                    config,
                    cluster,
                    Authentication.OFF,
                    null,
                    null,
                    new BackendContexts(TlsProvider.AUTO),
                    () -> CompletableFuture.completedStage(null),
                    aside == null ? null : new Caching(config.cache(), cache, metrics.cache(), aside),
                    metrics,
                    accessLog,
                    auditLog);
            worker = new Worker(
                    context,
                    loop,
                    new Bootstrap().group(loop).channel(NioSocketChannel.class),
                    PooledByteBufAllocator.DEFAULT);
        } catch (ConfigException | IOException e) {
            throw new AssertionError(e);
        }
    }

    Worker worker() {
        return worker;
    }

    @Override
    public void close() {
        loop.submit(worker::closeAll).syncUninterruptibly();
        loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        accessLog.close();
        auditLog.close();
        cache.close();
    }

    private static final class Unobserved implements CacheObserver {
        @Override
        public void onRedisAnswer(long nanos) {}

        @Override
        public void onBreakerOpen() {}

        @Override
        public void onEvicted(Eviction cause, long bytes) {}

        @Override
        public void onWriteDropped() {}

        @Override
        public void onReadFailed() {}
    }
}
