package io.drover.config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * The whole configuration, validated and immutable. Defaults, units and reasons stand in {@code reference.conf}, whose
 * structure this mirrors; sizes are bytes.
 *
 * @param listen addresses of the proxy port
 * @param eventLoops number of event loops, at least 1 ({@code 0} in the file has become the number of cores)
 */
public record DroverConfig(
        List<InetSocketAddress> listen,
        Admin admin,
        int eventLoops,
        TransportKind transport,
        Duration drainDelay,
        Duration drainTimeout,
        List<BackendConfig> backends,
        Discovery discovery,
        Balance balance,
        Routing routing,
        Health health,
        Timeouts timeouts,
        Retry retry,
        Limits limits,
        Upstream upstream,
        Buffers buffers,
        Cors cors,
        Metrics metrics,
        Redis redis,
        AccessLog accessLog) {

    public DroverConfig {
        listen = List.copyOf(listen);
        backends = List.copyOf(backends);
    }

    /**
     * This configuration, as far as it can replace {@code running} without a restart: addresses, threads, buffers and logs
     * stay as they are.
     */
    DroverConfig reloadedInto(DroverConfig running) {
        return new DroverConfig(
                running.listen,
                running.admin,
                running.eventLoops,
                running.transport,
                drainDelay,
                drainTimeout,
                backends,
                discovery,
                balance,
                routing,
                health,
                timeouts,
                retry,
                limits,
                upstream,
                running.buffers,
                cors,
                running.metrics,
                running.redis,
                running.accessLog);
    }

    /** The keys in which this differs from {@code running} and which only a restart can change. */
    List<String> restartKeys(DroverConfig running) {
        List<String> keys = new ArrayList<>();
        BiConsumer<String, Function<DroverConfig, Object>> compare = (key, part) -> {
            if (!part.apply(this).equals(part.apply(running))) {
                keys.add(key);
            }
        };
        compare.accept("listen", DroverConfig::listen);
        compare.accept("admin", DroverConfig::admin);
        compare.accept("event-loops", DroverConfig::eventLoops);
        compare.accept("transport", DroverConfig::transport);
        compare.accept("buffers", DroverConfig::buffers);
        compare.accept("metrics", DroverConfig::metrics);
        compare.accept("redis", DroverConfig::redis);
        compare.accept("access-log", DroverConfig::accessLog);
        return keys;
    }

    /**
     * The admin port.
     *
     * @param hosts names by which it may be called, besides localhost and addresses
     */
    public record Admin(InetSocketAddress listen, List<String> hosts) {
        public Admin {
            hosts = List.copyOf(hosts);
        }
    }

    /** Which of Netty's transports carries the sockets; {@code AUTO} takes the first of io_uring, epoll, kqueue, NIO. */
    public enum TransportKind {
        AUTO,
        IO_URING,
        EPOLL,
        KQUEUE,
        NIO
    }

    /** How a backend is chosen. */
    public enum Balance {
        LEAST_CONNECTIONS,
        ROUND_ROBIN,
        RANDOM_TWO
    }

    /**
     * One configured Ollama server.
     *
     * @param url scheme {@code http}, a host, a port (80 where none is given), no path, no user, no query
     * @param name unique; label of metrics and value of {@code X-Drover-Backend}
     * @param weight share of the load, above 0
     * @param backup used only when no other backend is up
     * @param host what is sent as Host; never empty here, the URL's authority by default
     * @param forwardedHeaders whether X-Forwarded-For, X-Forwarded-Proto and X-Real-IP are sent
     * @param authorization value of the Authorization header sent to it, if any
     */
    public record BackendConfig(
            URI url,
            String name,
            int weight,
            boolean backup,
            String host,
            boolean forwardedHeaders,
            Optional<String> authorization) {

        public int port() {
            return url.getPort() < 0 ? 80 : url.getPort();
        }

        /** Never prints the authorization. */
        @Override
        public String toString() {
            return name + "=" + url;
        }
    }

    /**
     * Backends found by DNS, besides those configured.
     *
     * @param dns where to look; empty: nowhere
     * @param interval from one look-up to the next
     */
    public record Discovery(Optional<DiscoveryName> dns, Duration interval) {}

    /** @param modelAware whether requests go only to backends that list their model, as far as that is known */
    public record Routing(boolean modelAware) {}

    /**
     * @param wedgedAfter silence of a backend that owes bytes after which it is out of rotation; zero: off
     * @param slowStart how long the share of a backend that is back takes to grow to the whole; zero: at once
     */
    public record Health(
            ActiveHealth active,
            PassiveHealth passive,
            DegradedHealth degraded,
            Duration wedgedAfter,
            Duration slowStart) {}

    /** @param interval between two probes of one backend; zero: off, a backend counts as up */
    public record ActiveHealth(Duration interval, Duration timeout, int rise, int fall) {}

    /**
     * @param failures consecutive failures that eject a backend; 0: off
     * @param eject for how long at first; it doubles each time it follows close upon the last
     * @param maxEject the longest it grows to
     * @param maxShare percent of the herd that may be ejected for failures at once
     */
    public record PassiveHealth(int failures, Duration eject, Duration maxEject, int maxShare) {}

    /**
     * @param share percent of a backend's usual tokens per second below which an answer is slow
     * @param requests slow answers in a row that degrade a backend, and good ones that end it; 0: off
     * @param unfinished percent of the last answers that may lack their own end
     */
    public record DegradedHealth(int share, int requests, int unfinished) {}

    public record Timeouts(
            Duration connect,
            Duration requestHead,
            Duration requestBody,
            Duration firstByte,
            Duration idle,
            Duration clientWrite,
            Duration upstreamWrite,
            Duration keepAlive,
            Duration lingeringClose) {}

    /** Which streams that break after their first byte are repeated on another backend. */
    public enum MidStream {
        OFF,
        /** Those of requests with a seed or temperature 0. */
        DETERMINISTIC
    }

    /** @param attempts tries after the first */
    public record Retry(int attempts, MidStream midStream) {}

    /**
     * @param requestHead most bytes of a request's or response's head, trailers included
     * @param headers most header fields of one message
     * @param requestBody most bytes of a request body; blob uploads are exempt
     * @param connections most client connections at once, above 0 ({@code 0} in the file has become what the file limit
     *     allows)
     * @param maxKeys most clients whose bucket is kept
     */
    public record Limits(
            int requestHead,
            int headers,
            long requestBody,
            int connections,
            Requests requests,
            int maxKeys,
            List<Cidr> trustedProxies) {
        public Limits {
            trustedProxies = List.copyOf(trustedProxies);
        }
    }

    /**
     * The request limit, which counts by the client's address.
     *
     * @param rate how fast a bucket fills; empty: no limit
     * @param burst the bucket's size in requests, above 0
     */
    public record Requests(Optional<Rate> rate, int burst) {}

    /**
     * Connections to backends.
     *
     * @param idleTimeout how long an unused connection is kept
     * @param maxIdle most unused connections kept per backend, over all event loops
     * @param maxConnecting most connection attempts under way per backend and event loop
     */
    public record Upstream(Duration idleTimeout, int maxIdle, int maxConnecting) {}

    /**
     * What may be held in memory.
     *
     * @param retainedBodies most bytes of request bodies kept for a retry, over all requests
     * @param outbound most bytes waiting for slow clients, over all of them
     * @param streamHigh bytes waiting for one client at which its backend is no longer read
     * @param streamLow bytes waiting at which it is read again
     * @param holdBack most bytes of an answer held back until it is known whether it must be retried
     */
    public record Buffers(long retainedBodies, long outbound, int streamHigh, int streamLow, int holdBack) {}

    /**
     * Cross-origin requests from browsers.
     *
     * @param origins further allowed origins, each with at most one {@code *}; Ollama's own defaults always apply
     */
    public record Cors(List<String> origins) {
        public Cors {
            origins = List.copyOf(origins);
        }
    }

    /**
     * @param maxModels most model names that get a label of their own; the rest counts as {@code other}
     * @param stallAfter silence within an answer that counts as a stall
     */
    public record Metrics(int maxModels, Duration stallAfter) {}

    /** @param uri empty: no Redis */
    public record Redis(Optional<String> uri) {
        /** Never prints the password in the URI. */
        @Override
        public String toString() {
            return uri.isPresent() ? "redis" : "no redis";
        }
    }

    /**
     * @param file where lines go; empty: standard output
     * @param queue most records waiting to be written; more are dropped and counted
     */
    public record AccessLog(boolean enabled, Optional<Path> file, int queue) {}
}
