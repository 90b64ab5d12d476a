package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.ConfigException;
import io.drover.config.ConfigSource;
import io.drover.demo.SimulatedOllama;
import io.drover.server.ProxyServer;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Backends that are found, beside those that are configured; how they are looked up is tested elsewhere. */
class DiscoveredHerdTest {
    private static ProxyServer start(List<String> backends, String dns) throws ConfigException, IOException {
        Map<String, String> keys = new HashMap<>(Map.of(
                "listen", "127.0.0.1:0",
                "admin.listen", "127.0.0.1:0",
                "event-loops", "1",
                "transport", "nio",
                "access-log.enabled", "false"));
        keys.put("discovery.dns", dns);
        keys.put("discovery.interval", "50ms");
        return ProxyServer.start(new ConfigSource(Optional.empty(), Map.of(), backends, keys));
    }

    private static RawClient.Response chat(ProxyServer server) {
        try (RawClient client = RawClient.connect(server.addresses().get(0))) {
            return client.exchange("POST", "/api/chat", Route.BODY);
        }
    }

    @Test
    void aHerdMayBeFoundAsAWhole() throws Exception {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                ProxyServer server =
                        start(List.of(), "localhost:" + ollama.url().getPort())) {
            Drover.await("found", () -> server.cluster().isUp(System.nanoTime()));

            RawClient.Response response = chat(server);

            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("X-Drover-Backend"))
                    .isEqualTo("127.0.0.1:" + ollama.url().getPort());
        }
    }

    @Test
    void whatIsConfiguredAndFoundIsOneBackend() throws Exception {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                ProxyServer server = start(
                        List.of(ollama.url().toString()),
                        "127.0.0.1:" + ollama.url().getPort())) {
            assertThat(chat(server).status()).isEqualTo(200);
            assertThat(server.cluster().backends())
                    .extracting(backend -> backend.name())
                    .containsExactly(ollama.url().getAuthority());
        }
    }

    @Test
    void whileNobodyIsFoundTheAnswerSaysSo() throws Exception {
        try (ProxyServer server = start(List.of(), "no-such-host.invalid:11434")) {
            RawClient.Response response = chat(server);

            assertThat(response.status()).isEqualTo(503);
            assertThat(response.body()).contains("no backend");
            assertThat(response.header("Retry-After")).isNotEmpty();
        }
    }
}
