package io.drover.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigValueFactory;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigLoaderTest {
    private static final String RESOURCES = "src/test/resources/io/drover/config/";

    private final Path directory;
    private final Loading loading;

    ConfigLoaderTest(@TempDir Path directory) {
        this.directory = directory;
        loading = new Loading(directory);
    }

    @Test
    void aBackendFlagIsEnough() throws ConfigException {
        DroverConfig config = loading.backends("http://gpu1:11434").config();

        assertThat(config.listen()).containsExactly(address("0.0.0.0", 8080));
        assertThat(config.backends())
                .containsExactly(new BackendConfig(
                        URI.create("http://gpu1:11434"),
                        "gpu1:11434",
                        1,
                        false,
                        "gpu1:11434",
                        true,
                        Optional.empty(),
                        BackendTls.DEFAULT));
        assertThat(config.eventLoops()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(config.limits().connections()).isEqualTo(FileLimit.connections());
        assertThat(config.redis().uri()).isEmpty();
        assertThat(config.accessLog().file()).isEmpty();
    }

    @Test
    void theExampleOfTheInterfaceLoadsAndSaysTheDefaults() throws Exception {
        DroverConfig example = loading.file(resource("interface.conf")).config();

        DroverConfig defaults = new Loading(directory)
                .file("drover.backends = [{ url = \"http://127.0.0.1:11434\", name = gpu-a }]")
                .config();
        assertThat(example).isEqualTo(defaults);
    }

    @Test
    void theFileForUsersLoads() throws ConfigException {
        LoadedConfig loaded = ConfigLoader.load(ConfigSource.of(Path.of("conf/drover.conf")));

        assertThat(loaded.warnings()).isEmpty();
        assertThat(loaded.config().backends())
                .extracting(BackendConfig::toString)
                .containsExactly("gpu-a=http://127.0.0.1:11434", "gpu-b=http://127.0.0.1:11435");
    }

    /** What compose.yml passes on from an .env that is not there. */
    @Test
    void anAdminPortWithoutATokenStaysOnLoopback() throws ConfigException {
        DroverConfig.Admin admin = loading.backends("http://gpu1:1")
                .variable("DROVER_ADMIN_LISTEN", "")
                .variable("DROVER_ADMIN_TOKEN_HASH", "")
                .variable("DROVER_ADMIN_SCRAPE_TOKEN_HASH", "")
                .config()
                .admin();

        assertThat(admin.listen()).isEqualTo(address("127.0.0.1", 9090));
        assertThat(admin.tokenHash()).isEmpty();
    }

    @Test
    void aTokenOpensTheAdminPortToOthers() throws ConfigException {
        DroverConfig.Admin admin = loading.backends("http://gpu1:1")
                .variable("DROVER_ADMIN_LISTEN", "0.0.0.0:9090")
                .variable("DROVER_ADMIN_TOKEN_HASH", "sha256:" + "1".repeat(64))
                .config()
                .admin();

        assertThat(admin.listen()).isEqualTo(address("0.0.0.0", 9090));
        assertThat(admin.tokenHash()).isPresent();
    }

    @Test
    void theCommentedOutChangesOfTheFileForUsersLoad() throws Exception {
        String file = java.nio.file.Files.readString(Path.of("conf/drover.conf"))
                .replaceAll("(?m)^  # ([a-z.-]+ = )", "  $1");

        DroverConfig config = loading.file(file).config();

        assertThat(config.timeouts().firstByte()).isEqualTo(Duration.ofMinutes(30));
        assertThat(config.accessLog().enabled()).isFalse();
        assertThat(config.cors().origins()).containsExactly("https://chat.example.com");
        assertThat(config.cache().enabled()).isTrue();
    }

    /** No two values of one type are the same, so that a component which got its neighbour's value is found. */
    @Test
    void everyKeyReachesItsComponent() throws Exception {
        DroverConfig config = loading.file(resource("everything.conf")).load().config();

        PemCertificates certificates = Pem.CERTIFICATES
                .read(ConfigValueFactory.fromAnyRef(RESOURCES + "tls-certificate.pem"))
                .orElseThrow();
        assertThat(config)
                .isEqualTo(new DroverConfig(
                        List.of(address("127.0.0.2", 81), address("::1", 82)),
                        true,
                        new DroverConfig.Admin(
                                address("10.0.0.3", 83),
                                List.of("ops.internal"),
                                SecretHash.parse("sha256:" + "1".repeat(64)),
                                SecretHash.parse("sha256:" + "2".repeat(64))),
                        3,
                        DroverConfig.TransportKind.IO_URING,
                        Duration.ofSeconds(101),
                        Duration.ofSeconds(102),
                        List.of(
                                new BackendConfig(
                                        URI.create("http://gpu1"),
                                        "one",
                                        7,
                                        true,
                                        "llm.internal",
                                        false,
                                        Optional.of("Bearer abc"),
                                        BackendTls.DEFAULT),
                                new BackendConfig(
                                        URI.create("https://[::1]:84"),
                                        "[::1]:84",
                                        1,
                                        false,
                                        "[::1]:84",
                                        true,
                                        Optional.empty(),
                                        new BackendTls(false, Optional.of(certificates), "gpu.internal"))),
                        new DroverConfig.Discovery(
                                Optional.of(DiscoveryName.parse("_ollama._tcp.gpus.internal")),
                                Duration.ofSeconds(128)),
                        DroverConfig.Balance.RANDOM_TWO,
                        new DroverConfig.Routing(false),
                        new DroverConfig.Health(
                                new DroverConfig.ActiveHealth(Duration.ofSeconds(103), Duration.ofSeconds(104), 8, 9),
                                new DroverConfig.PassiveHealth(
                                        10, Duration.ofSeconds(105), Duration.ofSeconds(125), 26),
                                new DroverConfig.DegradedHealth(27, 28, 29),
                                Duration.ofSeconds(128),
                                Duration.ofSeconds(127)),
                        new DroverConfig.Timeouts(
                                Duration.ofSeconds(106),
                                Duration.ofSeconds(107),
                                Duration.ofSeconds(108),
                                Duration.ofSeconds(109),
                                Duration.ofSeconds(110),
                                Duration.ofSeconds(111),
                                Duration.ofSeconds(112),
                                Duration.ofSeconds(113),
                                Duration.ofSeconds(114)),
                        new DroverConfig.Retry(11, DroverConfig.MidStream.DETERMINISTIC),
                        new DroverConfig.Limits(
                                12 * 1024,
                                13,
                                14 * 1024 * 1024,
                                999_999_999,
                                36,
                                37,
                                List.of(
                                        new DroverConfig.RateLimit(
                                                "requests",
                                                new LimitKey(LimitKey.By.CLIENT_IP, ""),
                                                new Rate(24, TimeUnit.MINUTES),
                                                25,
                                                Duration.ZERO,
                                                List.of(),
                                                List.of(),
                                                List.of()),
                                        new DroverConfig.RateLimit(
                                                "team",
                                                new LimitKey(LimitKey.By.HEADER, "x-team"),
                                                new Rate(38, TimeUnit.HOURS),
                                                39,
                                                Duration.ofSeconds(130),
                                                List.of("/v1/*"),
                                                List.of("qwen*"),
                                                List.of("alice", "bob"))),
                                List.of(new DroverConfig.RateLimit(
                                        "tokens",
                                        new LimitKey(LimitKey.By.ALL, ""),
                                        new Rate(40, TimeUnit.DAYS),
                                        40,
                                        Duration.ZERO,
                                        List.of(),
                                        List.of(),
                                        List.of())),
                                41,
                                List.of(new DroverConfig.Budget(
                                        "budgets",
                                        new LimitKey(LimitKey.By.API_KEY, ""),
                                        DroverConfig.Period.MONTH,
                                        42,
                                        Duration.ofSeconds(131),
                                        List.of(),
                                        List.of(),
                                        List.of())),
                                Optional.of(Path.of("/var/lib/drover/budgets")),
                                26,
                                true,
                                Duration.ofMillis(132),
                                List.of(
                                        new Cidr(address("10.0.0.0", 0).getAddress(), 8),
                                        new Cidr(address("::1", 0).getAddress(), 128))),
                        new DroverConfig.Access(
                                List.of(
                                        new Cidr(address("10.1.0.0", 0).getAddress(), 16),
                                        new Cidr(address("fd00::", 0).getAddress(), 8)),
                                List.of(new Cidr(address("10.1.2.3", 0).getAddress(), 32))),
                        new DroverConfig.Auth(
                                List.of(
                                        DroverConfig.AuthMode.API_KEY,
                                        DroverConfig.AuthMode.JWT,
                                        DroverConfig.AuthMode.BASIC),
                                Optional.of(Path.of("/etc/drover/keys")),
                                true,
                                Optional.of(Path.of("/etc/drover/users")),
                                Duration.ofSeconds(129),
                                "/secret/",
                                30,
                                new DroverConfig.Jwt(
                                        Optional.of(URI.create("https://login.example.org/keys")),
                                        Optional.empty(),
                                        "https://login.example.org",
                                        "llm",
                                        List.of("PS256"),
                                        "email",
                                        "limits",
                                        Duration.ofSeconds(31))),
                        new DroverConfig.Tls(
                                Optional.of(certificates),
                                Optional.of(Pem.KEY
                                        .read(ConfigValueFactory.fromAnyRef(RESOURCES + "tls-key.pem"))
                                        .orElseThrow()),
                                DroverConfig.TlsProvider.JDK),
                        new DroverConfig.Validation(true, List.of("llama3*", "qwen3:8b"), 30, 31, 32, 33),
                        new DroverConfig.Rewrite(34, true, "35m"),
                        new CacheConfig(
                                true,
                                CacheConfig.When.ALWAYS,
                                Duration.ofSeconds(133),
                                43L << 20,
                                44L << 10,
                                Duration.ofSeconds(134),
                                false,
                                45L << 10,
                                46L << 20,
                                Duration.ofMillis(135),
                                47L << 20,
                                true,
                                List.of("private*"),
                                List.of("carol"),
                                Duration.ofSeconds(136),
                                Optional.of(Path.of("/etc/drover/cache.key")),
                                new CacheConfig.Semantic("nomic-embed-text", 0.97, 48, Duration.ofMillis(137))),
                        new DroverConfig.Upstream(Duration.ofSeconds(115), 15, 16),
                        new DroverConfig.Buffers(17L << 30, 18L << 30, 19 * 1024, 20, 21),
                        new DroverConfig.Cors(List.of("https://*.example.com", "app://*")),
                        new DroverConfig.Metrics(22, Duration.ofSeconds(23)),
                        new DroverConfig.Redis(Optional.of("rediss://:secret@cache:6380")),
                        new DroverConfig.AccessLog(false, Optional.of(Path.of("/var/log/drover.log")), 23),
                        new DroverConfig.AuditLog(
                                true, Path.of("/var/log/audit.log"), true, 29 * 1024, 30, 33L << 20, 31L << 20, 32)));
    }

    @Test
    void theCacheStaysAsItIsUntilARestart() throws ConfigException {
        DroverConfig running = loading.file(Loading.ONE_BACKEND + "drover.cache { enabled = true, ttl = 2h }")
                .config();

        LoadedConfig reloaded = loading.file(Loading.ONE_BACKEND + "drover.cache { enabled = true, ttl = 3h }")
                .reload(running);

        assertThat(reloaded.restartKeys()).containsExactly("cache");
        assertThat(reloaded.config()).isEqualTo(running);
    }

    @Test
    void theCacheMayHaveSixTenthsOfTheHeap() throws ConfigException {
        DroverConfig config = loading.file(Loading.ONE_BACKEND + "drover.cache { enabled = true, memory = 60MiB }")
                .heap(100 << 20)
                .config();

        assertThat(config.cache().memory()).isEqualTo(60 << 20);
    }

    @Test
    void flagsComeBeforeTheFileAndTheFileBeforeTheEnvironment() throws ConfigException {
        loading.file("drover { backends = [\"http://file:1\"], retry.attempts = 5, metrics.max-models = 5 }")
                .variable("DROVER_RETRY_ATTEMPTS", "6")
                .variable("DROVER_EVENT_LOOPS", "6")
                .variable("DROVER_METRICS_MAX_MODELS", "6")
                .variable("DROVER_BACKENDS", "http://environment:1")
                .flag("metrics.max-models", "7")
                .backends("http://flag:1");

        DroverConfig config = loading.config();

        assertThat(config.eventLoops()).isEqualTo(6);
        assertThat(config.retry().attempts()).isEqualTo(5);
        assertThat(config.metrics().maxModels()).isEqualTo(7);
        assertThat(config.backends()).extracting(BackendConfig::name).containsExactly("flag:1");
    }

    @Test
    void theEnvironmentAloneIsEnough() throws ConfigException {
        DroverConfig config = loading.variable("DROVER_BACKENDS", "http://gpu1:11434, http://gpu2:11434/,")
                .variable("DROVER_LISTEN", ":81,[::1]:82")
                .variable("DROVER_TIMEOUTS_FIRST_BYTE", "30m")
                .variable("DROVER_LIMITS_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1")
                .variable("DROVER_ACCESS_LOG_ENABLED", "false")
                .config();

        assertThat(config.backends())
                .extracting(BackendConfig::toString)
                .containsExactly("gpu1:11434=http://gpu1:11434", "gpu2:11434=http://gpu2:11434");
        assertThat(config.listen()).containsExactly(address("0.0.0.0", 81), address("::1", 82));
        assertThat(config.timeouts().firstByte()).isEqualTo(Duration.ofMinutes(30));
        assertThat(config.limits().trustedProxies()).hasSize(2);
        assertThat(config.accessLog().enabled()).isFalse();
    }

    @Test
    void anEmptyVariableOfOursCountsAsUnset() throws ConfigException {
        DroverConfig config = loading.backends("http://gpu1:1")
                .variable("DROVER_EVENT_LOOPS", "")
                .config();

        assertThat(config.eventLoops()).isPositive();
    }

    @Test
    void aFileMayUseAnyVariableAndRefersToDefaults() throws ConfigException {
        DroverConfig config = loading.file(Loading.ONE_BACKEND + """
                        drover.retry.attempts = ${TRIES}
                        drover.metrics.max-models = ${?NOT_SET}
                        drover.listen = "127.0.0.1:"${PORT}
                        drover.timeouts.connect = ${drover.timeouts.idle}
                        """)
                .variable("TRIES", "4")
                .variable("PORT", "8081")
                .config();

        assertThat(config.retry().attempts()).isEqualTo(4);
        assertThat(config.metrics().maxModels()).isEqualTo(100);
        assertThat(config.listen()).containsExactly(address("127.0.0.1", 8081));
        assertThat(config.timeouts().connect()).isEqualTo(Duration.ofMinutes(2));
    }

    @Test
    void theProcessesOwnEnvironmentDoesNotCount() {
        assertThat(System.getenv("PATH")).isNotEmpty();

        assertThat(loading.file(Loading.ONE_BACKEND + "drover.access-log.file = ${PATH}")
                        .problems())
                .containsExactly("drover.conf:2: ${PATH} (expected: a key of this file or a variable of the"
                        + " environment; ${?NAME} may be missing)");
    }

    @Test
    void listenTakesAPortAloneAndAList() throws ConfigException {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.listen = 8081")
                        .config()
                        .listen())
                .containsExactly(address("0.0.0.0", 8081));
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.listen = [\":0\", \"[::]:8082\", \"localhost:8083\"]")
                        .config()
                        .listen())
                .containsExactly(address("0.0.0.0", 0), address("::", 8082), address("localhost", 8083));
    }

    @Test
    void twoBackendsMayShareAUrlUnderNamesOfTheirOwn() throws ConfigException {
        DroverConfig config = loading.file(
                        "drover.backends = [{url = \"http://gpu:1\", name = a}, {url = \"http://gpu:1\", name = b}]")
                .config();

        assertThat(config.backends()).extracting(BackendConfig::name).containsExactly("a", "b");
    }

    @Test
    void secretsComeFromFilesTrimmed() throws ConfigException {
        Path key = loading.write("key", "  Bearer abc\n");
        Path uri = loading.write("uri", "redis://:pw@cache:6379\n");

        DroverConfig config = loading.file("drover.backends = [{ url = \"http://gpu:1\", authorization-file = \"" + key
                        + "\" }]\ndrover.redis.uri-file = \"" + uri + "\"")
                .config();

        assertThat(config.backends().get(0).authorization()).contains("Bearer abc");
        assertThat(config.redis().uri()).contains("redis://:pw@cache:6379");
        assertThat(config.toString()).doesNotContain("abc").doesNotContain("pw");
    }

    @Test
    void includedFilesCount() throws ConfigException {
        loading.write("common.conf", Loading.ONE_BACKEND);

        assertThat(loading.file("include \"common.conf\"\ndrover.retry.attempts = 1")
                        .config()
                        .backends())
                .hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "1/s, 1, SECONDS",
        "1000000/s, 1000000, SECONDS",
        "' 600/m ', 600, MINUTES",
        "0010/h, 10, HOURS",
        "9000000/d, 9000000, DAYS"
    })
    void ratesAreSoManyInAUnit(String text, int count, TimeUnit unit) throws ConfigException {
        DroverConfig config = loading.backends("http://gpu1:1")
                .flag("limits.requests.rate", text)
                .config();

        assertThat(config.limits().requests())
                .extracting(DroverConfig.RateLimit::rate)
                .containsExactly(new Rate(count, unit));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "\"0\""})
    void aRateOfZeroIsNone(String zero) throws ConfigException {
        DroverConfig config = loading.file(Loading.ONE_BACKEND + "drover.limits.requests { rate = " + zero
                        + ", burst = 5, key = client-ip }")
                .config();

        assertThat(config.limits().requests()).isEmpty();
    }

    @Test
    void connectionsFollowTheFileLimit() {
        assertThat(FileLimit.connections(1024)).isEqualTo(412);
        assertThat(FileLimit.connections(100)).isEqualTo(16);
        assertThat(FileLimit.connections(Long.MAX_VALUE)).isEqualTo(Integer.MAX_VALUE);
        // Two sources, one number.
        assertThat(FileLimit.openFiles()).isEqualTo(FileLimit.openFilesOfBean()).isPositive();
    }

    private static InetSocketAddress address(String host, int port) {
        return new InetSocketAddress(host, port);
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(ConfigLoaderTest.class.getResourceAsStream(name))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
