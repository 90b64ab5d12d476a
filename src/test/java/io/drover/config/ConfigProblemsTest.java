package io.drover.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigProblemsTest {
    private static final String NEEDS_TOKEN = "a loopback address, or drover.admin.token-hash set: drover key --name"
            + " admin prints a token, and its sha256:... on the second line";

    private final Path directory;
    private final Loading loading;

    ConfigProblemsTest(@TempDir Path directory) {
        this.directory = directory;
        loading = new Loading(directory);
    }

    @Test
    void aProblemHasItsParts() {
        Path file = loading.write("drover.conf", Loading.ONE_BACKEND + "\ndrover.timeouts.idle = soon");

        assertThatThrownBy(() -> ConfigLoader.load(ConfigSource.of(file)))
                .hasMessage(file + ":3: drover.timeouts.idle: \"soon\" (expected: a duration such as 2m)")
                .isInstanceOfSatisfying(ConfigException.class, wrong -> assertThat(wrong.problems())
                        .containsExactly(new ConfigProblem(
                                file.toString(), 3, "drover.timeouts.idle", "\"soon\"", "a duration such as 2m")));
    }

    @Test
    void everyMistakeOfAFileIsReportedAtOnce() {
        loading.file("""
                drover {
                  balance = fastest
                  backends = [
                    { url = "ftp://gpu1", name = a }
                    { url = "http://gpu2", weight = 0, wieght = 3 }
                  ]
                  timeouts { idle = 5, conect = 1s }
                }
                """);

        assertThat(loading.problems())
                .containsExactlyInAnyOrder(
                        "drover.conf:2: drover.balance: \"fastest\" (expected: least-connections, round-robin or"
                                + " random-two)",
                        "drover.conf:4: drover.backends[0].url: \"ftp://gpu1\" (expected: http://host:port or"
                                + " https://host:port, without a path)",
                        "drover.conf:5: drover.backends[1].wieght: unknown key (expected: a known key; the nearest is"
                                + " drover.backends[1].weight)",
                        "drover.conf:5: drover.backends[1].weight: 0 (expected: a whole number from 1 to 1000000)",
                        "drover.conf:7: drover.timeouts.conect: unknown key (expected: a known key; the nearest is"
                                + " drover.timeouts.connect)",
                        "drover.conf:7: drover.timeouts.idle: 5 (expected: a duration with a unit, such as 2m)");
        assertThat(loading.problems()).isSorted();
    }

    /** Columns: the line under test, what is printed after the key. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        event-loops = abc                | "abc" (expected: a whole number from 0 to 1024)
        event-loops = -1                 | -1 (expected: a whole number from 0 to 1024)
        event-loops = 1.5                | 1.5 (expected: a whole number from 0 to 1024)
        event-loops = 99999999999        | 99999999999 (expected: a whole number from 0 to 1024)
        event-loops = null               | null (expected: a whole number from 0 to 1024)
        event-loops = {}                 | an object (expected: a whole number from 0 to 1024)
        event-loops = [1, 2]             | [1,2] (expected: a whole number from 0 to 1024)
        transport = uring                | "uring" (expected: auto, io_uring, epoll, kqueue or nio)
        routing.model-aware = maybe      | "maybe" (expected: true or false)
        routing.model-aware = null       | null (expected: true or false)
        routing.model-aware = 1          | 1 (expected: true or false)
        timeouts.idle = soon             | "soon" (expected: a duration such as 2m)
        timeouts.idle = 120              | 120 (expected: a duration with a unit, such as 2m)
        timeouts.idle = "120"            | "120" (expected: a duration with a unit, such as 2m)
        timeouts.idle = 5 parsecs        | "5 parsecs" (expected: a duration such as 2m)
        timeouts.idle = -5s              | "-5s" (expected: a duration of at least 1ms)
        timeouts.idle = 0                | 0 (expected: a duration of at least 1ms)
        timeouts.idle = 999999999999d    | "999999999999d" (expected: a duration of at most 365d)
        timeouts.idle = [1s]             | ["1s"] (expected: a duration such as 2m)
        drain-delay = -1ms               | "-1ms" (expected: a duration of at least 0s)
        limits.request-head = big        | "big" (expected: a size such as 32KiB)
        limits.request-head = 5 furlongs | "5 furlongs" (expected: a size such as 32KiB)
        limits.request-head = 10B        | "10B" (expected: a size from 1KiB to 1MiB)
        limits.request-body = -5MiB      | "-5MiB" (expected: a size from 1B to 1TiB)
        limits.request-body = 0          | 0 (expected: a size from 1B to 1TiB)
        limits.headers = 0               | 0 (expected: a whole number from 1 to 10000)
        limits.connections = -1          | -1 (expected: a whole number from 0)
        limits.requests.rate = 10        | 10 (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.requests.rate = "10/w"    | "10/w" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.requests.rate = "0/s"     | "0/s" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.requests.rate = "-1/s"    | "-1/s" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.requests.rate = "1.5/s"   | "1.5/s" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.requests.rate = "1000001/s" | "1000001/s" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.requests.rate = []        | [] (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.requests.burst = 0        | 0 (expected: a whole number from 1 to 1000000)
        limits.requests.burst = 1000001  | 1000001 (expected: a whole number from 1 to 1000000)
        limits.requests.key = user       | "user" (expected: client-ip, api-key, model, all or header:NAME)
        limits.requests.key = "header:"  | "header:" (expected: client-ip, api-key, model, all or header:NAME)
        limits.requests.paths = [chat]   | "chat" (expected: a path such as /api/chat or /v1/*)
        limits.requests.delay = soon     | "soon" (expected: a duration such as 2m)
        limits.tokens.rate = many        | "many" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s; 0: off)
        limits.budgets.per = week        | "week" (expected: day or month)
        limits.budgets.tokens = -1       | -1 (expected: a whole number from 0, of at most 15 digits)
        limits.answer-tokens = -1        | -1 (expected: a whole number from 0 to 1000000000)
        limits.max-keys = 0              | 0 (expected: a whole number from 1 to 10000000)
        limits.trusted-proxies = gateway | "gateway" (expected: an address or a network, such as 10.0.0.0/8)
        limits.trusted-proxies = "1.2.3.999" | "1.2.3.999" (expected: an address or a network, such as 10.0.0.0/8)
        limits.trusted-proxies = "10.0.0.0/33" | "10.0.0.0/33" (expected: an address or a network, such as 10.0.0.0/8, with at most 32 bits)
        limits.trusted-proxies = {}      | an object (expected: a list)
        validation.fields = some         | "some" (expected: true or false)
        validation.models = {}           | an object (expected: a list)
        validation.models = "a b"        | "a b" (expected: a name, in which each * stands for any text)
        validation.max-num-ctx = -1      | -1 (expected: a whole number from 0)
        validation.max-num-predict = 1.5 | 1.5 (expected: a whole number from 0)
        validation.max-images = many     | "many" (expected: a whole number from 0)
        validation.max-messages = -1     | -1 (expected: a whole number from 0)
        rewrite.num-ctx = -1             | -1 (expected: a whole number from 0)
        rewrite.strip-num-ctx = 1        | 1 (expected: true or false)
        rewrite.keep-alive = ever        | "ever" (expected: a duration such as 30m, -1 for ever, or nothing)
        rewrite.keep-alive = "5 m"       | "5 m" (expected: a duration such as 30m, -1 for ever, or nothing)
        health.active.rise = 0           | 0 (expected: a whole number from 1)
        health.active.fall = 0           | 0 (expected: a whole number from 1)
        health.passive.failures = -1     | -1 (expected: a whole number from 0)
        health.degraded.share = 0        | 0 (expected: a whole number from 1 to 100)
        upstream.max-connecting = 0      | 0 (expected: a whole number from 1)
        retry.mid-stream = always        | "always" (expected: off or deterministic)
        retry.attempts = -1              | -1 (expected: a whole number from 0 to 100)
        admin.listen = nowhere           | "nowhere" (expected: host:port, such as 0.0.0.0:8080)
        admin.listen = "::1:8080"        | "::1:8080" (expected: host:port, such as 0.0.0.0:8080)
        admin.listen = ":65536"          | ":65536" (expected: a port from 0 to 65535)
        admin.listen = ":-1"             | ":-1" (expected: host:port, such as 0.0.0.0:8080)
        admin.listen = "no.invalid:80"   | "no.invalid:80" (expected: a host with an address)
        admin.token-hash = secret        | (hidden) (expected: sha256: and 64 hexadecimal digits, as the command key prints it)
        admin.scrape-token-hash = "sha256:abc" | (hidden) (expected: sha256: and 64 hexadecimal digits, as the command key prints it)
        proxy-protocol = v2              | "v2" (expected: true or false)
        access.allow = office            | "office" (expected: an address or a network, such as 10.0.0.0/8)
        access.deny = "fd00::/129"       | "fd00::/129" (expected: an address or a network, such as 10.0.0.0/8, with at most 128 bits)
        listen = []                      | [] (expected: at least one host:port)
        auth.mode = key                  | "key" (expected: none, api-key, jwt or basic)
        auth.keys-in-redis = maybe       | "maybe" (expected: true or false)
        auth.refresh = 0                 | 0 (expected: a duration of at least 1ms)
        limits.lease = 9ms               | "9ms" (expected: a duration of at least 10ms)
        limits.lease = 11s               | "11s" (expected: a duration of at most 10s)
        cors.origins = "https://*.*"     | "https://*.*" (expected: an origin such as https://*.example.com, with at most one *)
        access-log.file = {}             | an object (expected: a file name)
        access-log.queue = 0             | 0 (expected: a whole number from 1 to 16777216)
        audit-log.enabled = maybe        | "maybe" (expected: true or false)
        audit-log.file = {}              | an object (expected: a file name)
        audit-log.prompts = some         | "some" (expected: true or false)
        audit-log.max-prompt = 0         | 0 (expected: a size from 1B to 16MiB)
        audit-log.queue = 0              | 0 (expected: a whole number from 1 to 16777216)
        audit-log.max-waiting = 0        | 0 (expected: a size from 1B to 1TiB)
        audit-log.max-size = 1KiB        | "1KiB" (expected: a size from 64KiB to 1TiB)
        audit-log.keep = -1              | -1 (expected: a whole number from 0 to 10000)
        discovery.dns = gpu              | "gpu" (expected: host:port with a port from 1 to 65535, or a service such as _ollama._tcp.example.org)
        discovery.interval = 0           | 0 (expected: a duration of at least 1ms)
        auth.cached = 0                  | 0 (expected: a whole number from 1 to 10000000)
        auth.refresh = 0                 | 0 (expected: a duration of at least 1ms)
        limits.lease = 9ms               | "9ms" (expected: a duration of at least 10ms)
        limits.lease = 11s               | "11s" (expected: a duration of at most 10s)
        auth.jwt.algorithms = HS256      | "HS256" (expected: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or ES512)
        auth.jwt.algorithms = none       | "none" (expected: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or ES512)
        auth.jwt.jwks-uri = "http://login/keys" | "http://login/keys" (expected: https://host/path, or http:// to loopback)
        auth.jwt.jwks-uri = "http://127.evil.org/keys" | "http://127.evil.org/keys" (expected: https://host/path, or http:// to loopback)
        auth.jwt.jwks-uri = "https://me:pw@login/keys" | "https://(hidden)@login/keys" (expected: https://host/path, or http:// to loopback)
        auth.jwt.jwks-uri = "ftp://login/keys" | "ftp://login/keys" (expected: https://host/path, or http:// to loopback)
        auth.jwt.jwks-uri = "https:///keys" | "https:///keys" (expected: https://host/path, or http:// to loopback)
        auth.jwt.leeway = -1s            | "-1s" (expected: a duration of at least 0s)
        cache.enabled = maybe            | "maybe" (expected: true or false)
        cache.when = never               | "never" (expected: deterministic or always)
        cache.ttl = long                 | "long" (expected: a duration such as 2m)
        cache.ttl = 0                    | 0 (expected: a duration of at least 1ms)
        cache.memory = 0                 | 0 (expected: a size from 1B to 1TiB)
        cache.max-entry = 1000           | 1000 (expected: a size from 1KiB to 1GiB)
        cache.max-entry = 2GiB           | "2GiB" (expected: a size from 1KiB to 1GiB)
        cache.serve-stale = -1s          | "-1s" (expected: a duration of at least 0s)
        cache.coalesce = 1               | 1 (expected: true or false)
        cache.max-request = 0            | 0 (expected: a size from 1B to 1GiB)
        cache.recording = much           | "much" (expected: a size such as 32KiB)
        cache.lookup-budget = 0          | 0 (expected: a duration of at least 1ms)
        cache.lookup-budget = 1001ms     | "1001ms" (expected: a duration of at most 1s)
        cache.writing = 0                | 0 (expected: a size from 1B to 1TiB)
        cache.per-tenant = user          | "user" (expected: true or false)
        cache.exclude.models = "a b"     | "a b" (expected: a name, in which each * stands for any text)
        cache.exclude.keys = "a/b"       | "a/b" (expected: a name of letters, digits and . _ - : [ ])
        cache.lease = 11m                | "11m" (expected: a duration of at most 10m)
        cache.lease = 1ns                | "1ns" (expected: 0s, or a duration of at least 10ms)
        cache.encryption-key-file = []   | [] (expected: a file name)
        cache.semantic.model = "a b"     | "a b" (expected: a model's name, such as nomic-embed-text)
        cache.semantic.threshold = 1.1   | 1.1 (expected: a number from 0 to 1, such as 0.95)
        cache.semantic.threshold = -0.1  | -0.1 (expected: a number from 0 to 1, such as 0.95)
        cache.semantic.entries = 0       | 0 (expected: a whole number from 1 to 1000000)
        cache.semantic.timeout = 0       | 0 (expected: a duration of at least 1ms)
        cache.semantic.timeout = 61s     | "61s" (expected: a duration of at most 1m)
        redis.uri = "http://:pw@cache"   | (hidden) (expected: redis://host:port, rediss:// or redis-sentinel://, several with commas)
        """)
    void aWrongValueIsReportedWithItsExpectation(String line, String printed) {
        String key = line.substring(0, line.indexOf(" ="));

        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + line).problems())
                .containsExactly("drover.conf:2: drover." + key + ": " + printed);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        balance = hash               | "hash" (expected: least-connections, round-robin or random-two; hash is not available in this version)
        balance = expected-ttft      | "expected-ttft" (expected: least-connections, round-robin or random-two; expected-ttft is not available in this version)
        access-log.format = text     | "text" (expected: json)
        queue.max = -1               | -1 (expected: a whole number from 0)
        """)
    void whatThisVersionLacksIsSaid(String line, String printed) {
        String key = line.substring(0, line.indexOf(" ="));

        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + line).problems())
                .containsExactly("drover.conf:2: drover." + key + ": " + printed);
    }

    @Test
    void anElementOfAListIsNamedByItsPosition() {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.limits.trusted-proxies = [\"::1\",\n gateway ]")
                        .problems())
                .containsExactly("drover.conf:3: drover.limits.trusted-proxies[1]: \"gateway\" (expected: an address or"
                        + " a network, such as 10.0.0.0/8)");
    }

    @ParameterizedTest
    @ValueSource(strings = "tls")
    void aListWhereALaterVersionTakesOneIsSaid(String key) {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + key + " = []").problems())
                .containsExactly("drover.conf:2: drover." + key
                        + ": a list (expected: an object; a list is not available in" + " this version)");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        queue.max = 5                | drover.queue.max: 5 (expected: 1000, the default; accepted, not effective in this version)
        queue.timeout = 5s           | drover.queue.timeout: "5s" (expected: "60s", the default; accepted, not effective in this version)
        backends = [{url = "http://a:1", slots = 4}] | drover.backends[0].slots: 4 (expected: "auto", the default; accepted, not effective in this version)
        """)
    void whatHasNoEffectYetWarns(String line, String printed) throws ConfigException {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + line).warnings())
                .containsExactly("drover.conf:2: " + printed);
    }

    @ParameterizedTest
    @CsvSource({"queue.timeout = 1m", "queue.max = \"1000\"", "access-log.format = \"json\""})
    void theDefaultInOtherWordsDoesNotWarn(String line) throws ConfigException {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + line).warnings())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        drover.timeouts.idel = 1s    | drover.timeouts.idle
        drover.idle = 1s             | drover.timeouts.idle
        drover.timeout { idle = 1s } | drover.timeouts
        drover.listne = 80           | drover.listen
        drover.health.rise = 3       | drover.health.active.rise
        drover.backend = []          | drover.backends
        drover.backend { url = x }   | drover.backends
        drover.weight = 3            | drover.backends[].weight
        listen = 80                  | drover.listen
        drovr { listen = 80 }        | drover
        backend-entry { weight = 2 } | drover.backends
        drover.backend-entry = 2     | drover.backends
        """)
    void anUnknownKeyNamesTheNearest(String line, String nearest) {
        String key = line.replaceAll(" [={].*", "");

        assertThat(loading.file(Loading.ONE_BACKEND + line).problems())
                .containsExactly("drover.conf:2: " + key + ": unknown key (expected: a known key; the nearest is "
                        + nearest + ")");
    }

    @Test
    void aValueWhereASectionBelongsIsReportedOnceAndWithoutItsText() {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover { redis = \"redis://:pw@cache\", timeouts = 5s }")
                        .problems())
                .containsExactlyInAnyOrder(
                        "drover.conf:2: drover.redis: a string (expected: an object)",
                        "drover.conf:2: drover.timeouts: a string (expected: an object)");
        assertThat(loading.file("drover = 5").problems())
                .contains("drover.conf:1: drover: no object (expected: drover { ... })");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        url = "ftp://gpu1"             | url: "ftp://gpu1" (expected: http://host:port or https://host:port, without a path)
        url = "https://gpu1", tls.name = "a b" | tls.name: "a b" (expected: a host name or an address, without a port)
        url = "https://gpu1", tls.name = "a:1" | tls.name: "a:1" (expected: a host name or an address, without a port)
        url = "https://gpu1", tls.ca-file = "no/file" | tls.ca-file: "no/file" (expected: a readable file)
        url = "gpu1:11434"             | url: "gpu1:11434" (expected: http://host:port or https://host:port, without a path)
        url = "http:/gpu1"             | url: "http:/gpu1" (expected: http://host:port or https://host:port, without a path)
        url = "http://"                | url: "http://" (expected: http://host:port or https://host:port, without a path)
        url = "http://gpu1/api"        | url: "http://gpu1/api" (expected: http://host:port or https://host:port, without a path)
        url = "http://gpu1?a"          | url: "http://gpu1?a" (expected: http://host:port or https://host:port, without a path)
        url = "http://gpu1:x"          | url: "http://gpu1:x" (expected: http://host:port or https://host:port, without a path)
        url = "http://gpu 1"           | url: "http://gpu 1" (expected: http://host:port or https://host:port, without a path)
        url = "http://gpu_1:11434"     | url: "http://gpu_1:11434" (expected: a host name without _ (RFC 952))
        url = "http://gpu1:65536"      | url: "http://gpu1:65536" (expected: a port from 1 to 65535)
        url = "http://gpu1:0"          | url: "http://gpu1:0" (expected: a port from 1 to 65535)
        url = "http://me:pw@gpu1"      | url: "http://(hidden)@gpu1" (expected: http://host:port or https://host:port, without a path and without a user; authorization is a key of its own)
        url = "http://me:p/w@gpu1"     | url: "http://(hidden)@gpu1" (expected: http://host:port or https://host:port, without a path)
        url = 5                        | url: 5 (expected: http://host:port or https://host:port, without a path)
        url = "http://a", weight = -1  | weight: -1 (expected: a whole number from 1 to 1000000)
        url = "http://a", weight = 1.5 | weight: 1.5 (expected: a whole number from 1 to 1000000)
        url = "http://a", slots = 0    | slots: 0 (expected: auto or a whole number from 1)
        url = "http://a", slots = many | slots: "many" (expected: auto or a whole number from 1)
        url = "http://a", backup = 2   | backup: 2 (expected: true or false)
        url = "http://a", host = "a b" | host: "a b" (expected: host or host:port)
        url = "http://a", name = "a/b" | name: "a/b" (expected: a name of letters, digits and . _ - : [ ])
        url = "http://a", authorization = "a\\r\\nB: c" | authorization: (hidden) (expected: one line of printable ASCII)
        """)
    void aWrongBackendIsReported(String entry, String printed) {
        assertThat(loading.file("drover.backends = [\n { " + entry + " }\n]").problems())
                .containsExactly("drover.conf:2: drover.backends[0]." + printed);
    }

    @Test
    void aBackendNeedsAUrl() {
        assertThat(loading.file("drover.backends = [\n{ name = a }\n]").problems())
                .containsExactly("drover.conf:2: drover.backends[0]: no url (expected: url = \"http://host:port\")");
    }

    @Test
    void backendsOfOneNameAreReported() {
        loading.file("""
                drover.backends = [
                  { url = "http://gpu1:1", name = a }
                  { url = "http://gpu2:1"
                    name = a }
                  "http://gpu3:1"
                  "http://gpu3:1"
                ]
                """);

        assertThat(loading.problems())
                .containsExactly(
                        "drover.conf:4: drover.backends[1].name: \"a\" (expected: a name of its own;"
                                + " drover.backends[0] has this one)",
                        "drover.conf:6: drover.backends[3].name: \"gpu3:1\" (expected: a name of its own;"
                                + " drover.backends[2] has this one)");
    }

    @Test
    void noBackendIsAProblem() {
        assertThat(loading.problems())
                .containsExactly(
                        "command line: drover.backends: [] (expected: at least one backend, or discovery.dns)");
        assertThat(loading.file("").problems())
                .containsExactly("drover.conf: drover.backends: [] (expected: at least one backend, or discovery.dns)");
        assertThat(loading.file("\ndrover.backends = []").problems())
                .containsExactly(
                        "drover.conf:2: drover.backends: [] (expected: at least one backend, or discovery.dns)");
        assertThat(loading.file("drover.backends { a = 1 }").problems())
                .containsExactly("drover.conf:1: drover.backends: an object (expected: a list)");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        buffers.stream-low = 256KiB  | buffers.stream-low: "256KiB" (expected: less than drover.buffers.stream-high, 256KiB)
        buffers.stream-high = 64KiB  | buffers.stream-high: "64KiB" (expected: more than drover.buffers.stream-low, 64KiB)
        buffers.outbound = 64KiB     | buffers.outbound: "64KiB" (expected: at least drover.buffers.stream-high, 256KiB)
        limits.request-body = 1GiB   | limits.request-body: "1GiB" (expected: at most drover.buffers.retained-bodies, 256MiB)
        buffers.retained-bodies = 1KiB | buffers.retained-bodies: "1KiB" (expected: at least drover.limits.request-body, 100MiB)
        cache.max-entry = 50MiB, drover.cache.memory = 49MiB | cache.max-entry: "50MiB" (expected: at most drover.cache.memory, 49MiB)
        cache.memory = 7MiB          | cache.memory: "7MiB" (expected: at least drover.cache.max-entry, 8MiB)
        cache.max-entry = 65MiB      | cache.max-entry: "65MiB" (expected: at most drover.cache.recording, 64MiB)
        cache.recording = 7MiB       | cache.recording: "7MiB" (expected: at least drover.cache.max-entry, 8MiB)
        listen = ["127.0.0.1:80", "*:80"] | listen: ["127.0.0.1:80","*:80"] (expected: addresses that differ)
        listen = 9090                | listen: 9090 (expected: another address than 127.0.0.1:9090)
        auth.mode = [none, jwt]      | auth.mode: ["none","jwt"] (expected: none alone, or those that are accepted)
        auth.mode = jwt              | auth.mode: "jwt" (expected: drover.auth.jwt.jwks-uri or drover.auth.jwt.jwks-file beside jwt)
        auth.mode = basic            | auth.mode: "basic" (expected: drover.auth.users-file beside basic)
        auth.users-file = users      | auth.users-file: "users" (expected: nothing, since drover.auth.mode lacks basic)
        auth.jwt.jwks-file = keys    | auth.jwt.jwks-file: "keys" (expected: nothing, since drover.auth.mode lacks jwt)
        auth.jwt.jwks-uri = "https://login/keys" | auth.jwt.jwks-uri: "https://login/keys" (expected: nothing, since drover.auth.mode lacks jwt)
        auth.mode = []               | auth.mode: [] (expected: none alone, or those that are accepted)
        auth.mode = [none, api-key]  | auth.mode: ["none","api-key"] (expected: none alone, or those that are accepted)
        auth.mode = api-key          | auth.mode: "api-key" (expected: drover.auth.keys-file or drover.auth.keys-in-redis beside api-key)
        auth.keys-file = keys        | auth.keys-file: "keys" (expected: nothing, since drover.auth.mode lacks api-key)
        auth.keys-in-redis = true    | auth.keys-in-redis: true (expected: false, since drover.auth.mode lacks api-key)
        admin.listen = "127.0.0.1:8080" | admin.listen: "127.0.0.1:8080" (expected: another address than 0.0.0.0:8080)
        admin.listen = "0.0.0.0:9090" | admin.listen: "0.0.0.0:9090" (expected: NEEDS_TOKEN)
        admin.listen = ":9090"       | admin.listen: ":9090" (expected: NEEDS_TOKEN)
        admin.listen = "[::]:9090"   | admin.listen: "[::]:9090" (expected: NEEDS_TOKEN)
        admin.listen = "10.0.0.1:9090" | admin.listen: "10.0.0.1:9090" (expected: NEEDS_TOKEN)
        admin.scrape-token-hash = "ONES" | admin.scrape-token-hash: (hidden) (expected: drover.admin.token-hash too, since all but the metrics would be open to everybody)
        admin { token-hash = "ONES", scrape-token-hash = "ONES" } | admin.scrape-token-hash: (hidden) (expected: another hash than drover.admin.token-hash)
        """)
    void impossibleCombinationsAreReported(String line, String printed) {
        String hash = "sha256:" + "1".repeat(64);
        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + line.replace("ONES", hash))
                        .problems())
                .containsExactly("drover.conf:2: drover." + printed.replace("NEEDS_TOKEN", NEEDS_TOKEN));
    }

    @Test
    void tokensNeedKeysFromOnePlaceAnAlgorithmAndAName() {
        assertThat(loading.file(Loading.ONE_BACKEND + """
                        drover.auth { mode = jwt, jwt {
                          jwks-uri = "https://login/keys"
                          jwks-file = keys
                          algorithms = []
                          name-claim = ""
                        } }
                        """).problems())
                .containsExactly(
                        "drover.conf:4: drover.auth.jwt.jwks-file: \"keys\" (expected: nothing, since"
                                + " drover.auth.jwt.jwks-uri is set too)",
                        "drover.conf:5: drover.auth.jwt.algorithms: [] (expected: at least one)",
                        "drover.conf:6: drover.auth.jwt.name-claim: \"\" (expected: a claim's name)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/keys", "https://a/b"})
    void keysMayBeAtASafeAddress(String address) throws ConfigException {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.auth { mode = jwt, jwt.jwks-uri = \"" + address + "\" }")
                        .config()
                        .auth()
                        .jwt()
                        .jwksUri())
                .contains(URI.create(address));
    }

    @Test
    void sharedLimitsNeedARedisAndNoFile() throws ConfigException {
        String shared = Loading.ONE_BACKEND + "drover.limits { shared = true\n budgets-file = b }";

        assertThat(loading.file(shared).problems())
                .containsExactly("drover.conf:2: drover.limits.shared: true (expected: false, since"
                        + " drover.redis.uri is not set)");
        assertThat(loading.file(shared + "\ndrover.redis.uri = \"redis://a\"")
                        .load()
                        .warnings())
                .singleElement()
                .asString()
                .endsWith("drover.conf:3: drover.limits.budgets-file: \"b\" (expected: nothing:"
                        + " with drover.limits.shared budgets are kept in Redis)");
    }

    @Test
    void aCacheLargerThanTheHeapHasRoomForSaysWhichHeapHas() {
        loading.heap(100 << 20);

        assertThat(loading.file(Loading.ONE_BACKEND + "drover.cache { enabled = true\n memory = 61MiB }")
                        .problems())
                .containsExactly("drover.conf:3: drover.cache.memory: \"61MiB\" (expected: at most 60MiB, 60% of the"
                        + " JVM's heap; java -Xmx122m has room for it)");
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.cache.enabled = true")
                        .problems())
                .containsExactly("drover.conf: drover.cache.memory: \"256MiB\" (expected: at most 60MiB, 60% of the"
                        + " JVM's heap; java -Xmx512m has room for it)");
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.cache { enabled = false, memory = 1GiB }")
                        .problems())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        lease = 2s                         | lease: "2s" (expected: 0s, since drover.redis.uri is not set)
        encryption-key-file = cache.key    | encryption-key-file: "cache.key" (expected: nothing, since drover.redis.uri is not set)
        """)
    void whatACacheDoesWithRedisWarnsWithoutOne(String line, String printed) throws ConfigException {
        String text = Loading.ONE_BACKEND + "drover.cache." + line;

        assertThat(loading.file(text).warnings()).containsExactly("drover.conf:2: drover.cache." + printed);
        assertThat(loading.file(text + "\ndrover.redis.uri = \"redis://a\"").warnings())
                .isEmpty();
    }

    @Test
    void aCacheThatNeverLearnsWhatTheHerdHasWarns() throws ConfigException {
        String text = Loading.ONE_BACKEND + "drover.health.active.interval = 0\n";

        assertThat(loading.file(text + "drover.cache { enabled = true, memory = 8MiB }")
                        .warnings())
                .containsExactly("drover.conf:2: drover.health.active.interval: 0 (expected: more than 0s, since"
                        + " otherwise drover.cache does not learn which models there are, and keeps nothing)");
        assertThat(loading.file(text).warnings()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        per-tenant = true      | per-tenant: true (expected: false, since drover.auth.mode is none)
        exclude.keys = alice   | exclude.keys: "alice" (expected: nothing, since drover.auth.mode is none)
        """)
    void whatACacheDoesWithCallersWarnsWhereTheyHaveNoNames(String line, String printed) throws ConfigException {
        String text = Loading.ONE_BACKEND + "drover.cache { enabled = true, memory = 8MiB }\ndrover.cache." + line;

        assertThat(loading.file(text).warnings()).containsExactly("drover.conf:3: drover.cache." + printed);
        assertThat(loading.file(text + "\ndrover.auth { mode = api-key, keys-file = k }")
                        .warnings())
                .isEmpty();
    }

    @Test
    void aSemanticTierOfACacheThatIsOffWarns() throws ConfigException {
        String text = Loading.ONE_BACKEND + "drover.cache.semantic.model = nomic";

        assertThat(loading.file(text).warnings())
                .containsExactly("drover.conf:2: drover.cache.semantic.model: \"nomic\" (expected: nothing, since"
                        + " drover.cache.enabled is false)");
        assertThat(loading.file(text + "\ndrover.cache { enabled = true, memory = 8MiB }")
                        .warnings())
                .isEmpty();
    }

    @Test
    void keysInRedisNeedARedis() {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.auth { mode = api-key\n keys-in-redis = true }")
                        .problems())
                .containsExactly("drover.conf:3: drover.auth.keys-in-redis: true (expected: false, since"
                        + " drover.redis.uri is not set)");
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.redis.uri = \"redis://a\"\n"
                                + "drover.auth { mode = api-key, keys-in-redis = true }")
                        .problems())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        access-log.file = audit.log                               | access-log.file: "audit.log" (expected: another file than that of the audit log)
        audit-log.file = a.log, drover.access-log.file = ./a.log  | audit-log.file: "a.log" (expected: another file than that of the access log)
        """)
    void twoLogsDoNotShareAFile(String keys, String printed) {
        String text = keys.replace(", ", "\n") + "\ndrover.audit-log.enabled = true";

        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + text).problems())
                .containsExactly("drover.conf:2: drover." + printed);
        assertThat(loading.file(Loading.ONE_BACKEND + "drover." + text.replace("true", "false"))
                        .problems())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080", "http://0.0.0.0:8080"})
    void droverIsNotItsOwnBackend(String url) {
        assertThat(loading.file("drover.listen = 8080").backends(url).problems())
                .containsExactly("drover.conf:1: drover.listen: 8080 (expected: another address than that of backend "
                        + url.substring(7) + ")");
    }

    @Test
    void aPortThatHasAWrongHashIsNotSaidToHaveNone() {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.admin { listen = \"0.0.0.0:9090\", token-hash = x }")
                        .problems())
                .singleElement()
                .asString()
                .startsWith("drover.conf:2: drover.admin.token-hash: (hidden)");
    }

    @Test
    void aHeaderThatNobodyIsTrustedToSendWarns() throws ConfigException {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.proxy-protocol = true")
                        .warnings())
                .containsExactly("drover.conf:2: drover.proxy-protocol: true (expected: limits.trusted-proxies set:"
                        + " nobody's PROXY header is believed otherwise)");
    }

    @Test
    void aWrongValueDoesNotMakeASecondProblemOfItsNeighbour() {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.buffers { stream-high = 1 furlong, stream-low = 512KiB }")
                        .problems())
                .containsExactly("drover.conf:2: drover.buffers.stream-high: \"1 furlong\" (expected: a size such as"
                        + " 32KiB)");
    }

    @Test
    void problemsOfTheEnvironmentNameTheVariable() {
        loading.file(Loading.ONE_BACKEND + "drover.retry.attempts = ${TRIES}\n")
                .variable("DROVER_TIMEOUTS_IDLE", "soon")
                .variable("DROVER_REDIS_URI", "secret")
                .variable("TRIES", "some");

        assertThat(loading.problems())
                .containsExactlyInAnyOrder(
                        "environment DROVER_REDIS_URI: (hidden) (expected: redis://host:port, rediss:// or"
                                + " redis-sentinel://, several with commas)",
                        "environment DROVER_TIMEOUTS_IDLE: \"soon\" (expected: a duration such as 2m)",
                        "environment TRIES (drover.retry.attempts): \"some\" (expected: a whole number from 0 to 100)");
    }

    @Test
    void aBackendOfTheEnvironmentIsReportedByItself() {
        assertThat(loading.variable("DROVER_BACKENDS", "http://gpu1:1,gpu2").problems())
                .containsExactly("environment DROVER_BACKENDS (drover.backends[1].url): \"gpu2\" (expected:"
                        + " http://host:port or https://host:port, without a path)");
    }

    @Test
    void aVariablePartOfAValueCountsAsTheFiles() {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.admin.listen = \"127.0.0.1:\"${PORT}")
                        .variable("PORT", "http")
                        .problems())
                .containsExactly("drover.conf:2: drover.admin.listen: \"127.0.0.1:http\" (expected: host:port, such as"
                        + " 0.0.0.0:8080)");
    }

    @Test
    void onlyASlipInAVariableOfOursWarns() throws ConfigException {
        loading.backends("http://gpu1:1")
                .variable("DROVER_LISTNE", ":80")
                .variable("DROVER_PORT_8080_TCP", "tcp://10.0.0.1:8080")
                .variable("DROVER_SERVICE_HOST", "10.0.0.1");

        assertThat(loading.warnings())
                .containsExactly("environment DROVER_LISTNE: unknown variable (expected: DROVER_LISTEN)");
    }

    @Test
    void problemsOfFlagsNameTheCommandLine() {
        loading.backends("http://gpu1:1", "ftp://gpu2").flag("listen", "x").flag("admin.listne", "y");

        assertThat(loading.problems())
                .containsExactlyInAnyOrder(
                        "command line: drover.admin.listne: unknown key (expected: a known key; the nearest is"
                                + " drover.admin.listen)",
                        "command line: drover.backends[1].url: \"ftp://gpu2\" (expected: http://host:port or"
                                + " https://host:port, without a path)",
                        "command line: drover.listen: \"x\" (expected: host:port, such as 0.0.0.0:8080)");
    }

    @Test
    void secretsAreGivenOnce() {
        Path uri = loading.write("uri", "redis://cache");

        assertThat(loading.file(Loading.ONE_BACKEND + "drover.redis { uri = \"redis://:pw@a\"\n uri-file = uri }")
                        .problems())
                .containsExactly("drover.conf:3: drover.redis.uri-file: \"uri\" (expected: nothing, since"
                        + " drover.redis.uri is set too)");
        assertThat(uri).exists();
    }

    @Test
    void filesOfSecretsMustBeReadableAndRight() {
        loading.write("empty", "\n");
        loading.write("wrong", "http://:pw@cache");

        assertThat(redisUriFile("missing"))
                .containsExactly("drover.conf:2: drover.redis.uri-file: \"missing\" (expected: a readable file)");
        assertThat(redisUriFile("empty"))
                .containsExactly(
                        "drover.conf:2: drover.redis.uri-file: \"empty\" (expected: a file that is not" + " empty)");
        assertThat(redisUriFile("wrong"))
                .containsExactly("drover.conf:2: drover.redis.uri-file: \"wrong\" (expected: a file that holds"
                        + " redis://host:port, rediss:// or redis-sentinel://, several with commas)");
    }

    private List<String> redisUriFile(String name) {
        return loading.file(Loading.ONE_BACKEND + "drover.redis.uri-file = \"" + directory.resolve(name) + "\"")
                .problems();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        drover {                            | :3: the file ends inside braces or parentheses (expected: } or ))
        drover.listen = }                   | :1: Expecting a value but got wrong token: '}' (expected: HOCON)
        drover.a = 1 }                      | :1: unbalanced close brace '}' with no open brace (expected: HOCON)
        drover.a "s'3cret"                 | :3: Key '...' may not be followed by token: end of file (expected: HOCON)
        drover.redis.uri = "s3cret" {a = 1}  | :1: values that cannot be joined (expected: text beside text, or an object beside an object)
        drover..a = 1                       | :1: path has a leading, trailing, or two adjacent period '.' (use quoted "" empty string if you want an empty element) (expected: HOCON)
        drover.listen = ${NOT_SET}          | :1: ${NOT_SET} (expected: a key of this file or a variable of the environment; ${?NAME} may be missing)
        include required("missing.conf")    | : include "missing.conf" (expected: a readable HOCON file)
        """)
    void aFileThatIsNoHoconIsOneProblem(String text, String printed) {
        List<String> problems = loading.file(text + "\n\n").problems();

        assertThat(problems).singleElement().asString().endsWith(printed).doesNotContain("3cret");
    }

    @Test
    void aFileThatIsMissingIsOneProblem() {
        assertThatThrownBy(() -> ConfigLoader.load(ConfigSource.of(Path.of("nowhere/drover.conf"))))
                .isInstanceOf(ConfigException.class)
                .hasMessage("nowhere/drover.conf: no such file (expected: a readable HOCON file)");
        assertThatThrownBy(() -> ConfigLoader.load(ConfigSource.of(directory)))
                .isInstanceOf(ConfigException.class)
                .hasMessage(directory + ": cannot be read (expected: a readable HOCON file)");
    }

    @Test
    void problemsOfAnIncludedFileNameIt() {
        loading.write("common.conf", "\ndrover.retry.attempts = many");

        assertThat(loading.file(Loading.ONE_BACKEND + "include \"common.conf\"").problems())
                .containsExactly(
                        "common.conf:2: drover.retry.attempts: \"many\" (expected: a whole number from 0 to 100)");
    }

    @Test
    void aSecretUnderAMistypedKeyIsNotPrinted() {
        assertThat(loading.file("drover.backends = [{ url = \"http://a\", authorisation = \"Bearer s3cret\" }]")
                        .problems())
                .singleElement()
                .asString()
                .contains("drover.backends[0].authorization")
                .doesNotContain("s3cret");
    }
}
