package io.drover.testing;

import io.drover.backend.Backend;
import io.drover.config.ConfigException;
import io.drover.config.ConfigSource;
import io.drover.server.ProxyServer;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The real proxy on real sockets, in front of the backends of a test, named {@code a}, {@code b} and so on. Its timeouts
 * are short; each test sets those that govern it. Closing it checks that nothing is left behind: see {@link #drained}.
 */
public final class Drover implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final ProxyServer server;
    private final Path file;
    private final Path log;
    private final @Nullable SSLContext tls;
    private boolean closed;

    private Drover(ProxyServer server, Path file, Path log, @Nullable SSLContext tls) {
        this.server = server;
        this.tls = tls;
        this.file = file;
        this.log = log;
    }

    /** In front of these backends, of equal rank. */
    public static Setup over(URI... backends) {
        Setup setup = new Setup();
        for (URI backend : backends) {
            setup.backend(backend, "");
        }
        return setup;
    }

    /** In front of {@code first}; {@code second} serves only when that cannot: so the order of tries is known. */
    public static Setup first(URI first, URI second) {
        return new Setup().backend(first, "").backend(second, "backup = true");
    }

    /** What a test wants different from the default. */
    public static final class Setup {
        private final List<String> backends = new ArrayList<>();
        private final Map<String, String> overrides = new LinkedHashMap<>();
        private boolean tls;

        private Setup() {
            set("listen", "127.0.0.1:0");
            set("admin.listen", "127.0.0.1:0");
            set("event-loops", "1");
            set("transport", "nio");
            set("drain-timeout", "2s");
            set("health.active.interval", "0s");
            set("timeouts.lingering-close", "200ms");
        }

        /** @param more further keys of the entry, as HOCON */
        public Setup backend(URI url, String more) {
            char name = (char) ('a' + backends.size());
            backends.add("{ url = \"" + url + "\", name = " + name + ", " + more + " }");
            return this;
        }

        /** Sets a key below {@code drover}. */
        public Setup set(String key, String value) {
            overrides.put(key, value);
            return this;
        }

        /** Has its clients speak TLS, those of {@link Drover#connect} too. */
        public Setup withTls() {
            tls = true;
            return this;
        }

        public Setup loops(int count) {
            return set("event-loops", Integer.toString(count));
        }

        public Setup on(Engine engine) {
            String transport = engine.transport().name().toLowerCase(Locale.ROOT);
            return set("transport", transport).loops(engine.loops());
        }

        /** Starts it; it listens when this returns. */
        public Drover start() {
            try {
                Path directory = Files.createTempDirectory(Folders.ROOT, "drover");
                Path log = directory.resolve("access.log");
                Path file = directory.resolve("drover.conf");
                Files.writeString(file, "drover.backends = [" + String.join(",\n", backends) + "]\n");
                set("access-log.file", log.toString());
                if (tls) {
                    Certificates.write(Certificates.good(), directory);
                    set("tls.certificate", directory.resolve("certificate.pem").toString());
                    set("tls.key", directory.resolve("key.pem").toString());
                }
                ConfigSource source = new ConfigSource(Optional.of(file), Map.of(), List.of(), overrides);
                return new Drover(ProxyServer.start(source), file, log, tls ? Certificates.client() : null);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (ConfigException e) {
                throw new AssertionError(e.problems().toString(), e);
            }
        }
    }

    /** One for each; they stay until the process ends, since what was logged is read after the end of a server. */
    private static final class Folders {
        static final Path ROOT = create();

        private static Path create() {
            try {
                Path root = Files.createTempDirectory("drover-test");
                Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(root), "deletes " + root));
                return root;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void delete(Path root) {
            try (Stream<Path> all = Files.walk(root)) {
                all.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Waits until a condition holds, at most ten seconds. */
    public static void await(String what, BooleanSupplier condition) {
        await(what, PATIENCE, condition);
    }

    public static void await(String what, Duration within, BooleanSupplier condition) {
        Await.until(what, within, condition);
    }

    /** Waits until every backend has told its models and its version: before, the cache looks nothing up. */
    public Drover awaitListed() {
        await("every backend is listed", () -> server.cluster().backends().stream()
                .allMatch(each -> each.models().isKnown() && each.version() != null));
        return this;
    }

    public InetSocketAddress address() {
        return server.addresses().get(0);
    }

    public InetSocketAddress adminAddress() {
        return server.adminAddress();
    }

    /** Writes the configuration file anew; what the test set by key still wins over it. */
    public void rewrite(String hocon) {
        try {
            Files.writeString(file, hocon);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A request to the admin port, with what it wants of one that changes something. */
    public RawClient.Response post(String path) {
        try (RawClient client = RawClient.connect(adminAddress())) {
            return client.send(
                            "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nX-Drover: 1\r\nContent-Length: 0\r\n\r\n")
                    .readResponse();
        }
    }

    public RawClient connect() {
        return tls == null ? RawClient.connect(address()) : RawClient.connect(address(), tls, "TLSv1.3", "TLSv1.2");
    }

    public ProxyServer server() {
        return server;
    }

    /** One exchange on a connection of its own. */
    public RawClient.Response exchange(String method, String uri, String body, String... headers) {
        try (RawClient client = connect()) {
            return client.exchange(method, uri, body, headers);
        }
    }

    public Backend backend(String name) {
        return server.cluster().backends().stream()
                .filter(b -> b.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** What {@code /metrics} answers. */
    public String metrics() {
        return new String(server.metrics().scrape(null), StandardCharsets.UTF_8);
    }

    /** The value of one sample of {@code /metrics}; 0 if it is not there. */
    public double metric(String sample) {
        return metrics()
                .lines()
                .filter(line -> line.startsWith(sample + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(sample.length() + 1)))
                .findFirst()
                .orElse(0);
    }

    public int openClients() {
        return server.proxy().openClients();
    }

    public long openUpstreams() {
        return server.proxy().openUpstreams();
    }

    public long outboundBytes() {
        return (long) metric("drover_outbound_bytes");
    }

    /** The access log's lines once there are {@code count} of them; more, or fewer after a while, fail. */
    public List<LogLine> log(int count) {
        await(count + " lines of log", () -> logLines().size() >= count);
        List<LogLine> lines = logLines();
        if (lines.size() != count) {
            throw new AssertionError("lines of log: " + lines + " (expected: " + count + ")");
        }
        return lines;
    }

    /** The access log's file. */
    public Path accessLog() {
        return log;
    }

    /** The only line of the access log. */
    public LogLine logged() {
        return log(1).get(0);
    }

    public List<LogLine> logLines() {
        try {
            String text = Files.exists(log) ? Files.readString(log) : "";
            // What stands behind the last line end is still being written.
            return text.substring(0, text.lastIndexOf('\n') + 1)
                    .lines()
                    .map(LogLine::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Waits until all clients have gone, and fails unless everything they held was given back: slots, retained bodies,
     * outbound bytes.
     */
    public void drained() {
        await("no client left, but " + openClients(), () -> openClients() == 0);
        for (Backend backend : server.cluster().backends()) {
            await("nothing in flight on " + backend, () -> backend.inFlight() == 0);
        }
        await("no retained bodies", () -> server.proxy().retainedBodyBytes() == 0);
        await("no outbound bytes", () -> outboundBytes() == 0);
    }

    /** As {@link #drained}, and exactly so many requests were logged. */
    public void drained(int requests) {
        drained();
        log(requests);
    }

    /** The test sees to the server's end, and {@link #close} need not. */
    public void endsByItself() {
        closed = true;
    }

    /** Ends the server with whatever runs; the log is complete then. */
    public void kill() {
        closed = true;
        server.close();
    }

    /** Checks {@link #drained}, then ends the server, and then no connection to a backend may be left. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            drained();
        } finally {
            server.close();
        }
        if (openUpstreams() != 0) {
            throw new AssertionError("connections to backends after the end: " + openUpstreams());
        }
    }
}
