package io.drover.cache;

import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.StatefulRedisConnectionImpl;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.RedisClusterURIUtil;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import java.net.SocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Where connections to Redis come from: one server, the master that sentinels name, or, given several, a cluster. */
final class RedisSource {
    private static final String EXPECTED =
            "redis.uri: not a Redis URI (expected: redis://host:port, rediss:// or redis-sentinel://, several with commas)";

    private final AbstractRedisClient client;
    private final Supplier<CompletionStage<RedisConnection>> connect;

    private final Supplier<CompletionStage<? extends StatefulRedisPubSubConnection<String, String>>> listen;

    private RedisSource(
            AbstractRedisClient client,
            Supplier<CompletionStage<RedisConnection>> connect,
            Supplier<CompletionStage<? extends StatefulRedisPubSubConnection<String, String>>> listen) {
        this.client = client;
        this.connect = connect;
        this.listen = listen;
    }

    /** @param onConnected called at each connection that is made, also by itself after one was lost; must be quick */
    static RedisSource of(List<RedisURI> uris, ClientResources resources, ClientOptions options, Runnable onConnected) {
        RedisSource source =
                uris.size() == 1 ? single(uris.get(0), resources, options) : cluster(uris, resources, options);
        source.client.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress address) {
                if (isOurs(connection)) {
                    onConnected.run();
                }
            }
        });
        return source;
    }

    /**
     * Not one of those that only ask for the servers of a cluster, again and again, or sentinels for the master, or only
     * listen: those to servers have text.
     */
    private static boolean isOurs(RedisChannelHandler<?, ?> connection) {
        return connection instanceof StatefulRedisConnectionImpl<?, ?> plain
                ? plain.getCodec() == ByteArrayCodec.INSTANCE
                : !(connection instanceof StatefulRedisSentinelConnection);
    }

    private static RedisSource single(RedisURI uri, ClientResources resources, ClientOptions options) {
        RedisClient client = RedisClient.create(resources);
        client.setOptions(options);
        return new RedisSource(
                client,
                () -> client.connectAsync(ByteArrayCodec.INSTANCE, uri)
                        .thenApply(connection -> new RedisConnection(connection, connection.async())),
                () -> client.connectPubSubAsync(StringCodec.ASCII, uri));
    }

    private static RedisSource cluster(List<RedisURI> uris, ClientResources resources, ClientOptions options) {
        RedisClusterClient client = RedisClusterClient.create(resources, uris);
        client.setOptions(ClusterClientOptions.builder(options)
                .topologyRefreshOptions(ClusterTopologyRefreshOptions.builder()
                        .enablePeriodicRefresh()
                        .build())
                .build());
        // Unlike connect(), connectAsync() does not ask for the nodes first.
        return new RedisSource(
                client,
                () -> client.refreshPartitionsAsync()
                        .thenCompose(known -> client.connectAsync(ByteArrayCodec.INSTANCE))
                        .thenApply(connection -> new RedisConnection(connection, connection.async())),
                () -> client.connectPubSubAsync(StringCodec.ASCII));
    }

    /** A new connection, if Redis is there; its time is limited by the options. */
    CompletionStage<RedisConnection> connect() {
        return connect.get();
    }

    /** A new connection that listens to a channel, also after it was lost and restored by itself. */
    CompletionStage<StatefulConnection<?, ?>> subscribe(String channel, Runnable heard) {
        CompletableFuture<Void> now = CompletableFuture.completedFuture(null);
        // So that what is thrown at once, such as of a cluster that is not known yet, fails the stage too.
        return now.thenCompose(begin -> listen.get()).thenCompose(connection -> {
            connection.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void message(String where, String message) {
                    heard.run();
                }
            });
            return connection.async().subscribe(channel).handle((done, failure) -> {
                if (failure != null) {
                    connection.closeAsync();
                    throw new CompletionException(failure);
                }
                return connection;
            });
        });
    }

    CompletableFuture<Void> shutdown(long timeoutMillis) {
        return client.shutdownAsync(0, timeoutMillis, TimeUnit.MILLISECONDS);
    }

    /** Both {@code redis://a:1,b:2} and {@code redis://a:1,redis://b:2} are two servers. */
    static List<RedisURI> parse(String text) {
        try {
            List<RedisURI> uris = new ArrayList<>();
            if (text.startsWith("redis-sentinel://")) {
                uris.add(RedisURI.create(text));
            } else {
                for (String part : text.split(",(?=rediss?://)")) {
                    uris.addAll(RedisClusterURIUtil.toRedisURIs(URI.create(part)));
                }
            }
            return uris;
        } catch (IllegalArgumentException notAUri) {
            // Without the cause, which quotes the text and with it a password.
            throw new IllegalArgumentException(EXPECTED);
        }
    }

    /** Host and port of each, or of the sentinels; nothing secret. */
    static String text(List<RedisURI> uris) {
        return uris.stream()
                .flatMap(uri -> uri.getSentinels().isEmpty() ? List.of(uri).stream() : uri.getSentinels().stream())
                .map(uri -> uri.getHost() + ":" + uri.getPort())
                .collect(Collectors.joining(", "));
    }
}
