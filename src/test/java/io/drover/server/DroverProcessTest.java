package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The process as its users meet it: commands, exit codes, signals, and a start into a world that is not there yet. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class DroverProcessTest {
    private static final String ANY_PORT = "127.0.0.1:0";
    private static final long LOOK_NANOS = 5_000_000;
    private static final String CHAT =
            "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";

    @Test
    void check_reports_every_mistake_of_a_file_at_once(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("drover.conf"), """
                drover {
                  backends = ["http://127.0.0.1:11434"]
                  balanse = round-robin
                  timeouts.idle = soon
                  retry.attempts = -1
                }
                """);
        try (DroverProcess drover = DroverProcess.start("check", "-c", file.toString())) {
            assertThat(drover.await()).isEqualTo(1);
            assertThat(drover.err().lines()).hasSize(3);
            assertThat(drover.err().lines())
                    .element(0)
                    .asString()
                    .startsWith(file + ":3: drover.balanse: ")
                    .contains("drover.balance");
            assertThat(drover.err().lines())
                    .element(1)
                    .asString()
                    .startsWith(file + ":4: drover.timeouts.idle: \"soon\" (expected: ");
            assertThat(drover.err().lines())
                    .element(2)
                    .asString()
                    .startsWith(file + ":5: drover.retry.attempts: -1 (expected: ");
            assertThat(drover.out()).isEmpty();
        }
    }

    @Test
    void check_accepts_the_configuration_that_comes_with_it() throws Exception {
        try (DroverProcess drover = DroverProcess.start("check", "-c", "conf/drover.conf")) {
            assertThat(drover.await()).as(drover::toString).isZero();
            assertThat(drover.out()).contains("http://127.0.0.1:11434", "gpu-b", "the configuration is valid");
            assertThat(drover.err()).isEmpty();
        }
    }

    @Test
    void version_tells_Java_and_transport() throws Exception {
        try (DroverProcess drover = DroverProcess.start("version")) {
            assertThat(drover.await()).as(drover::toString).isZero();
            assertThat(drover.out())
                    .startsWith("drover " + Version.current() + ", Java " + System.getProperty("java.version"))
                    .containsPattern("transport (io_uring|epoll|kqueue|nio), TLS by (BoringSSL|JDK)\n$");
        }
    }

    @Test
    void simulate_is_a_server_that_has_the_model_it_is_told() throws Exception {
        try (DroverProcess server = DroverProcess.start("simulate", "--listen", ANY_PORT, "--model", "qwen3:8b")) {
            InetSocketAddress at = server.address(server::out, "on 127\\.0\\.0\\.1:(\\d+) with qwen3:8b");
            try (RawClient client = RawClient.connect(at)) {
                RawClient.Response answer = client.exchange("GET", "/api/tags", "", "Connection: close");
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.body()).contains("\"qwen3:8b\"");
            }
            server.terminate();
            assertThat(server.await()).as(server::toString).isZero();
        }
    }

    @Test
    void simulate_takes_a_port_alone_as_run_does() throws Exception {
        try (DroverProcess server = DroverProcess.start("simulate", "--listen", "0")) {
            server.address(server::out, "on 0\\.0\\.0\\.0:(\\d+) with llama3.2");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"anywhere", "127.0.0.1:", "127.0.0.1:65536", "no-such.invalid:1"})
    void simulate_refuses_an_address_that_is_none(String address) throws Exception {
        try (DroverProcess server = DroverProcess.start("simulate", "--listen", address)) {
            assertThat(server.await()).as(server::toString).isEqualTo(2);
            assertThat(server.err()).contains("--listen: " + address + " (expected: ");
        }
    }

    @Test
    void demo_sends_tokens_one_by_one() throws Exception {
        try (DroverProcess demo = DroverProcess.start(
                "demo", "--listen", ANY_PORT, "--admin-listen", ANY_PORT, "--tokens-per-second", "50")) {
            InetSocketAddress proxy = demo.address(demo::out, "on http://127\\.0\\.0\\.1:(\\d+), transport");
            List<Long> arrivals = new ArrayList<>();
            try (RawClient client = RawClient.connect(proxy)) {
                client.request("POST", "/api/chat", CHAT);
                RawClient.Head head = client.readHead();
                assertThat(head.status()).isEqualTo(200);
                assertThat(head.header("Content-Type")).isEqualTo("application/x-ndjson");
                assertThat(head.header("X-Drover-Backend")).isNotEmpty();
                String chunk = client.readChunk();
                for (String next = chunk; !next.isEmpty(); next = client.readChunk()) {
                    arrivals.add(System.nanoTime());
                    chunk = next;
                }
                assertThat(chunk).contains("\"done\":true");
            }
            // 48 tokens, 20 ms apart: a stream that was held back anywhere would come in less than half of the time.
            assertThat(arrivals).hasSizeGreaterThan(24);
            assertThat(arrivals.get(arrivals.size() - 1) - arrivals.get(0)).isGreaterThan(480_000_000L);
            assertThat(demo.await(demo::out, "\"path\":\"/api/chat\".*").group())
                    .contains("\"status\":200", "\"generated_tokens\":48");

            demo.terminate();
            assertThat(demo.await()).isZero();
            assertThat(demo.err()).doesNotContain("LEAK");
        }
    }

    @Test
    void SIGTERM_lets_a_running_stream_finish_and_refuses_new_connections() throws Exception {
        try (SimulatedOllama backend = SimulatedOllama.start(slow());
                DroverProcess drover = run(backend);
                RawClient client = streaming(drover)) {
            // Held still, so that the stream surely outlives what is looked at meanwhile.
            backend.freeze();
            drover.terminate();
            awaitRefused(drover.proxy());
            assertThat(drover.isAlive()).isTrue();
            backend.thaw();

            List<String> rest = client.readChunks();
            assertThat(rest.get(rest.size() - 1)).contains("\"done\":true");
            client.expectClosed();
            assertThat(drover.await()).as(drover::toString).isZero();
            assertThat(drover.err()).contains("drained").doesNotContain("LEAK");
        }
    }

    @Test
    void a_second_SIGTERM_ends_it_at_once() throws Exception {
        try (SimulatedOllama backend = SimulatedOllama.start(slow());
                DroverProcess drover = run(backend);
                RawClient client = streaming(drover)) {
            backend.freeze();
            drover.terminate();
            awaitRefused(drover.proxy());
            assertThat(drover.isAlive()).isTrue();

            // The drain would take ten minutes.
            drover.terminate();
            assertThat(client.readChunks()).last().asString().contains("the proxy broke off the answer");
            assertThat(drover.await()).as(drover::toString).isZero();
            assertThat(drover.err()).contains("are cut").doesNotContain("LEAK");
            assertThat(drover.out()).contains("\"side\":\"proxy\"");
        }
    }

    @Test
    void it_starts_without_backends_DNS_and_Redis_and_says_why_it_is_not_ready() throws Exception {
        try (SimulatedOllama late = SimulatedOllama.start(SimulatedOllama.Settings.defaults())) {
            late.refuse();
            Map<String, String> environment = Map.of(
                    "DROVER_BACKENDS", late.url() + ",http://no-such-host.invalid:11434",
                    "DROVER_REDIS_URI", "redis://127.0.0.1:1",
                    "DROVER_HEALTH_ACTIVE_INTERVAL", "100ms",
                    "DROVER_HEALTH_ACTIVE_RISE", "1");
            try (DroverProcess drover = DroverProcess.start(
                    environment, "run", "--listen", ANY_PORT, "--set", "admin.listen=" + ANY_PORT)) {
                String lateName = late.url().getAuthority();
                assertThat(get(drover.proxy(), "/health").status()).isEqualTo(200);
                // A name that is still being looked up may yet turn out well, so this is not at once.
                late.await("not ready", () -> get(drover.proxy(), "/ready").status() == 503);
                for (InetSocketAddress port : List.of(drover.proxy(), drover.admin())) {
                    RawClient.Response ready = get(port, "/ready");
                    assertThat(ready.status()).isEqualTo(503);
                    assertThat(ready.header("Retry-After")).isNotEmpty();
                    assertThat(ready.body())
                            .contains("\"ready\":false", "no backend is up", lateName, "no-such-host.invalid:11434")
                            .doesNotContain(":\"up\"");
                }
                assertThat(get(drover.proxy(), "/api/tags").status()).isEqualTo(503);
                assertThat(get(drover.admin(), "/metrics").body()).contains("drover_redis_up 0.0");

                late.resume();
                late.await("ready", () -> get(drover.proxy(), "/ready").status() == 200);
                assertThat(get(drover.proxy(), "/api/tags").body()).contains("llama3.2:latest");
            }
        }
    }

    @Test
    void SIGHUP_reloads_the_file_under_a_running_stream(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("drover.conf");
        try (SimulatedOllama first = SimulatedOllama.start(slow());
                SimulatedOllama second = SimulatedOllama.start(SimulatedOllama.Settings.defaults())) {
            Files.writeString(file, "drover.backends = [ \"" + first.url() + "\" ]\n");
            try (DroverProcess drover = DroverProcess.start(
                            "run", "-c", file.toString(), "--listen", ANY_PORT, "--set", "admin.listen=" + ANY_PORT);
                    RawClient client = streaming(drover)) {
                first.freeze();
                Files.writeString(file, "drover.backends = [ \"" + second.url() + "\" ]\n");
                drover.hangUp();
                drover.await(drover::err, "the configuration was reloaded");
                assertThat(get(drover.proxy(), "/api/tags").header("X-Drover-Backend"))
                        .isEqualTo(second.url().getAuthority());
                first.thaw();
                List<String> rest = client.readChunks();
                assertThat(rest.get(rest.size() - 1)).contains("\"done\":true");

                Files.writeString(file, "drover.backends = [ \"" + second.url() + "\"\n");
                drover.hangUp();
                drover.await(drover::err, "nothing changes, since the configuration is invalid");
                assertThat(get(drover.proxy(), "/api/tags").status()).isEqualTo(200);
                drover.terminate();
                assertThat(drover.await()).as(drover::toString).isZero();
                assertThat(drover.err()).doesNotContain("LEAK");
            }
        }
    }

    private static SimulatedOllama.Settings slow() {
        return SimulatedOllama.Settings.defaults().withTokens(20).withTokensPerSecond(20);
    }

    private static DroverProcess run(SimulatedOllama backend) {
        return DroverProcess.start(
                "run",
                "--listen",
                ANY_PORT,
                "--backend",
                backend.url().toString(),
                "--set",
                "admin.listen=" + ANY_PORT,
                "--set",
                "drain-timeout=10m");
    }

    /** A client whose answer has begun. */
    private static RawClient streaming(DroverProcess drover) {
        RawClient client = RawClient.connect(drover.proxy());
        client.request("POST", "/api/chat", CHAT);
        assertThat(client.readHead().status()).isEqualTo(200);
        assertThat(client.readChunk()).contains("\"done\":false");
        return client;
    }

    private static RawClient.Response get(InetSocketAddress address, String path) {
        try (RawClient client = RawClient.connect(address)) {
            return client.exchange("GET", path, "", "Connection: close");
        }
    }

    private static void awaitRefused(InetSocketAddress address) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (System.nanoTime() - end < 0) {
            try (Socket socket = new Socket()) {
                socket.connect(address, 1000);
            } catch (ConnectException refused) {
                return;
            } catch (SocketTimeoutException | SocketException lost) {
                // The kernel drops a SYN that meets a listener which is just closing, or resets what that one had not
                // accepted; the next one is told.
                continue;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            // Slowly: io_uring closes a listener only in a gap between connections.
            LockSupport.parkNanos(LOOK_NANOS);
        }
        throw new AssertionError("still accepts connections on " + address);
    }
}
