package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.config.ConfigSource;
import io.drover.demo.SimulatedOllama;
import io.drover.server.ProxyServer;
import io.drover.testing.Drover;
import io.drover.testing.FreePort;
import io.drover.testing.RawClient;
import io.drover.testing.Secrets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The preStop hook of an Ollama server, against real Drovers on several addresses of loopback, as replicas have them; what
 * DNS tells of those stands in a file.
 */
@EnabledOnOs(
        value = OS.LINUX,
        disabledReason = "the hook is for Linux containers; other systems lack getent or timeout")
class DrainHookTest {
    private static final String TOKEN = "operator-7bD2";
    private static final String CHAT =
            "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path directory;

    private final int adminPort = FreePort.next();
    private SimulatedOllama leaving;
    private SimulatedOllama staying;

    @BeforeEach
    void start() throws IOException {
        // Slow enough that no stream ends before a test lets it.
        leaving = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withTokensPerSecond(1)
                .withTokens(60)
                .withSlots(4));
        staying = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
        Files.writeString(directory.resolve("token"), TOKEN + "\n");
        Script.command(directory, "getent", """
                while read -r address; do
                  printf '%s STREAM drover-admin\\n%s DGRAM\\n%s RAW\\n' "$address" "$address" "$address"
                done <'DIRECTORY/addresses'
                echo >>'DIRECTORY/lookups'
                """.replace("DIRECTORY", directory.toString()));
    }

    @AfterEach
    void stop() {
        leaving.close();
        staying.close();
    }

    private ProxyServer replica(String address) throws Exception {
        Path file = Files.writeString(
                directory.resolve("drover.conf"),
                "drover.backends = [{ url = \"" + leaving.url() + "\" }, { url = \"" + staying.url()
                        + "\", backup = true }]");
        ProxyServer server = ProxyServer.start(new ConfigSource(
                Optional.of(file),
                Map.of(),
                List.of(),
                Map.of(
                        "listen", "127.0.0.1:0",
                        "admin.listen", address + ":" + adminPort,
                        "admin.token-hash", Secrets.hash(TOKEN),
                        "event-loops", "1",
                        "transport", "nio",
                        "access-log.enabled", "false")));
        Drover.await("models are known", () -> server.cluster().backends().stream()
                .allMatch(each -> each.models().isKnown()));
        return server;
    }

    private static RawClient client(ProxyServer server) {
        return RawClient.connect(server.addresses().get(0));
    }

    /** A client whose stream has begun on the server that is going to leave. */
    private RawClient stream(ProxyServer server) {
        RawClient client = client(server);
        RawClient.Head head = client.request("POST", "/api/chat", CHAT).readHead();
        assertThat(head.header("X-Drover-Backend")).isEqualTo(leaving.url().getAuthority());
        return client;
    }

    private static String answeredBy(ProxyServer server) {
        try (RawClient client = client(server)) {
            return client.exchange("POST", "/api/chat", CHAT).header("X-Drover-Backend");
        }
    }

    private static void awaitDrained(ProxyServer server) {
        Drover.await("drained", () -> server.cluster().backends().stream().anyMatch(Backend::isDraining));
    }

    private Script hook(int seconds, String... more) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "POD_IP", leaving.url().getHost(),
                "OLLAMA_PORT", Integer.toString(leaving.url().getPort()),
                "DROVER_ADMIN", "drover-admin:" + adminPort,
                "TOKEN_FILE", directory.resolve("token").toString(),
                "DRAIN_SECONDS", Integer.toString(seconds)));
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return Script.start(directory, "drain", environment);
    }

    private void found(String... addresses) {
        Script.write(directory.resolve("addresses"), String.join("\n", addresses) + "\n");
    }

    private long lookups() {
        return directory.resolve("lookups").toFile().length();
    }

    @Test
    void eachReplicaSendsNothingMoreAndWhatRunsFinishes() throws Exception {
        found("127.0.0.1", "127.0.0.2");
        try (ProxyServer one = replica("127.0.0.1");
                ProxyServer two = replica("127.0.0.2");
                RawClient first = stream(one);
                RawClient second = stream(two);
                Script hook = hook(60)) {
            awaitDrained(one);
            awaitDrained(two);
            assertThat(answeredBy(one)).isEqualTo(staying.url().getAuthority());
            assertThat(answeredBy(two)).isEqualTo(staying.url().getAuthority());
            assertThat(hook.isAlive()).isTrue();

            leaving.pace(0);

            assertThat(String.join("", first.readChunks())).contains("\"done\":true");
            assertThat(String.join("", second.readChunks())).contains("\"done\":true");
            assertThat(hook.await()).isZero();
            assertThat(hook.output())
                    .contains("127.0.0.1 sends nothing more", "127.0.0.2 sends nothing more", "nothing runs here");
        }
    }

    @Test
    void aReplicaThatStartsMeanwhileIsToldToo() throws Exception {
        found("127.0.0.1");
        try (ProxyServer one = replica("127.0.0.1");
                RawClient running = stream(one);
                Script hook = hook(60)) {
            awaitDrained(one);
            try (ProxyServer two = replica("127.0.0.2")) {
                found("127.0.0.1", "127.0.0.2");
                awaitDrained(two);
                leaving.pace(0);
                assertThat(String.join("", running.readChunks())).contains("\"done\":true");
                assertThat(hook.await()).isZero();
            }
        }
    }

    @Test
    void itWaitsNoLongerThanItMay() throws Exception {
        found("127.0.0.1", "127.0.0.2");
        try (ProxyServer one = replica("127.0.0.1");
                ProxyServer two = replica("127.0.0.2");
                RawClient first = stream(one);
                RawClient second = stream(two);
                Script hook = hook(1)) {
            assertThat(hook.await()).isZero();
            assertThat(hook.output()).contains("2 requests are cut, after 1 s");
            assertThat(leaving.active()).isEqualTo(2);
            first.hangUp();
            second.hangUp();
        }
    }

    @Test
    void aReplicaThatIsGoneHoldsUpNobody() throws Exception {
        found("127.0.0.3", "127.0.0.1");
        try (ProxyServer one = replica("127.0.0.1");
                Script hook = hook(60)) {
            assertThat(hook.await()).isZero();
            assertThat(one.cluster().backends().get(0).isDraining()).isTrue();
            assertThat(hook.output()).contains("127.0.0.1 sends nothing more", "nothing runs here");
        }
    }

    /** It accepts and then is silent, as one that hangs: what it has here nobody knows. */
    @Test
    void aReplicaThatDoesNotAnswerCountsAsBusy() throws Exception {
        found("127.0.0.1");
        try (ServerSocket hung = new ServerSocket(adminPort, 50, InetAddress.getLoopbackAddress());
                Script hook = hook(1)) {
            assertThat(hook.await()).isZero();
            assertThat(hung.isBound()).isTrue();
            assertThat(hook.output())
                    .contains("127.0.0.1: no answer", "1 replicas did not say, in 1 s")
                    .doesNotContain("nothing runs here");
        }
    }

    /** As while the tokens change: it may have streams here. */
    @Test
    void aReplicaThatKnowsAnotherTokenCountsAsBusy() throws Exception {
        found("127.0.0.1");
        Files.writeString(directory.resolve("other"), "another");
        try (ProxyServer one = replica("127.0.0.1");
                Script hook = hook(2, "TOKEN_FILE", directory.resolve("other").toString())) {
            assertThat(hook.await()).isZero();
            assertThat(one.cluster().backends().get(0).isDraining()).isFalse();
            assertThat(hook.output())
                    .containsOnlyOnce("GET /api/backends at 127.0.0.1:" + adminPort + ": 401")
                    .contains("1 replicas did not say, in 2 s");
        }
    }

    @Test
    void withoutDnsTheReplicasThatAreKnownAreAskedOn() throws Exception {
        found("127.0.0.1");
        try (ProxyServer one = replica("127.0.0.1");
                RawClient running = stream(one);
                Script hook = hook(60)) {
            awaitDrained(one);
            long asked = lookups();
            found();
            Drover.await("three more looks", () -> lookups() > asked + 2);
            assertThat(hook.isAlive()).isTrue();
            leaving.pace(0);
            assertThat(String.join("", running.readChunks())).contains("\"done\":true");
            assertThat(hook.await()).isZero();
        }
    }

    @Test
    void whoHasLeftTheHerdNeedsNoDrain() throws Exception {
        found("127.0.0.1");
        try (ProxyServer one = replica("127.0.0.1");
                Script hook = hook(60, "OLLAMA_PORT", "1")) {
            assertThat(hook.await()).isZero();
            assertThat(one.cluster().backends()).noneMatch(Backend::isDraining);
        }
    }
}
