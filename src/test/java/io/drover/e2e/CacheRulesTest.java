package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import io.drover.testing.Secrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may have a kept answer, and whose are not kept. */
class CacheRulesTest {
    private static final String BODY = "{\"model\":\"llama3.2\",\"prompt\":\"why\",\"options\":{\"seed\":1}}";

    private SimulatedOllama backend;

    @BeforeEach
    void start() {
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults().withTokens(3));
    }

    @AfterEach
    void stop() {
        backend.close();
    }

    private Drover.Setup drover() {
        return Drover.over(backend.url()).set("cache.enabled", "true").set("health.active.interval", "200ms");
    }

    /** One with the keys {@code alice} and {@code bob}, whose secrets are their names. */
    private Drover.Setup withKeys(Path dir) throws IOException {
        Path keys = Files.writeString(
                dir.resolve("keys"), Secrets.line("alice", "alice", "") + Secrets.line("bob", "bob", ""));
        return drover().set("auth.mode", "api-key").set("auth.keys-file", keys.toString());
    }

    private static Drover started(Drover.Setup setup) {
        return setup.start().awaitListed();
    }

    private static String ask(Drover drover, String body, String... headers) {
        return drover.exchange("POST", "/api/generate", body, headers).header("X-Cache");
    }

    private static String askAs(Drover drover, String name) {
        return ask(drover, BODY, "Authorization: Bearer " + name);
    }

    @Test
    void callersShareAnswers(@TempDir Path dir) throws IOException {
        try (Drover drover = started(withKeys(dir))) {
            assertThat(askAs(drover, "alice")).isEqualTo("MISS");
            assertThat(askAs(drover, "bob")).isEqualTo("HIT");
            assertThat(drover.exchange("POST", "/api/generate", BODY).status()).isEqualTo(401);
        }
    }

    @Test
    void orEachHasItsOwn(@TempDir Path dir) throws IOException {
        try (Drover drover = started(withKeys(dir).set("cache.per-tenant", "true"))) {
            assertThat(askAs(drover, "alice")).isEqualTo("MISS");
            assertThat(askAs(drover, "bob")).isEqualTo("MISS");
            assertThat(askAs(drover, "alice")).isEqualTo("HIT");
            assertThat(askAs(drover, "bob")).isEqualTo("HIT");
        }
    }

    @Test
    void aKeyAndAModelCanBeKeptOut(@TempDir Path dir) throws IOException {
        try (Drover drover =
                started(withKeys(dir).set("cache.exclude.keys", "bob").set("cache.exclude.models", "qwen*"))) {
            assertThat(askAs(drover, "alice")).isEqualTo("MISS");
            assertThat(askAs(drover, "bob")).isEqualTo("BYPASS");
            assertThat(askAs(drover, "alice")).isEqualTo("HIT");
            String other = BODY.replace("llama3.2", "qwen3");
            assertThat(ask(drover, other, "Authorization: Bearer alice")).isEqualTo("BYPASS");
            assertThat(drover.metric("drover_cache_bypass_total{reason=\"excluded\",}"))
                    .isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"QWEN3", "qwen3:latest", "library/qwen3", "registry.ollama.ai/library/Qwen3:Latest"})
    void anotherSpellingIsNoWayIntoTheCache(String spelling) {
        try (Drover drover = started(drover().set("cache.exclude.models", "Qwen3"))) {
            assertThat(ask(drover, BODY.replace("llama3.2", spelling))).isEqualTo("BYPASS");
            assertThat(drover.metric("drover_cache_bypass_total{reason=\"excluded\",}"))
                    .isEqualTo(1);
            assertThat(ask(drover, BODY)).isEqualTo("MISS");
        }
    }

    @Test
    void anAnswerThatIsKeptIsNoWayAroundALimit() {
        try (Drover drover = started(drover().set("limits.requests.rate", "1/h").set("limits.requests.burst", "2"))) {
            assertThat(ask(drover, BODY)).isEqualTo("MISS");
            RawClient.Response hit = drover.exchange("POST", "/api/generate", BODY);
            assertThat(hit.header("X-Cache")).isEqualTo("HIT");
            assertThat(hit.header("RateLimit-Remaining")).isEqualTo("0");
            assertThat(drover.exchange("POST", "/api/generate", BODY).status()).isEqualTo(429);
        }
    }

    @Test
    void itCostsNoTokens() {
        try (Drover drover = started(drover().set("limits.tokens.rate", "1/h").set("limits.tokens.burst", "1000"))) {
            drover.exchange("POST", "/api/generate", BODY);
            int first = remaining(drover, "one");
            assertThat(ask(drover, BODY)).isEqualTo("HIT");
            assertThat(ask(drover, BODY)).isEqualTo("HIT");
            int second = remaining(drover, "two");
            int third = remaining(drover, "six");
            assertThat(first - second).isEqualTo(second - third).isPositive();
        }
    }

    /** After another question of the same length. */
    private static int remaining(Drover drover, String prompt) {
        return Integer.parseInt(drover.exchange("POST", "/api/generate", BODY.replace("why", prompt))
                .header("RateLimit-Remaining"));
    }

    @Test
    void switchedOffItSaysNothing() {
        try (Drover drover = started(drover().set("cache.enabled", "false"))) {
            RawClient.Response response = drover.exchange("POST", "/api/generate", BODY);
            assertThat(response.head().has("X-Cache")).isFalse();
            assertThat(drover.logged().get("cache")).isEmpty();
        }
    }

    @Test
    void aLargeRequestIsReadBesideTheLoopAndATooLargeOneIsNotLookedUp() {
        try (Drover drover = started(drover().set("cache.max-request", "300KiB"))) {
            String large = BODY.replace("why", "w".repeat(200_000));
            assertThat(ask(drover, large)).isEqualTo("MISS");
            // Its answer is large as well, and may still be on its way into the cache.
            assertThat(ask(drover, large)).isIn("HIT", "COALESCED");
            assertThat(ask(drover, BODY.replace("why", "w".repeat(400_000)))).isEqualTo("BYPASS");
        }
    }
}
