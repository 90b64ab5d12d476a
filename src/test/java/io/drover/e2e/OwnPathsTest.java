package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Drover answers itself: health and readiness on both ports, metrics, browsers' cross-origin questions. */
class OwnPathsTest {
    private static RawClient.Response admin(Drover drover, String method, String path) {
        try (RawClient client = RawClient.connect(drover.adminAddress())) {
            return client.exchange(method, path, "");
        }
    }

    @Test
    void healthAndReadyOnBothPorts() {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.over(ollama.url()).start()) {
            for (String path : new String[] {"/health", "/ready"}) {
                assertThat(drover.exchange("GET", path, "").status()).isEqualTo(200);
                assertThat(drover.exchange("HEAD", path, "").status()).isEqualTo(200);
                assertThat(admin(drover, "GET", path).status()).isEqualTo(200);
            }
            assertThat(ollama.requests()).isZero();
        }
    }

    @Test
    void readySaysWhyItIsNot() throws Exception {
        try (Drover drover = Drover.over(Ports.refusing()).start()) {
            drover.exchange("GET", "/api/tags", "");
            for (RawClient.Response ready :
                    new RawClient.Response[] {drover.exchange("GET", "/ready", ""), admin(drover, "GET", "/ready")}) {
                assertThat(ready.status()).isEqualTo(503);
                assertThat(ready.header("Retry-After")).isNotEmpty();
                assertThat(ready.body()).contains("no backend is up").contains("\"a\":\"connection refused\"");
            }
            assertThat(drover.exchange("GET", "/health", "").status()).isEqualTo(200);
        }
    }

    @Test
    void metricsTellWhatHappenedAndStayOnTheAdminPort() {
        try (SimulatedOllama ollama = SimulatedOllama.start(
                        SimulatedOllama.Settings.defaults().withTokens(7));
                Drover drover = Drover.over(ollama.url()).start()) {
            drover.exchange("POST", "/api/chat", Route.BODY);
            drover.log(1);
            String text = admin(drover, "GET", "/metrics").body();
            assertThat(text)
                    .contains("llm_requests_total{model=\"llama3.2\",endpoint=\"/api/chat\",status=\"200\",} 1.0")
                    .contains("llm_tokens_generated_total{model=\"llama3.2\",} 7.0")
                    .contains("drover_backend_up{backend=\"a\",} 1.0");
            assertThat(drover.exchange("GET", "/metrics", "").status()).isEqualTo(404);
            assertThat(admin(drover, "POST", "/metrics").status()).isEqualTo(405);
            assertThat(admin(drover, "GET", "/nothing").status()).isEqualTo(404);
        }
    }

    /** @param allowed the value that lets the page read the answer, empty where there must be none */
    @ParameterizedTest
    @CsvSource({
        "http://localhost:3000, a:1,            200, http://localhost:3000",
        "app://chat,            a:1,            200, app://chat",
        "https://127.0.0.1,     a:1,            200, https://127.0.0.1",
        "https://my.chat,       a:1,            200, https://my.chat",
        "http://herd.local:8080, herd.local:8080, 200, ''",
        "http://evil.example,   a:1,            403, ''",
        "null,                  a:1,            403, ''",
        "http://localhost.evil.example, a:1,    403, ''",
        // Its own name resolved to a loopback address does not make a page one of ours.
        "http://evil.example:80, evil.example:80, 403, ''"
    })
    void originsAreCheckedHere(String origin, String host, int status, String allowed) throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                Drover drover = Drover.over(backend.url())
                        .set("cors.origins", "https://my.chat")
                        .start();
                RawClient client = drover.connect()) {
            client.send("GET /api/tags HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + origin + "\r\n\r\n");
            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(status);
            assertThat(response.header("Access-Control-Allow-Origin")).isEqualTo(allowed);
            assertThat(response.header("Vary")).isEqualTo(allowed.isEmpty() ? "" : "Origin");
            if (status == 403) {
                assertThat(response.body()).isEmpty();
                assertThat(backend.requests()).isEmpty();
            } else {
                assertThat(backend.requests().get(0).all("Origin")).isEmpty();
            }
        }
    }

    @Test
    void aPreflightIsAnsweredHereAndAnotherOptionsIsNot() throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            RawClient.Response preflight = client.exchange(
                    "OPTIONS", "/api/chat", "", "Origin: http://localhost:3000", "Access-Control-Request-Method: POST");
            assertThat(preflight.status()).isEqualTo(204);
            assertThat(preflight.header("Access-Control-Allow-Methods")).contains("POST", "DELETE");
            assertThat(preflight.header("Access-Control-Max-Age")).isEqualTo("43200");
            assertThat(preflight.header("Access-Control-Allow-Headers")).containsIgnoringCase("authorization");
            assertThat(preflight.header("Access-Control-Allow-Origin")).isEqualTo("http://localhost:3000");
            assertThat(backend.connectionsAccepted()).isZero();
            assertThat(client.exchange("OPTIONS", "/api/chat", "").status()).isEqualTo(405);
            assertThat(backend.requests()).hasSize(1);
        }
    }
}
