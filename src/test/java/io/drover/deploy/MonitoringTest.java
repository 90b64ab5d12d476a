package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.net.httpserver.HttpServer;
import com.typesafe.config.Config;
import io.drover.demo.Fault;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Await;
import io.drover.testing.Drover;
import io.drover.testing.FreePort;
import io.drover.testing.RawClient;
import io.drover.testing.Redis;
import io.drover.testing.Secrets;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every query of the dashboards and every expression of the rules finds something in a running Drover that has seen about
 * all that can happen to it. What exporters say comes from files among the test's resources.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MonitoringTest {
    private static final Path CONFIG = Path.of("docker", "prometheus", "prometheus.yml");
    private static final Path RULES = Path.of("docker", "prometheus", "rules");
    private static final List<String> EXPORTERS = List.of("redis", "gpu", "node");
    private static final String MODEL = "llama3.2";
    private static final String OPERATOR = "operator-7cA1";
    private static final String SCRAPE = "scrape-2bF9";
    private static final String ALICE = "drover_alices-secret-that-is-long-enough-0123456789";
    private static final String BOB = "drover_bobs-secret-that-is-long-enough-9876543210";
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private Path directory;
    private Redis redis;
    private SimulatedOllama a;
    private SimulatedOllama b;
    private Drover drover;
    private int asked;

    @BeforeAll
    void start(@TempDir Path fresh) throws IOException {
        directory = fresh;
        Path keys = directory.resolve("keys");
        Files.writeString(keys, Secrets.line("alice", ALICE, ",\"requests\":\"1/d\"") + Secrets.line("bob", BOB, ""));
        redis = Redis.start(directory);
        SimulatedOllama.Settings settings = SimulatedOllama.Settings.defaults()
                .withModels(List.of(SimulatedModel.named(MODEL), SimulatedModel.embedder("nomic-embed-text")))
                .withTokens(8);
        a = SimulatedOllama.start(settings);
        b = SimulatedOllama.start(settings);
        drover = Drover.over(a.url(), b.url())
                .set("admin.token-hash", Secrets.hash(OPERATOR))
                .set("admin.scrape-token-hash", Secrets.hash(SCRAPE))
                .set("health.active.interval", "100ms")
                .set("health.passive.failures", "1")
                .set("health.passive.eject", "100ms")
                .set("redis.uri", redis.uri())
                .set("cache.enabled", "true")
                .set("limits.shared", "true")
                .set("limits.requests.paths", "/api/version")
                .set("limits.requests.rate", "2/s")
                .set("limits.requests.burst", "1")
                .set("limits.requests.delay", "2s")
                .set("auth.mode", "api-key")
                .set("auth.keys-file", keys.toString())
                .start()
                .awaitListed();
        live();
    }

    @AfterAll
    void stop() {
        drover.close();
        b.close();
        a.close();
        redis.close();
    }

    /** About all that can happen, each of it once or a few times. */
    private void live() {
        // More than once: an answer from before Redis was first asked is not served again.
        Drover.await("an answer is kept", () -> "HIT"
                .equals(chat("the same question", BOB).header("X-Cache")));
        drover.exchange("POST", "/api/embed", "{\"model\":\"nomic-embed-text\",\"input\":\"a text\"}", bearer(BOB));
        drover.exchange("POST", "/api/chat", body("another question each time", ""), bearer(BOB));
        chat("one is allowed in a day", ALICE);
        assertThat(chat("and no second", ALICE).status()).isEqualTo(429);
        assertThat(drover.exchange("GET", "/api/tags", "").status()).isEqualTo(401);

        Drover.await("a request was delayed", () -> {
            drover.exchange("GET", "/api/version", "", bearer(BOB));
            return drover.metrics().contains("drover_rate_delayed_total{");
        });

        a.fault(Fault.of(Fault.Kind.NO_DONE));
        for (int i = 0; i < 60 && drover.metric(unfinished("a")) == 0; i++) {
            chat(null, BOB);
        }
        a.clearFaults();
        b.fault(Fault.of(Fault.Kind.RESET_BEFORE_HEAD));
        for (int i = 0; i < 60 && !drover.metrics().contains("drover_backend_ejections_total{"); i++) {
            chat(null, BOB);
        }
        a.fault(Fault.of(Fault.Kind.RESET_BEFORE_HEAD));
        assertThat(chat(null, BOB).status()).isGreaterThanOrEqualTo(500);
        a.clearFaults();
        b.clearFaults();

        admin("/api/cache/purge", "{\"all\":true}");
        admin("/api/reload", "");
        Drover.await(
                "backends are back", () -> drover.exchange("GET", "/ready", "").status() == 200);
    }

    private static String unfinished(String backend) {
        return "drover_backend_degradations_total{backend=\"" + backend + "\",reason=\"unfinished\",}";
    }

    /** @param prompt null: one that was never asked */
    private RawClient.Response chat(@Nullable String prompt, String secret) {
        String text = prompt == null ? "question " + asked++ : prompt;
        return drover.exchange("POST", "/api/chat", body(text, ",\"options\":{\"temperature\":0}"), bearer(secret));
    }

    private static String body(String prompt, String more) {
        return "{\"model\":\"" + MODEL + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}]" + more
                + "}";
    }

    private static String bearer(String secret) {
        return "Authorization: Bearer " + secret;
    }

    private void admin(String path, String body) {
        try (RawClient client = RawClient.connect(drover.adminAddress())) {
            RawClient.Response response = client.exchange("POST", path, body, "X-Drover: 1", bearer(OPERATOR));
            assertThat(response.status()).as(response.body()).isEqualTo(200);
        }
    }

    private static String recorded(String exporter) {
        try (InputStream file = Objects.requireNonNull(MonitoringTest.class.getResourceAsStream(exporter + ".prom"))) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Expression> ofDashboards() {
        return Dashboard.all().stream()
                .flatMap(dashboard -> dashboard.expressions().stream())
                .toList();
    }

    private static List<Path> ruleFiles() throws IOException {
        try (Stream<Path> files = Files.list(RULES)) {
            return files.sorted().toList();
        }
    }

    /** What can be known without Prometheus. */
    @Test
    void everyMetricThatIsAskedForExists() throws IOException {
        Set<String> known = new TreeSet<>();
        Stream.concat(Stream.of(drover.metrics()), EXPORTERS.stream().map(MonitoringTest::recorded))
                .flatMap(String::lines)
                .map(line -> line.replaceFirst("^# TYPE ", ""))
                .forEach(line -> known.add(line.split("[{ ]", 2)[0]));
        List<Expression> asked = new ArrayList<>(ofDashboards());
        for (Path file : ruleFiles()) {
            for (String line : Files.readAllLines(file)) {
                if (line.strip().startsWith("- record: ")) {
                    known.add(line.strip().substring("- record: ".length()));
                } else if (!line.strip().startsWith("#") && !line.matches(" *(summary|description|runbook): .*")) {
                    asked.add(new Expression(file.toString(), line));
                }
            }
        }

        assertThat(asked).hasSizeGreaterThan(100);
        for (Expression expression : asked) {
            assertThat(known).as(expression.toString()).containsAll(expression.metrics());
        }
    }

    @Test
    void everyQueryAndEveryExpressionFindsSomething() throws IOException {
        int port = FreePort.next();
        HttpServer exporters = exporters();
        try (Prometheus prometheus = Prometheus.startIfInstalled(directory, config(exporters, port), port)) {
            awaitScraped(prometheus);
            // What has happened before the first scrape is no rate.
            live();

            List<Expression> expressions = new ArrayList<>(ofDashboards());
            ofDashboards().stream().flatMap(Expression::selectors).distinct().forEach(expressions::add);
            for (Config group : prometheus.ruleGroups()) {
                for (Config rule : group.getConfigList("rules")) {
                    Expression expression = new Expression(rule.getString("name"), rule.getString("query"));
                    boolean alerts = rule.getString("type").equals("alerting");
                    expressions.add(alerts ? expression.withoutFilters() : expression);
                }
            }
            assertThat(expressions).hasSizeGreaterThan(100);
            try {
                Await.until("all are answered", PATIENCE, () -> {
                    expressions.removeIf(each -> !prometheus.query(each.text()).isEmpty());
                    return expressions.isEmpty();
                });
            } catch (AssertionError late) {
                fail("find nothing:\n"
                        + expressions.stream().map(Expression::toString).collect(Collectors.joining("\n")));
            }
        } finally {
            exporters.stop(0);
        }
    }

    private static void awaitScraped(Prometheus prometheus) {
        Await.until("Drover and the exporters are scraped", PATIENCE, () -> Stream.of("drover", "redis", "gpu")
                .allMatch(
                        job -> !prometheus.query("up{job=\"" + job + "\"} == 1").isEmpty()));
    }

    /** Serves what exporters say. */
    private static HttpServer exporters() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/metrics", exchange -> {
            byte[] text = String.join(
                            "", EXPORTERS.stream().map(MonitoringTest::recorded).toList())
                    .getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
            exchange.sendResponseHeaders(200, text.length);
            exchange.getResponseBody().write(text);
            exchange.close();
        });
        server.start();
        return server;
    }

    /** The stack's own configuration, but faster, and with what runs here. */
    private Path config(HttpServer exporters, int port) throws IOException {
        Path token = Files.writeString(directory.resolve("scrape-token"), SCRAPE);
        String exporter = "127.0.0.1:" + exporters.getAddress().getPort();
        String text = Files.readString(CONFIG)
                .replace("15s", "500ms")
                .replace("/etc/prometheus/rules", RULES.toAbsolutePath().toString())
                .replace("/run/secrets/scrape-token", token.toString())
                .replace("drover:9090", "127.0.0.1:" + drover.adminAddress().getPort())
                .replace("redis-exporter:9121", exporter)
                .replace("gpu-exporter:9400", exporter)
                .replace("localhost:9090", "127.0.0.1:" + port)
                .replace("alertmanager:9093", "127.0.0.1:" + port)
                .replace("grafana:3000", "127.0.0.1:" + port);
        return Files.writeString(directory.resolve("prometheus.yml"), text);
    }
}
