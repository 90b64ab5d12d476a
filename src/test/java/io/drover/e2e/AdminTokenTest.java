package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import io.drover.testing.Secrets;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the admin port asks of whoever comes with a token, with another one, and with none. */
class AdminTokenTest {
    private static final String TOKEN = "operator-3fD0";
    private static final String SCRAPE = "prometheus-9aC1";

    private SimulatedOllama backend;

    @BeforeEach
    void start() {
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
    }

    @AfterEach
    void stop() {
        backend.close();
    }

    private static RawClient.Response ask(Drover drover, String method, String path, String... fields) {
        InetSocketAddress local = new InetSocketAddress(
                InetAddress.getLoopbackAddress(), drover.adminAddress().getPort());
        try (RawClient client = RawClient.connect(local)) {
            return client.exchange(method, path, "", fields);
        }
    }

    private Drover.Setup protectedBy(String... scrape) {
        Drover.Setup setup = Drover.over(backend.url()).set("admin.token-hash", Secrets.hash(TOKEN));
        for (String each : scrape) {
            setup.set("admin.scrape-token-hash", Secrets.hash(each));
        }
        return setup;
    }

    /** Columns: request, status without a token, with an unknown one, with the one for metrics, with the one for all. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        GET /metrics               | 401 | 401 | 200 | 200
        HEAD /metrics              | 401 | 401 | 200 | 200
        GET /metrics?name=x        | 401 | 401 | 200 | 200
        POST /metrics              | 401 | 401 | 405 | 405
        GET /health                | 200 | 200 | 200 | 200
        GET /ready                 | 200 | 200 | 200 | 200
        GET /api/backends          | 401 | 401 | 403 | 200
        POST /api/backends/a/drain | 401 | 401 | 403 | 200
        POST /api/reload           | 401 | 401 | 403 | 200
        GET /                      | 401 | 401 | 403 | 404
        GET /metrics/              | 401 | 401 | 403 | 404
        GET /health/               | 401 | 401 | 403 | 404
        GET //metrics              | 401 | 401 | 403 | 404
        """)
    void eachTokenOpensItsOwn(String request, int without, int unknown, int scrape, int all) {
        try (Drover drover = protectedBy(SCRAPE).start()) {
            String[] parts = request.split(" ");
            String header = "X-Drover: 1";
            assertThat(ask(drover, parts[0], parts[1], header).status()).isEqualTo(without);
            assertThat(ask(drover, parts[0], parts[1], header, "Authorization: Bearer operator-3fD1")
                            .status())
                    .isEqualTo(unknown);
            assertThat(ask(drover, parts[0], parts[1], header, "Authorization: Bearer " + SCRAPE)
                            .status())
                    .isEqualTo(scrape);
            assertThat(ask(drover, parts[0], parts[1], header, "Authorization: Bearer " + TOKEN)
                            .status())
                    .isEqualTo(all);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        Authorization: Bearer operator-3fD0                                        | 200
        authorization: bearer operator-3fD0                                        | 200
        Authorization: BEARER   operator-3fD0                                      | 200
        Authorization: Basic operator-3fD0                                         | 401
        Authorization: operator-3fD0                                               | 401
        Authorization: Bearer                                                      | 401
        Authorization: Beareroperator-3fD0                                         | 401
        Authorization: Bearer operator-3fD                                         | 401
        Authorization: Bearer operator-3fD00                                       | 401
        Authorization: Bearer OPERATOR-3fD0                                        | 401
        Authorization:                                                             | 401
        X-Api-Key: operator-3fD0                                                   | 401
        Authorization: Bearer x\\r\\nAuthorization: Bearer operator-3fD0           | 401
        """)
    void theTokenComesAsRfc6750HasIt(String fields, int status) {
        try (Drover drover = protectedBy().start()) {
            assertThat(ask(drover, "GET", "/api/backends", fields.replace("\\r\\n", "\r\n"))
                            .status())
                    .isEqualTo(status);
        }
    }

    @Test
    void theHashItselfOpensNothing() {
        try (Drover drover = protectedBy().start()) {
            assertThat(ask(drover, "GET", "/metrics", "Authorization: Bearer " + Secrets.hash(TOKEN))
                            .status())
                    .isEqualTo(401);
        }
    }

    @Test
    void whoIsRefusedIsToldHowToComeIn() {
        try (Drover drover = protectedBy(SCRAPE).start()) {
            RawClient.Response without = ask(drover, "GET", "/metrics");
            assertThat(without.header("WWW-Authenticate")).isEqualTo("Bearer realm=\"drover admin\"");
            assertThat(without.body()).contains("expected: Authorization: Bearer TOKEN", "admin.token-hash");
            RawClient.Response scraping = ask(drover, "GET", "/api/backends", "Authorization: Bearer " + SCRAPE);
            assertThat(scraping.body()).contains("/metrics only");
        }
    }

    @Test
    void aTokenDoesNotMakeAWebPageWelcome() {
        try (Drover drover = protectedBy().start()) {
            String token = "Authorization: Bearer " + TOKEN;
            assertThat(ask(drover, "POST", "/api/backends/a/drain", token).status())
                    .isEqualTo(403);
            assertThat(ask(drover, "GET", "/api/backends", token, "Origin: http://evil.example")
                            .status())
                    .isEqualTo(403);
            assertThat(drover.backend("a").isDraining()).isFalse();
        }
    }

    @Test
    void withoutAHashNoTokenIsAskedFor() {
        try (Drover drover = Drover.over(backend.url()).start()) {
            assertThat(ask(drover, "GET", "/metrics").status()).isEqualTo(200);
            assertThat(ask(drover, "GET", "/api/backends", "Authorization: Bearer whatever")
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void withAHashItMayListenEverywhere() {
        try (Drover drover = protectedBy().set("admin.listen", "0.0.0.0:0").start()) {
            assertThat(ask(drover, "GET", "/metrics").status()).isEqualTo(401);
            assertThat(ask(drover, "GET", "/metrics", "Authorization: Bearer " + TOKEN)
                            .status())
                    .isEqualTo(200);
        }
    }
}
