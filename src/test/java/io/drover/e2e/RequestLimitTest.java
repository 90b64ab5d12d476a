package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.drover.testing.RawClient.Response;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code limits.requests}: who is refused, what clients are told, and whom it does not concern. */
class RequestLimitTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final List<String> FIELDS =
            List.of("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After");
    private static final String REFUSED = "drover_rate_limited_total{limit=\"requests\",}";

    private RawBackend backend;

    @BeforeEach
    void start() throws Exception {
        backend = RawBackend.answering(OK);
    }

    @AfterEach
    void stop() throws Exception {
        backend.close();
    }

    /** So slow that nothing comes back within a test. */
    private Drover.Setup limited(int burst) {
        return Drover.over(backend.url())
                .set("limits.requests.rate", "1/h")
                .set("limits.requests.burst", Integer.toString(burst));
    }

    private static List<String> fields(Response response) {
        return FIELDS.stream().map(response::header).toList();
    }

    private static void assertUntold(Response response) {
        assertThat(fields(response)).containsOnly("");
    }

    @ParameterizedTest
    @CsvSource({
        "/api/chat,            '{\"error\":\"too many requests: 2 at once and 1/h from one address are allowed\"}'",
        "/v1/chat/completions, '{\"error\":{\"message\":\"too many requests: 2 at once and 1/h from one address are"
                + " allowed\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":null}}'",
        "/v1/messages,         '{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"too many"
                + " requests: 2 at once and 1/h from one address are allowed\"},\"request_id\":\"me\"}'"
    })
    void theBurstPassesAndTheNextIs429InTheShapeOfItsFamily(String path, String body) {
        try (Drover drover = limited(2).start();
                RawClient client = drover.connect()) {
            Response first = client.exchange("POST", path, Route.BODY);
            Response second = client.exchange("POST", path, Route.BODY);
            Response third = client.exchange("POST", path, Route.BODY, "X-Request-Id: me");

            assertThat(first.status()).isEqualTo(200);
            assertThat(fields(first)).containsExactly("2", "1", "3600", "");
            assertThat(second.status()).isEqualTo(200);
            assertThat(fields(second)).containsExactly("2", "0", "7200", "");
            assertThat(third.status()).isEqualTo(429);
            assertThat(third.header("Content-Type")).contains("application/json");
            assertThat(third.body()).isEqualTo(body);
            assertThat(third.header("X-Request-Id")).isEqualTo("me");
            assertThat(third.head().has("X-Drover-Backend")).isFalse();
            assertThat(third.head().all("Retry-After")).hasSize(1);
            assertThat(third.header("RateLimit-Limit")).isEqualTo("2");
            assertThat(third.header("RateLimit-Remaining")).isEqualTo("0");
            assertThat(Integer.parseInt(third.header("Retry-After"))).isBetween(3590, 3600);
            assertThat(third.header("RateLimit-Reset")).isEqualTo(third.header("Retry-After"));
            assertThat(backend.requests()).hasSize(2);
        }
    }

    @Test
    void aRefusalIsLoggedAndCounted() {
        try (Drover drover = limited(1).start()) {
            assertThat(drover.metric(REFUSED)).isZero();
            drover.exchange("GET", "/api/tags", "");
            drover.exchange("GET", "/api/tags", "");

            var line = drover.log(2).get(1);
            assertThat(line.status()).isEqualTo(429);
            assertThat(line.outcome()).isEqualTo("admit/client");
            assertThat(line.get("cause")).isEqualTo("request limit");
            assertThat(line.attempts()).isZero();
            assertThat(drover.metric(REFUSED)).isOne();
            assertThat(drover.metric("llm_requests_total{model=\"none\",endpoint=\"/api/tags\",status=\"429\",}"))
                    .isOne();
        }
    }

    @Test
    void theConnectionLivesOnBehindARefusal() {
        try (Drover drover = limited(1).start();
                RawClient client = drover.connect()) {
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(200);
            for (int i = 0; i < 3; i++) {
                Response refused = client.exchange("POST", "/api/chat", Route.BODY);
                assertThat(refused.status()).isEqualTo(429);
                assertThat(refused.head().has("Connection")).isFalse();
                assertThat(client.exchange("GET", "/api/tags", "").status()).isEqualTo(429);
                assertThat(client.exchange("HEAD", "/api/tags", "").status()).isEqualTo(429);
                assertThat(client.exchange("GET", "/health", "").status()).isEqualTo(200);
            }
        }
    }

    /** What follows its head is no request, whatever it looks like. */
    @Test
    void aBodyThatIsStillOnItsWayEndsTheConnection() {
        try (Drover drover = limited(1).set("timeouts.lingering-close", "2s").start()) {
            drover.exchange("GET", "/api/tags", "");
            for (String framing : List.of("Content-Length: 1000", "Transfer-Encoding: chunked")) {
                try (RawClient client = drover.connect()) {
                    client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\n" + framing
                            + "\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n");
                    Response refused = client.readResponse();
                    assertThat(refused.status()).isEqualTo(429);
                    assertThat(refused.header("Connection")).isEqualTo("close");
                    client.expectClosed();
                }
            }
            try (RawClient client = drover.connect()) {
                client.request("POST", "/api/chat", "x".repeat(4 << 20));
                assertThat(client.readResponse().status()).isEqualTo(429);
            }
        }
    }

    @Test
    void whoWaitsForLeaveToSendGetsTheRefusalInstead() {
        try (Drover drover = limited(1).start();
                RawClient client = drover.connect()) {
            client.exchange("GET", "/api/tags", "");
            client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
            assertThat(client.readHead().status()).isEqualTo(429);
        }
    }

    @Test
    void pipelinedRequestsAreCountedOneByOne() {
        try (Drover drover = limited(3).start();
                RawClient client = drover.connect()) {
            client.send("GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000));
            for (int i = 0; i < 1000; i++) {
                assertThat(client.readResponse().status()).isEqualTo(i < 3 ? 200 : 429);
            }
        }
    }

    @Test
    void anotherAddressHasABucketOfItsOwn() {
        try (Drover drover = limited(1).start();
                RawClient other = RawClient.connectFrom("127.0.0.2", drover.address())) {
            assertThat(drover.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
            assertThat(drover.exchange("GET", "/api/tags", "").status()).isEqualTo(429);
            assertThat(other.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
            assertThat(other.exchange("GET", "/api/tags", "").status()).isEqualTo(429);
        }
    }

    @Test
    void aTrustedProxyTellsWhoTheClientIsAndNobodyElseDoes() {
        try (Drover drover =
                limited(1).set("limits.trusted-proxies", "127.0.0.2").start()) {
            try (RawClient stranger = drover.connect()) {
                assertThat(stranger.exchange("GET", "/", "", "X-Forwarded-For: 192.0.2.1")
                                .status())
                        .isEqualTo(200);
                assertThat(stranger.exchange("GET", "/", "", "X-Forwarded-For: 192.0.2.2")
                                .status())
                        .isEqualTo(429);
            }
            try (RawClient proxy = RawClient.connectFrom("127.0.0.2", drover.address())) {
                for (String address : List.of("192.0.2.1", "192.0.2.2", "2001:db8::1")) {
                    String header = "X-Forwarded-For: " + address;
                    assertThat(proxy.exchange("GET", "/", "", header).status()).isEqualTo(200);
                    assertThat(proxy.exchange("GET", "/", "", header).status()).isEqualTo(429);
                }
                assertThat(proxy.exchange("GET", "/", "", "X-Forwarded-For: 2001:DB8:0::1")
                                .status())
                        .as("the same in other words")
                        .isEqualTo(429);
            }
        }
    }

    @Test
    void whatComesBackLetsPassAgain() {
        try (Drover drover = limited(1).set("limits.requests.rate", "20/s").start();
                RawClient client = drover.connect()) {
            AtomicInteger refused = new AtomicInteger();
            for (int i = 0; i < 3; i++) {
                Drover.await("let pass", () -> {
                    Response response = client.exchange("GET", "/api/tags", "");
                    assertThat(response.header("RateLimit-Remaining")).isEqualTo("0");
                    assertThat(response.header("RateLimit-Reset")).isEqualTo("1");
                    if (response.status() == 429) {
                        assertThat(response.header("Retry-After")).isEqualTo("1");
                        refused.incrementAndGet();
                    }
                    return response.status() == 200;
                });
            }
            assertThat(refused).hasPositiveValue();
            assertThat(drover.metric(REFUSED)).isEqualTo(refused.get());
        }
    }

    @Test
    void ofManyAddressesOnlyTheLastAreRemembered() {
        try (Drover drover = limited(1).set("limits.max-keys", "2").start()) {
            for (String source : List.of("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.2")) {
                try (RawClient client = RawClient.connectFrom(source, drover.address())) {
                    assertThat(client.exchange("GET", "/api/tags", "").status())
                            .as("%s, new or forgotten", source)
                            .isEqualTo(200);
                    assertThat(client.exchange("GET", "/api/tags", "").status()).isEqualTo(429);
                }
            }
        }
    }

    @Test
    void theBurstIsOneForAllEventLoops() {
        try (Drover drover = limited(50).loops(4).start()) {
            int passed = 0;
            for (int i = 0; i < 20; i++) {
                try (RawClient client = drover.connect()) {
                    client.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
                            + "GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5));
                    client.readResponse();
                    for (int k = 0; k < 5; k++) {
                        passed += client.readResponse().status() == 200 ? 1 : 0;
                    }
                }
            }
            assertThat(passed).isEqualTo(50);
        }
    }

    @Test
    void whatDroverAnswersForItselfIsFreeAndSaysNothing() {
        try (Drover drover = limited(1).start();
                RawClient client = drover.connect()) {
            for (int i = 0; i < 5; i++) {
                for (String path : List.of("/health", "/ready")) {
                    Response own = client.exchange("GET", path, "");
                    assertThat(own.status()).isEqualTo(200);
                    assertUntold(own);
                }
                for (String origin : List.of("http://localhost:3000", "http://evil.example")) {
                    Response preflight = client.exchange(
                            "OPTIONS", "/api/chat", "", "Origin: " + origin, "Access-Control-Request-Method: POST");
                    assertThat(preflight.status()).isEqualTo(origin.contains("evil") ? 403 : 204);
                    assertUntold(preflight);
                }
            }
            assertThat(client.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
        }
    }

    /** Those that are relayed, or answered with an error; also what only looks like a preflight. */
    @ParameterizedTest
    @CsvSource({
        "OPTIONS, /api/chat, '', 200",
        "OPTIONS, /api/chat, 'Access-Control-Request-Method: POST', 200",
        "OPTIONS, /api/chat, 'Origin: http://localhost:3000', 200",
        "GET, /api/tags, 'Origin: http://evil.example', 403",
        "GET, /debug/pprof, '', 404",
        "PUT, /next/years/ollama, '', 200"
    })
    void everyOtherRequestCounts(String method, String path, String header, int status) {
        try (Drover drover = limited(1).start();
                RawClient client = drover.connect()) {
            String[] headers = header.isEmpty() ? new String[0] : new String[] {header};
            Response counted = client.exchange(method, path, "", headers);
            assertThat(counted.status()).isEqualTo(status);
            assertThat(fields(counted)).containsExactly("1", "0", "3600", "");
            Response refused = client.exchange(method, path, "", headers);
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.header("Access-Control-Allow-Origin"))
                    .isEqualTo(header.contains("localhost") ? "http://localhost:3000" : "");
        }
    }

    @Test
    void anErrorTellsOfTheLimitToo() throws Exception {
        try (Drover drover = Drover.over(Ports.refusing())
                .set("limits.requests.rate", "1/h")
                .set("limits.requests.burst", "3")
                .start()) {
            Response failed = drover.exchange("POST", "/api/chat", Route.BODY);
            assertThat(failed.status()).isEqualTo(502);
            assertThat(fields(failed)).containsExactly("3", "2", "3600", "");
            Response malformed = drover.exchange("POST", "/api/chat", "{\"model\":}");
            assertThat(malformed.status()).isEqualTo(400);
            assertThat(fields(malformed)).startsWith("3", "1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1000000/s"})
    void whatABackendTellsOfItsLimitsPassesOnlyWhereThereIsNone(String rate) throws Exception {
        String answer =
                "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nRateLimit-Limit: 60\r\nRateLimit-Remaining: 59\r\n"
                        + "RateLimit-Reset: 58\r\nRetry-After: 57\r\n\r\nno";
        try (RawBackend telling = RawBackend.answering(answer);
                Drover drover = Drover.over(telling.url())
                        .set("limits.requests.rate", rate)
                        .start()) {
            Response response = drover.exchange("GET", "/api/tags", "");
            assertThat(response.status()).isEqualTo(429);
            assertThat(response.head().all("RateLimit-Limit")).containsExactly(rate.equals("0") ? "60" : "20");
            assertThat(response.head().all("RateLimit-Remaining")).containsExactly(rate.equals("0") ? "59" : "19");
            assertThat(response.head().all("RateLimit-Reset")).containsExactly(rate.equals("0") ? "58" : "1");
            assertThat(response.head().all("Retry-After")).containsExactly("57");
            assertThat(drover.metric(REFUSED)).isZero();
        }
    }

    @Test
    void withoutALimitNobodyIsRefusedAndNothingIsTold() {
        try (Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            for (int i = 0; i < 100; i++) {
                Response response = client.exchange("GET", "/api/tags", "");
                assertThat(response.status()).isEqualTo(200);
                assertUntold(response);
            }
        }
    }
}
