package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.drover.testing.Redis;
import io.drover.testing.Secrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits of every kind on real sockets; how each counts is tested where it counts. */
class LimitsTest {
    /** What each answer says of itself. */
    private static final int PROMPT = 5;

    private static final int GENERATED = 10;
    private static final String ANSWER =
            "{\"model\":\"m\",\"response\":\"Yes.\",\"done\":true,\"total_duration\":4000000000,"
                    + "\"load_duration\":1000000000,\"prompt_eval_count\":" + PROMPT
                    + ",\"prompt_eval_duration\":1000000000,"
                    + "\"eval_count\":" + GENERATED + ",\"eval_duration\":1000000000}";

    private static final String BODY = "{\"model\":\"m\",\"stream\":false,\"prompt\":\"x\"}";

    private final CountDownLatch gate = new CountDownLatch(1);
    private RawBackend backend;

    @BeforeEach
    void start() throws IOException {
        backend = RawBackend.start(connection -> {
            while (connection.hasMore()) {
                RawBackend.Request request = connection.readRequest();
                if (request.body().contains("held")) {
                    assertThat(gate.await(10, TimeUnit.SECONDS)).isTrue();
                }
                connection.answer(ANSWER);
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        backend.close();
    }

    private Drover.Setup drover() {
        return Drover.over(backend.url());
    }

    private static RawClient.Response ask(Drover drover, String... headers) {
        return drover.exchange("POST", "/api/generate", BODY, headers);
    }

    private static int[] statuses(Drover drover, int count) {
        return IntStream.range(0, count).map(i -> ask(drover).status()).toArray();
    }

    @Test
    void aRequestMayWaitForItsRoom() {
        try (Drover drover = drover().set("limits.requests.rate", "20/s")
                .set("limits.requests.burst", "1")
                .set("limits.requests.delay", "5s")
                .start()) {
            assertThat(statuses(drover, 3)).containsExactly(200, 200, 200);
            assertThat(drover.metric("drover_rate_delayed_total{limit=\"requests\",}"))
                    .isGreaterThanOrEqualTo(1);
        }
    }

    @Test
    void whoWaitsForRoomMayLeave() {
        try (Drover drover = drover().set("limits.requests.rate", "1/h")
                .set("limits.requests.burst", "1")
                .set("limits.requests.delay", "2h")
                .start()) {
            assertThat(ask(drover).status()).isEqualTo(200);
            try (RawClient client = drover.connect().request("POST", "/api/generate", BODY)) {
                Drover.await("delayed", () -> drover.metric("drover_rate_delayed_total{limit=\"requests\",}") == 1);
                client.hangUp();
                LogLine line = drover.log(2).get(1);
                assertThat(line.outcome()).isEqualTo("queue/client");
            }
            assertThat(backend.requests()).hasSize(1);
        }
    }

    /** Of 100 an estimate takes 58 and an answer 15: without settlement the second would find 42. */
    @Test
    void tokensAreSettledByTheFinalRecord() {
        try (Drover drover = drover().set("limits.tokens.rate", "1/h")
                .set("limits.tokens.burst", "100")
                .set("limits.answer-tokens", "50")
                .start()) {
            assertThat(statuses(drover, 3)).containsExactly(200, 200, 200);
            RawClient.Response refused = ask(drover);
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.header("Retry-After")).isNotEmpty();
            assertThat(drover.log(4).get(3).get("cause")).isEqualTo("token limit");
            // A route that runs no model needs no tokens.
            assertThat(drover.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
        }
    }

    /** A GPU has worked for it, and nobody knows how much. */
    @Test
    void whoLeavesBeforeTheFirstByteIsChargedTheEstimate() {
        try (Drover drover = drover().set("limits.tokens.rate", "1/h")
                .set("limits.tokens.burst", "100")
                .set("limits.answer-tokens", "50")
                .start()) {
            try (RawClient client =
                    drover.connect().request("POST", "/api/generate", "{\"model\":\"m\",\"prompt\":\"held\"}")) {
                Drover.await("asked", () -> backend.requests().size() == 1);
                client.hangUp();
                assertThat(drover.logged().outcome()).isEqualTo("await_head/client");
            }
            gate.countDown();
            assertThat(ask(drover).status()).isEqualTo(429);
        }
    }

    @Test
    void whatNoBackendAnsweredCostsNoTokens() throws IOException {
        backend.close();
        try (Drover drover = drover().set("limits.tokens.rate", "1/h")
                .set("limits.tokens.burst", "60")
                .set("limits.answer-tokens", "50")
                .start()) {
            assertThat(statuses(drover, 3)).containsOnly(502, 503);
        }
    }

    @Test
    void aBudgetIsUsedUpAndSaysWhenItEnds() {
        try (Drover drover = drover().set("limits.budgets.tokens", "20").start()) {
            assertThat(statuses(drover, 2)).containsExactly(200, 200);
            RawClient.Response refused = ask(drover);
            assertThat(refused.status()).isEqualTo(429);
            assertThat(Long.parseLong(refused.header("Retry-After"))).isBetween(1L, 86_400L);
            assertThat(drover.log(3).get(2).get("cause")).isEqualTo("budget used up");
        }
    }

    @Test
    void aBudgetOutlivesARestart(@TempDir Path directory) {
        Drover.Setup setup = drover().set("limits.budgets.gpu-time", "5s")
                .set("limits.budgets-file", directory.resolve("budgets").toString());
        try (Drover drover = setup.start()) {
            assertThat(statuses(drover, 2)).containsExactly(200, 200);
        }
        try (Drover drover = setup.start()) {
            assertThat(ask(drover).status()).isEqualTo(429);
        }
    }

    @Test
    void requestsInFlightAreCountedByClient() {
        try (Drover drover = drover().set("limits.in-flight-per-client", "1").start();
                RawClient first =
                        drover.connect().request("POST", "/api/generate", "{\"model\":\"m\",\"prompt\":\"held\"}")) {
            Drover.await("asked", () -> backend.requests().size() == 1);
            RawClient.Response second = ask(drover);
            assertThat(second.status()).isEqualTo(429);
            assertThat(second.header("Retry-After")).isEqualTo("1");
            gate.countDown();
            assertThat(first.readResponse().status()).isEqualTo(200);
            assertThat(ask(drover).status()).isEqualTo(200);
        }
    }

    @Test
    void connectionsAreCountedByAddress() {
        try (Drover drover = drover().set("limits.connections-per-client", "1").start()) {
            try (RawClient first = drover.connect()) {
                assertThat(first.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
                try (RawClient second = drover.connect()) {
                    RawClient.Response refused = second.readResponse();
                    assertThat(refused.status()).isEqualTo(429);
                    assertThat(refused.body()).contains("limits.connections-per-client");
                    assertThat(refused.header("Retry-After")).isEqualTo("1");
                    second.expectClosed();
                }
            }
            Drover.await("left", () -> drover.openClients() == 0);
            assertThat(ask(drover).status()).isEqualTo(200);
        }
    }

    @Test
    void oneOfSeveralLimitsIsEnoughToRefuse() {
        try (Drover drover = drover().set("limits.requests.key", "header:X-Team")
                .set("limits.requests.rate", "1/h")
                .set("limits.requests.burst", "1")
                .set("limits.requests.paths", "/api/generate")
                .start()) {
            assertThat(ask(drover, "X-Team: red").status()).isEqualTo(200);
            assertThat(ask(drover, "X-Team: blue").status()).isEqualTo(200);
            assertThat(ask(drover, "X-Team: red").status()).isEqualTo(429);
            assertThat(drover.exchange("POST", "/api/embed", BODY, "X-Team: red")
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void aKeyBringsItsOwnLimit(@TempDir Path directory) throws Exception {
        String secret = "drover_a-secret-that-is-long-enough-0123456789";
        Path keys = directory.resolve("keys");
        Files.writeString(keys, Secrets.line("alice", secret, ",\"requests\":\"1/h\",\"requests_burst\":2"));
        try (Drover drover = drover().set("auth.mode", "api-key")
                .set("auth.keys-file", keys.toString())
                .start()) {
            String key = "x-api-key: " + secret;
            assertThat(ask(drover, key).header("RateLimit-Remaining")).isEqualTo("1");
            assertThat(ask(drover, key).status()).isEqualTo(200);
            assertThat(ask(drover, key).status()).isEqualTo(429);
        }
    }

    /** A lease is one token here: all but the first to come have to wait for Redis, and none is refused for that. */
    @Test
    void whoIsAheadOfRedisWaitsAndIsNotRefused(@TempDir Path dir) throws Exception {
        try (Redis redis = Redis.start(dir);
                Drover drover = drover().set("limits.tokens.rate", "1/m")
                        .set("limits.tokens.burst", "10000")
                        .set("limits.answer-tokens", "50")
                        .set("limits.requests.rate", "1/m")
                        .set("limits.requests.burst", "40")
                        .set("limits.shared", "true")
                        .set("limits.lease", "5s")
                        .set("redis.uri", redis.uri())
                        .start()) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                clients.add(drover.connect());
            }
            clients.forEach(client -> client.request("POST", "/api/generate", BODY));
            for (RawClient client : clients) {
                assertThat(client.readResponse().status()).isEqualTo(200);
                client.close();
            }
            RawClient.Response refused = ask(drover);
            assertThat(refused.status()).isEqualTo(429);
            assertThat(drover.metric("drover_limits_shared")).isEqualTo(1);
            assertThat(redis.command("EXISTS", "drover:limit:tokens:tokens:@127.0.0.1"))
                    .isEqualTo(":1");
        }
    }

    @Test
    void whoLeavesWhileRedisIsAskedLeavesNothingBehind(@TempDir Path dir) throws Exception {
        try (Redis redis = Redis.start(dir);
                Drover drover = drover().set("limits.tokens.rate", "1/s")
                        .set("limits.tokens.burst", "10000")
                        .set("limits.in-flight-per-client", "3")
                        .set("limits.shared", "true")
                        .set("limits.lease", "5s")
                        .set("redis.uri", redis.uri())
                        .start()) {
            redis.freeze();
            assertThat(ask(drover).status()).isEqualTo(200);
            try (RawClient leaving = drover.connect().request("POST", "/api/generate", BODY);
                    RawClient pipelining = drover.connect().request("POST", "/api/generate", BODY)) {
                pipelining.request("POST", "/api/generate", BODY);
                leaving.hangUp();
                LogLine line = drover.log(2).get(1);
                assertThat(line.outcome()).isEqualTo("queue/client");

                redis.thaw();

                assertThat(pipelining.readResponse().status()).isEqualTo(200);
                assertThat(pipelining.readResponse().status()).isEqualTo(200);
            }
            assertThat(backend.requests()).hasSize(3);
            assertThat(statuses(drover, 3)).containsExactly(200, 200, 200);
        }
    }
}
