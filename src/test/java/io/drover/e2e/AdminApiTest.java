package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What operators see of the herd and do with it, and who may not. */
class AdminApiTest {
    private SimulatedOllama a;
    private SimulatedOllama b;
    private Drover drover;

    @BeforeEach
    void start() {
        a = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
        b = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
        drover = Drover.first(a.url(), b.url())
                .set("admin.hosts", "ops.internal")
                .start();
    }

    @AfterEach
    void stop() {
        drover.close();
        a.close();
        b.close();
    }

    private RawClient.Response ask(String request) {
        try (RawClient client = RawClient.connect(drover.adminAddress())) {
            return client.send(request).readResponse();
        }
    }

    private RawClient.Response post(String path) {
        return ask("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nX-Drover: 1\r\nContent-Length: 0\r\n\r\n");
    }

    private String backends() {
        return ask("GET /api/backends HTTP/1.1\r\nHost: 127.0.0.1:9090\r\n\r\n").body();
    }

    private String servedBy() {
        RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
        assertThat(response.status()).isEqualTo(200);
        return response.header("X-Drover-Backend");
    }

    @Test
    void theHerdIsShownWithStateAndReason() {
        assertThat(backends())
                .contains("{\"name\":\"a\",\"url\":\"" + a.url()
                        + "\",\"version\":null,\"state\":\"unknown\",\"up\":true,\"drained\":false,\"reason\":\"\",")
                .contains("\"seconds\":null,\"inflight\":0,\"weight\":1,\"share\":100,\"backup\":false,\"models\":[]}")
                .contains("\"backup\":true,");
        drover.backend("a").onConnectFailure("connection refused", System.nanoTime());
        assertThat(backends())
                .contains(
                        "\"state\":\"ejected\",\"up\":false,\"drained\":false,\"reason\":\"connection refused\",\"seconds\":0.");
    }

    /** As a shell sends it: line by line. */
    @Test
    void aRequestMayComeInPieces() {
        try (RawClient client = RawClient.connect(drover.adminAddress())) {
            for (int i = 0; i < 2; i++) {
                for (String piece : new String[] {"GET /api/ba", "ckends HTTP/1.1\r\n", "Host: localhost\r\n"}) {
                    client.send(piece);
                    // Once others have been answered it was read by itself.
                    backends();
                }
                assertThat(client.send("\r\n").readResponse().status()).isEqualTo(200);
            }
            client.send(
                    "POST /api/backends/a/drain HTTP/1.1\r\nHost: localhost\r\nX-Drover: 1\r\nContent-Length: 2\r\n\r\n");
            backends();
            client.send("{");
            backends();
            assertThat(client.send("}").readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void theVersionOfABackendIsShownOnceItWasProbed() {
        try (Drover probing =
                Drover.over(a.url()).set("health.active.interval", "10m").start()) {
            Drover.await("it was probed", () -> probing.backend("a").version() != null);
            try (RawClient client = RawClient.connect(probing.adminAddress())) {
                String shown = client.send("GET /api/backends HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        .readResponse()
                        .body();
                assertThat(shown).contains("\"url\":\"" + a.url() + "\",\"version\":\"0.32.15\",\"state\":\"up\"");
            }
        }
    }

    @Test
    void aDrainedBackendGetsNoNewRequestUntilItIsUndrained() {
        assertThat(servedBy()).isEqualTo("a");
        RawClient.Response drained = post("/api/backends/a/drain");
        assertThat(drained.status()).isEqualTo(200);
        assertThat(drained.body())
                .contains("\"state\":\"draining\",\"up\":false,\"drained\":true,\"reason\":\"drained\"");
        assertThat(servedBy()).isEqualTo("b");
        assertThat(post("/api/backends/a/undrain").body()).contains("\"reason\":\"undrained\"");
        assertThat(servedBy()).isEqualTo("a");
    }

    @Test
    void whatRunsOnADrainedBackendFinishes() {
        try (RawClient client = drover.connect().request("POST", "/api/chat", Route.BODY)) {
            client.readHead();
            post("/api/backends/a/drain");
            assertThat(client.readChunks()).last().asString().contains("\"done\":true");
        }
    }

    @Test
    void whatIsNotThereIsSaid() {
        RawClient.Response unknown = post("/api/backends/nobody/drain");
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.body()).contains("nobody").contains("expected: one of /api/backends");
        assertThat(post("/api/nothing").status()).isEqualTo(404);
        assertThat(post("/api/backends").status()).isEqualTo(405);
        assertThat(post("/api/cache/purge").body()).contains("the cache is off (expected: cache.enabled = true)");
        assertThat(ask("GET /api/backends/a/drain HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        .status())
                .isEqualTo(405);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
        localhost       | -                        | 1 | 200
        LocalHost:9090  | -                        | 1 | 200
        127.0.0.1:9090  | -                        | 1 | 200
        [::1]:9090      | -                        | 1 | 200
        10.1.2.3        | -                        | 1 | 200
        ops.internal:90 | -                        | 1 | 200
        localhost:9090  | http://localhost:9090    | 1 | 200
        evil.example    | -                        | 1 | 403
        localhost.evil  | -                        | 1 | 403
        localhost       | -                        | - | 403
        localhost       | -                        | 2 | 403
        localhost:9090  | http://evil.example      | 1 | 403
        localhost:9090  | http://localhost:3000    | 1 | 403
        localhost:9090  | null                     | 1 | 403
        local host      | -                        | 1 | 403
        """)
    void noWebPageDrains(String host, String origin, String header, int status) {
        String fields = (origin == null ? "" : "Origin: " + origin + "\r\n")
                + (header == null ? "" : "X-Drover: " + header + "\r\n");
        RawClient.Response response = ask(
                "POST /api/backends/a/drain HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "Content-Length: 0\r\n\r\n");
        assertThat(response.status()).isEqualTo(status);
        assertThat(servedBy()).isEqualTo(status == 200 ? "b" : "a");
        if (status == 403) {
            assertThat(response.body()).contains("expected");
        }
    }
}
