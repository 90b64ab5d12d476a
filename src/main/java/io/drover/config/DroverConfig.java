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
 * @param proxyProtocol whether each connection to it begins with a header of the PROXY protocol
 * @param eventLoops number of event loops, at least 1 ({@code 0} in the file has become the number of cores)
 */
public record DroverConfig(
        List<InetSocketAddress> listen,
        boolean proxyProtocol,
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
        Access access,
        Auth auth,
        Tls tls,
        Validation validation,
        Rewrite rewrite,
        CacheConfig cache,
        Upstream upstream,
        Buffers buffers,
        Cors cors,
        Metrics metrics,
        Redis redis,
        AccessLog accessLog,
        AuditLog auditLog) {

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
                running.proxyProtocol,
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
                access,
                auth,
                tls.reloadedInto(running.tls),
                validation,
                rewrite,
                running.cache,
                upstream,
                running.buffers,
                cors,
                running.metrics,
                running.redis,
                running.accessLog,
                running.auditLog);
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
        compare.accept("proxy-protocol", DroverConfig::proxyProtocol);
        compare.accept("admin", DroverConfig::admin);
        compare.accept("event-loops", DroverConfig::eventLoops);
        compare.accept("transport", DroverConfig::transport);
        compare.accept("tls", config -> config.tls.isOn());
        compare.accept("tls.provider", config -> config.tls.provider);
        compare.accept("limits.budgets-file", config -> config.limits().budgetsFile());
        compare.accept("cache", DroverConfig::cache);
        compare.accept("buffers", DroverConfig::buffers);
        compare.accept("metrics", DroverConfig::metrics);
        compare.accept("redis", DroverConfig::redis);
        compare.accept("access-log", DroverConfig::accessLog);
        compare.accept("audit-log", DroverConfig::auditLog);
        return keys;
    }

    /**
     * The admin port.
     *
     * @param hosts names by which it may be called, besides localhost and addresses
     * @param tokenHash of the token that may do everything; empty: none is needed
     * @param scrapeTokenHash of a token that may read the metrics only
     */
    public record Admin(
            InetSocketAddress listen,
            List<String> hosts,
            Optional<SecretHash> tokenHash,
            Optional<SecretHash> scrapeTokenHash) {
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
     * @param url scheme {@code http} or {@code https}, a host, a port (80 or 443 where none is given), no path, no user, no query
     * @param name unique; label of metrics and value of {@code X-Drover-Backend}
     * @param weight share of the load, above 0
     * @param backup used only when no other backend is up
     * @param host what is sent as Host; never empty here, the URL's authority by default
     * @param forwardedHeaders whether X-Forwarded-For, X-Forwarded-Proto and X-Real-IP are sent
     * @param authorization value of the Authorization header sent to it, if any
     * @param tls where the scheme is {@code https}
     */
    public record BackendConfig(
            URI url,
            String name,
            int weight,
            boolean backup,
            String host,
            boolean forwardedHeaders,
            Optional<String> authorization,
            BackendTls tls) {

        public int port() {
            return url.getPort() >= 0 ? url.getPort() : isTls() ? 443 : 80;
        }

        public boolean isTls() {
            return url.getScheme().equals("https");
        }

        /** Never prints the authorization. */
        @Override
        public String toString() {
            return name + "=" + url;
        }
    }

    /**
     * How a backend proves who it is.
     *
     * @param verify whether its certificate must be valid for its name
     * @param caFile those who may vouch for it; empty: those the JVM trusts
     * @param name what its certificate must be for; empty: the URL's host
     */
    public record BackendTls(boolean verify, Optional<PemCertificates> caFile, String name) {
        /** For one found by DNS. */
        public static final BackendTls DEFAULT = new BackendTls(true, Optional.empty(), "");
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
     * @param connectionsPerClient most connections at once from one address; 0: any number
     * @param inFlightPerClient most requests at once of one key, or of one address without a key; 0: any number
     * @param requests those that are on
     * @param tokens those that are on
     * @param answerTokens how many tokens an answer is taken to have before it has come, where the request does not say
     * @param budgets those that are on
     * @param budgetsFile where what is used up of budgets is kept; empty: in memory only
     * @param maxKeys most buckets kept of each limit
     * @param shared whether all replicas share their buckets and budgets
     * @param lease by how much a replica may be ahead of what Redis has counted, as the time in which that much comes
     *     back; for so long it also waits for Redis
     */
    public record Limits(
            int requestHead,
            int headers,
            long requestBody,
            int connections,
            int connectionsPerClient,
            int inFlightPerClient,
            List<RateLimit> requests,
            List<RateLimit> tokens,
            int answerTokens,
            List<Budget> budgets,
            Optional<Path> budgetsFile,
            int maxKeys,
            boolean shared,
            Duration lease,
            List<Cidr> trustedProxies) {
        public Limits {
            requests = List.copyOf(requests);
            tokens = List.copyOf(tokens);
            budgets = List.copyOf(budgets);
            trustedProxies = List.copyOf(trustedProxies);
        }
    }

    /**
     * A limit on requests or on tokens. It concerns a request that matches one of the paths, one of the models and one of
     * the keys, where there are any.
     *
     * @param name what refusals, metrics and logs call it
     * @param key who shares a bucket
     * @param rate how fast a bucket fills
     * @param burst the bucket's size, above 0
     * @param delay how long a request may wait for its room; zero: it is refused at once
     * @param paths of requests, each with a {@code *} at most, at its end
     * @param models names, each with any number of {@code *}
     * @param keys names of API keys
     */
    public record RateLimit(
            String name,
            LimitKey key,
            Rate rate,
            int burst,
            Duration delay,
            List<String> paths,
            List<String> models,
            List<String> keys) {
        public RateLimit {
            paths = List.copyOf(paths);
            models = List.copyOf(models);
            keys = List.copyOf(keys);
        }
    }

    /** How long a budget lasts: a day or a month of UTC. */
    public enum Period {
        DAY,
        MONTH
    }

    /**
     * What may be used up in a day or a month. It concerns the requests that a {@link RateLimit} with the same lists would.
     *
     * @param tokens of prompts and answers; 0: any number
     * @param gpuTime time that backends load, read and generate; zero: any
     */
    public record Budget(
            String name,
            LimitKey key,
            Period per,
            long tokens,
            Duration gpuTime,
            List<String> paths,
            List<String> models,
            List<String> keys) {
        public Budget {
            paths = List.copyOf(paths);
            models = List.copyOf(models);
            keys = List.copyOf(keys);
        }
    }

    /**
     * Which addresses may ask at all.
     *
     * @param allow empty: all
     * @param deny none of these, whatever {@code allow} says
     */
    public record Access(List<Cidr> allow, List<Cidr> deny) {
        public Access {
            allow = List.copyOf(allow);
            deny = List.copyOf(deny);
        }
    }

    /** How a caller may prove who it is. */
    public enum AuthMode {
        NONE,
        API_KEY,
        JWT,
        BASIC
    }

    /**
     * Who may ask.
     *
     * @param mode those that are accepted, NONE alone where nobody has to prove anything
     * @param keysInRedis whether the keys of the Redis count too
     * @param refresh how often files and Redis are looked at again
     * @param pathPrefix what an API key in the path stands behind, with slashes at both ends; empty: it may not stand there
     * @param cached most tokens and passwords remembered as checked
     */
    public record Auth(
            List<AuthMode> mode,
            Optional<Path> keysFile,
            boolean keysInRedis,
            Optional<Path> usersFile,
            Duration refresh,
            String pathPrefix,
            int cached,
            Jwt jwt) {
        public Auth {
            mode = List.copyOf(mode);
        }

        public boolean isOn() {
            return !mode.contains(AuthMode.NONE);
        }
    }

    /**
     * Tokens of an identity provider (RFC 7519).
     *
     * @param jwksUri where its keys are; empty: in {@code jwksFile}
     * @param issuer what {@code iss} must be; empty: anything
     * @param audience what {@code aud} must hold; empty: anything
     * @param algorithms signatures that are accepted
     * @param nameClaim claim that holds the caller's name
     * @param limitsClaim claim that holds an object with the fields of a line of the keys file; empty: none
     * @param leeway how far clocks may differ
     */
    public record Jwt(
            Optional<URI> jwksUri,
            Optional<Path> jwksFile,
            String issuer,
            String audience,
            List<String> algorithms,
            String nameClaim,
            String limitsClaim,
            Duration leeway) {
        public Jwt {
            algorithms = List.copyOf(algorithms);
        }
    }

    /** Which library does the cryptography of TLS; {@code AUTO} takes BoringSSL where it loads. */
    public enum TlsProvider {
        AUTO,
        JDK
    }

    /**
     * With a certificate and its key the proxy port speaks TLS; both or neither.
     *
     * @param certificate the proxy's own, then those that vouch for it
     * @param provider for backends too
     */
    public record Tls(Optional<PemCertificates> certificate, Optional<PemKey> key, TlsProvider provider) {
        public boolean isOn() {
            return certificate.isPresent();
        }

        /** Whether the port speaks it, and by which library, stays as it is. */
        private Tls reloadedInto(Tls running) {
            return isOn() == running.isOn() ? new Tls(certificate, key, running.provider) : running;
        }
    }

    /**
     * What is refused with 400 before a backend sees it; 0 and an empty list: nothing.
     *
     * @param fields whether the fields of Ollama's APIs must have their types
     * @param models names that may be asked for, each with any number of {@code *}
     */
    public record Validation(
            boolean fields, List<String> models, int maxNumCtx, int maxNumPredict, int maxImages, int maxMessages) {
        public Validation {
            models = List.copyOf(models);
        }

        public boolean isOn() {
            return fields
                    || !models.isEmpty()
                    || maxNumCtx > 0
                    || maxNumPredict > 0
                    || maxImages > 0
                    || maxMessages > 0;
        }
    }

    /**
     * What is changed in requests of Ollama's own API.
     *
     * @param numCtx most that {@code options.num_ctx} may be; 0: left as it is
     * @param stripNumCtx whether it is taken out instead
     * @param keepAlive what {@code keep_alive} is set to; empty: left as it is
     */
    public record Rewrite(int numCtx, boolean stripNumCtx, String keepAlive) {
        public boolean isOn() {
            return numCtx > 0 || stripNumCtx || !keepAlive.isEmpty();
        }
    }

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

    /**
     * Who asked which model what, apart from the access log.
     *
     * @param prompts whether the text of prompts stands in it too
     * @param maxPrompt bytes of a request's body that are kept as its prompt
     * @param queue most records waiting to be written; more are dropped and counted
     * @param maxWaiting most bytes of bodies among these; a further one's line comes without its prompt
     * @param maxSize bytes at which a file is put aside
     * @param keep most files that are kept besides the one that is written
     */
    public record AuditLog(
            boolean enabled,
            Path file,
            boolean prompts,
            int maxPrompt,
            int queue,
            long maxWaiting,
            long maxSize,
            int keep) {}
}
