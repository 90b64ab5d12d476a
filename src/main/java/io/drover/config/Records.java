package io.drover.config;

import io.drover.config.DroverConfig.AccessLog;
import io.drover.config.DroverConfig.ActiveHealth;
import io.drover.config.DroverConfig.Admin;
import io.drover.config.DroverConfig.AuditLog;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.Balance;
import io.drover.config.DroverConfig.Buffers;
import io.drover.config.DroverConfig.Cors;
import io.drover.config.DroverConfig.DegradedHealth;
import io.drover.config.DroverConfig.Discovery;
import io.drover.config.DroverConfig.Health;
import io.drover.config.DroverConfig.Metrics;
import io.drover.config.DroverConfig.MidStream;
import io.drover.config.DroverConfig.PassiveHealth;
import io.drover.config.DroverConfig.Redis;
import io.drover.config.DroverConfig.Retry;
import io.drover.config.DroverConfig.Routing;
import io.drover.config.DroverConfig.Timeouts;
import io.drover.config.DroverConfig.Tls;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.config.DroverConfig.TransportKind;
import io.drover.config.DroverConfig.Upstream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Reads the records of {@link DroverConfig}, key by key, in the order of {@code reference.conf}. */
final class Records {
    private static final long LARGEST = 1L << 40;
    private static final Kind<Long> SIZE = Quantities.size(1, LARGEST);
    /** Sizes that are kept as {@code int}. */
    private static final Kind<Long> SMALL_SIZE = Quantities.size(1, 1 << 30);

    /** From what is written at once. */
    private static final Kind<Long> FILE_SIZE = Quantities.size(64 << 10, LARGEST);

    /** One answer, of which a copy is one array. */
    private static final Kind<Long> ENTRY_SIZE = Quantities.size(1 << 10, 1 << 30);

    private static final Kind<Long> PROMPT_SIZE = Quantities.size(1, 16 << 20);

    private static final Kind<TransportKind> TRANSPORT = Kind.word(
            List.of("auto", "io_uring", "epoll", "kqueue", "nio"), List.of(TransportKind.values()), List.of());

    private static final Kind<Balance> BALANCE = Kind.word(
            List.of("least-connections", "round-robin", "random-two"),
            List.of(Balance.values()),
            List.of("expected-ttft", "hash"));

    private static final Kind<TlsProvider> TLS_PROVIDER =
            Kind.word(List.of("auto", "jdk"), List.of(TlsProvider.values()), List.of());

    private static final Kind<MidStream> MID_STREAM =
            Kind.word(List.of("off", "deterministic"), List.of(MidStream.values()), List.of());

    private static final Kind<CacheConfig.When> CACHE_WHEN =
            Kind.word(List.of("deterministic", "always"), List.of(CacheConfig.When.values()), List.of());

    private static final Path AUDIT_LOG = Path.of("audit.log");

    private final Section drover;
    private final List<BackendConfig> backends;

    Records(Section drover, List<BackendConfig> backends) {
        this.drover = drover;
        this.backends = backends;
    }

    DroverConfig read() {
        int eventLoops = number("event-loops", 0, 1024);
        AdmissionRecords admission = new AdmissionRecords(drover);
        return new DroverConfig(
                drover.list("listen", Addresses.LISTEN),
                drover.get("proxy-protocol", Kind.BOOLEAN),
                new Admin(
                        drover.get("admin.listen", Addresses.LISTEN),
                        drover.list("admin.hosts", Addresses.HOST),
                        drover.get("admin.token-hash", Kind.SECRET_HASH),
                        drover.get("admin.scrape-token-hash", Kind.SECRET_HASH)),
                eventLoops == 0 ? Runtime.getRuntime().availableProcessors() : eventLoops,
                drover.get("transport", TRANSPORT),
                drover.get("drain-delay", Quantities.DURATION),
                drover.get("drain-timeout", Quantities.DURATION),
                backends,
                new Discovery(drover.get("discovery.dns", Addresses.DISCOVERY), positive("discovery.interval")),
                drover.get("balance", BALANCE),
                new Routing(drover.get("routing.model-aware", Kind.BOOLEAN)),
                health(),
                timeouts(),
                new Retry(number("retry.attempts", 0, 100), drover.get("retry.mid-stream", MID_STREAM)),
                admission.limits(),
                admission.access(),
                admission.auth(),
                new Tls(
                        drover.get("tls.certificate", Pem.CERTIFICATES),
                        drover.get("tls.key", Pem.KEY),
                        drover.get("tls.provider", TLS_PROVIDER)),
                admission.validation(),
                admission.rewrite(),
                cache(),
                new Upstream(
                        positive("upstream.idle-timeout"),
                        number("upstream.max-idle", 0, Integer.MAX_VALUE),
                        number("upstream.max-connecting", 1, Integer.MAX_VALUE)),
                buffers(),
                new Cors(drover.list("cors.origins", Kind.ORIGIN)),
                new Metrics(number("metrics.max-models", 0, 100_000), positive("metrics.stall-after")),
                new Redis(drover.secret("redis.uri", Kind.REDIS_URI)),
                new AccessLog(
                        drover.get("access-log.enabled", Kind.BOOLEAN),
                        drover.get("access-log.file", Kind.FILE),
                        number("access-log.queue", 1, 1 << 24)),
                new AuditLog(
                        drover.get("audit-log.enabled", Kind.BOOLEAN),
                        drover.get("audit-log.file", Kind.FILE).orElse(AUDIT_LOG),
                        drover.get("audit-log.prompts", Kind.BOOLEAN),
                        drover.get("audit-log.max-prompt", PROMPT_SIZE).intValue(),
                        number("audit-log.queue", 1, 1 << 24),
                        drover.get("audit-log.max-waiting", SIZE),
                        drover.get("audit-log.max-size", FILE_SIZE),
                        number("audit-log.keep", 0, 10_000)));
    }

    private CacheConfig cache() {
        return new CacheConfig(
                drover.get("cache.enabled", Kind.BOOLEAN),
                drover.get("cache.when", CACHE_WHEN),
                positive("cache.ttl"),
                drover.get("cache.memory", SIZE),
                drover.get("cache.max-entry", ENTRY_SIZE),
                drover.get("cache.serve-stale", Quantities.DURATION),
                drover.get("cache.coalesce", Kind.BOOLEAN),
                drover.get("cache.max-request", SMALL_SIZE),
                drover.get("cache.recording", SIZE),
                drover.get("cache.lookup-budget", Quantities.LOOKUP),
                drover.get("cache.writing", SIZE),
                drover.get("cache.per-tenant", Kind.BOOLEAN),
                drover.list("cache.exclude.models", AdmissionRecords.GLOB),
                drover.list("cache.exclude.keys", Kind.NAME),
                drover.get("cache.lease", Quantities.WAIT_FOR_ANOTHER),
                drover.get("cache.encryption-key-file", Kind.FILE),
                new CacheConfig.Semantic(
                        drover.get("cache.semantic.model", Kind.MODEL),
                        drover.get("cache.semantic.threshold", Kind.SIMILARITY),
                        number("cache.semantic.entries", 1, 1_000_000),
                        drover.get("cache.semantic.timeout", Quantities.EMBEDDING)));
    }

    private Health health() {
        return new Health(
                new ActiveHealth(
                        drover.get("health.active.interval", Quantities.DURATION),
                        positive("health.active.timeout"),
                        number("health.active.rise", 1, Integer.MAX_VALUE),
                        number("health.active.fall", 1, Integer.MAX_VALUE)),
                new PassiveHealth(
                        number("health.passive.failures", 0, Integer.MAX_VALUE),
                        positive("health.passive.eject"),
                        positive("health.passive.max-eject"),
                        number("health.passive.max-share", 1, 100)),
                new DegradedHealth(
                        number("health.degraded.share", 1, 100),
                        number("health.degraded.requests", 0, 1_000_000),
                        number("health.degraded.unfinished", 1, 100)),
                drover.get("health.wedged-after", Quantities.DURATION),
                drover.get("health.slow-start", Quantities.DURATION));
    }

    private Timeouts timeouts() {
        return new Timeouts(
                positive("timeouts.connect"),
                positive("timeouts.request-head"),
                positive("timeouts.request-body"),
                positive("timeouts.first-byte"),
                positive("timeouts.idle"),
                positive("timeouts.client-write"),
                positive("timeouts.upstream-write"),
                positive("timeouts.keep-alive"),
                positive("timeouts.lingering-close"));
    }

    private Buffers buffers() {
        return new Buffers(
                drover.get("buffers.retained-bodies", SIZE),
                drover.get("buffers.outbound", SIZE),
                drover.get("buffers.stream-high", SMALL_SIZE).intValue(),
                drover.get("buffers.stream-low", SMALL_SIZE).intValue(),
                drover.get("buffers.hold-back", SMALL_SIZE).intValue());
    }

    private Duration positive(String path) {
        return drover.get(path, Quantities.POSITIVE_DURATION);
    }

    private int number(String path, int least, int most) {
        return drover.get(path, Kind.number(least, most));
    }
}
