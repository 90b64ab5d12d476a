package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import io.drover.testing.Redis;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two replicas, of which one holds the lease of an answer, while others follow at both. */
@Timeout(60)
class LeaseAndFollowersTest {
    private static final String MODEL = "llama3.2";
    private static final String PROMPT = "why";

    private final Redis redis;
    private final SimulatedOllama backend;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Drover one;
    private final Drover other;

    LeaseAndFollowersTest(@TempDir Path dir) {
        redis = Redis.start(dir);
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withModels(List.of(SimulatedModel.named(MODEL)))
                .withSlots(8)
                .withTokens(6));
        one = drover();
        other = drover();
    }

    @AfterEach
    void stop() throws Exception {
        backend.pace(0);
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
        backend.close();
        redis.close();
    }

    private Drover drover() {
        Drover drover = Drover.over(backend.url())
                .set("cache.enabled", "true")
                .set("cache.lookup-budget", "1s")
                // Longer than the test: who waits for its end fails.
                .set("cache.lease", "10m")
                .set("redis.uri", redis.uri())
                .set("health.active.interval", "200ms")
                .start();
        opened.push(drover);
        drover.awaitListed();
        return drover;
    }

    /** A leader and one who follows at each replica; the first replica holds the lease, and the backend is slow. */
    private RawClient[] fourWhoAsk() {
        for (Drover drover : List.of(one, other)) {
            Drover.await("it takes leases", () -> {
                String size = redis.command("DBSIZE");
                assertThat(drover.exchange("POST", "/api/generate", body("warm up " + System.nanoTime()))
                                .status())
                        .isEqualTo(200);
                return !redis.command("DBSIZE").equals(size);
            });
        }
        Drover.await("all leases are given back", () -> leases() == 0);
        backend.pace(1);
        RawClient[] clients = new RawClient[4];
        for (int i = 0; i < clients.length; i++) {
            Drover drover = i < 2 ? one : other;
            double asked = drover.metric("drover_cache_redis_seconds_count");
            clients[i] = ask(drover);
            if (i % 2 == 1) {
                Drover.await("it follows", () -> drover.metric("drover_cache_followers") == 1);
            } else if (i == 0) {
                Drover.await("it is computed", () -> leases() == 1 && computed() == 1);
            } else {
                // A look-up, the question for the lease, and another look-up.
                Drover.await("it waits", () -> drover.metric("drover_cache_redis_seconds_count") >= asked + 3);
            }
        }
        assertThat(computed()).isEqualTo(1);
        return clients;
    }

    private RawClient ask(Drover drover) {
        RawClient client = drover.connect();
        opened.push(client);
        return client.request("POST", "/api/generate", body(PROMPT));
    }

    private static String body(String prompt) {
        return "{\"model\":\"" + MODEL + "\",\"prompt\":\"" + prompt + "\",\"options\":{\"temperature\":0}}";
    }

    /** How often the backend was asked that. */
    private long computed() {
        return backend.received().stream()
                .filter(request -> request.text().contains('"' + PROMPT + '"'))
                .count();
    }

    private int leases() {
        // The number of names stands in the first line.
        return Integer.parseInt(redis.command("KEYS", "drover:cache:lease:*").substring(1));
    }

    private static void assertWhole(RawClient client, String status) {
        RawClient.Response response = client.readResponse();
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("X-Cache")).isEqualTo(status);
        assertThat(response.body()).contains("\"done\":true");
    }

    @Test
    void allHaveTheAnswerOfTheOneThatHoldsTheLease() {
        RawClient[] clients = fourWhoAsk();

        backend.pace(0);

        assertWhole(clients[0], "MISS");
        assertWhole(clients[1], "COALESCED");
        assertWhole(clients[2], "HIT");
        assertWhole(clients[3], "HIT");
        assertThat(computed()).isEqualTo(1);
        Drover.await("the lease is given back", () -> leases() == 0);
    }

    @Test
    void itGoesOnWithoutItsFirstClientWhileAnotherFollows() {
        RawClient[] clients = fourWhoAsk();

        clients[0].hangUp();
        Drover.await("gone", () -> one.openClients() == 1);
        backend.pace(0);

        assertWhole(clients[1], "COALESCED");
        assertWhole(clients[2], "HIT");
        assertWhole(clients[3], "HIT");
        assertThat(computed()).isEqualTo(1);
        Drover.await("the lease is given back", () -> leases() == 0);
    }

    @Test
    void theOtherReplicaGoesOnAtOnceWhereAllOfItsClientsHaveLeft() {
        RawClient[] clients = fourWhoAsk();

        clients[1].hangUp();
        clients[0].hangUp();
        Drover.await("the other one computes", () -> computed() == 2);
        backend.pace(0);

        assertWhole(clients[2], "MISS");
        assertWhole(clients[3], "COALESCED");
        Drover.await("the lease is given back", () -> leases() == 0);
    }

    @Test
    void eachGoesOnByItselfWhereRedisDies() {
        RawClient[] clients = fourWhoAsk();

        redis.kill();
        Drover.await("the other one computes", () -> computed() == 2);
        backend.pace(0);

        assertWhole(clients[0], "MISS");
        assertWhole(clients[1], "COALESCED");
        assertWhole(clients[2], "MISS");
        assertWhole(clients[3], "COALESCED");
        assertThat(computed()).isEqualTo(2);
    }
}
