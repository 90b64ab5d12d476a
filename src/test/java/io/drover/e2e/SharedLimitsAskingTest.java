package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.drover.testing.Redis;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests whose limits do not know yet, since Redis has not answered: a unit comes back in an hour, so that the second
 * request is more than a lease.
 */
@Timeout(60)
class SharedLimitsAskingTest {
    /** Redis may be frozen for a second in all before its commands fail. */
    private static final Duration MEANWHILE = Duration.ofMillis(40);

    private static final String BODY = "{\"model\":\"m\",\"stream\":false,\"prompt\":\"x\"}";
    private static final String BY_MODEL = "model";
    private static final String BY_HEAD = "all";

    private final Redis redis;
    private RawBackend backend;

    SharedLimitsAskingTest(@TempDir Path dir) {
        redis = Redis.start(dir);
    }

    @BeforeEach
    void start() throws IOException {
        backend = RawBackend.start(connection -> {
            while (connection.hasMore()) {
                connection.readRequest();
                connection.answer("{}");
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        redis.close();
        backend.close();
    }

    private Drover drover(String key) {
        Drover drover = Drover.over(backend.url())
                .set("redis.uri", redis.uri())
                .set("limits.shared", "true")
                .set("limits.lease", "10s")
                .set("limits.in-flight-per-client", "2")
                .set("limits.requests.rate", "1/h")
                .set("limits.requests.burst", "10")
                .set("limits.requests.key", key)
                .start();
        Drover.await("shared", () -> drover.metric("drover_limits_shared") == 1);
        return drover;
    }

    private static RawClient ask(RawClient client) {
        return client.request("POST", "/api/generate", BODY);
    }

    /** One request is ahead of Redis, which says nothing from now on. */
    private void freeze(Drover drover) {
        redis.freeze();
        assertThat(drover.exchange("POST", "/api/generate", BODY).status()).isEqualTo(200);
    }

    private void answersWhenTheyKnow(String key) {
        try (Drover drover = drover(key);
                RawClient client = drover.connect()) {
            freeze(drover);
            ask(client).expectSilence(MEANWHILE);
            // The next one is there already when the first goes on.
            ask(client);

            redis.thaw();

            for (int remaining = 8; remaining >= 7; remaining--) {
                RawClient.Response answer = client.readResponse();
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.header("RateLimit-Remaining")).isEqualTo(Integer.toString(remaining));
            }
        }
    }

    @Test
    void aLimitOfHeadsIsAskedAgain() {
        answersWhenTheyKnow(BY_HEAD);
    }

    @Test
    void aLimitOfModelsIsAskedAgain() {
        answersWhenTheyKnow(BY_MODEL);
    }

    private void whoLeavesHasTakenNothing(String key) {
        try (Drover drover = drover(key)) {
            freeze(drover);
            for (int i = 0; i < 2; i++) {
                try (RawClient leaving = drover.connect()) {
                    ask(leaving).expectSilence(MEANWHILE);
                    leaving.hangUp();
                }
                Drover.await("gone", () -> drover.openClients() == 0);
            }
            redis.thaw();
            Drover.await("shared", () -> drover.metric("drover_limits_shared") == 1);

            RawClient.Response answer = drover.exchange("POST", "/api/generate", BODY);

            assertThat(answer.status()).as("none is in flight").isEqualTo(200);
            assertThat(answer.header("RateLimit-Remaining")).isEqualTo("8");
        }
    }

    @Test
    void whoLeavesAtTheHeadHasTakenNothing() {
        whoLeavesHasTakenNothing(BY_HEAD);
    }

    @Test
    void whoLeavesAtTheModelHasTakenNothing() {
        whoLeavesHasTakenNothing(BY_MODEL);
    }
}
