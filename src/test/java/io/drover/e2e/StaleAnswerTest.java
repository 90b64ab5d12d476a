package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.Fault;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is kept beyond its time stands in when no backend can answer, and only then. */
class StaleAnswerTest {
    private static final String BODY = "{\"model\":\"llama3.2\",\"prompt\":\"why\",\"options\":{\"seed\":1}}";

    private final ExecutorService clients = Executors.newCachedThreadPool();
    private SimulatedOllama backend;

    @BeforeEach
    void start() {
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults().withTokens(3));
    }

    @AfterEach
    void stop() {
        clients.shutdownNow();
        backend.close();
    }

    /** One with answers that are fresh for a millisecond. */
    private Drover drover(String serveStale) {
        return Drover.over(backend.url())
                .set("cache.enabled", "true")
                .set("cache.ttl", "1ms")
                .set("cache.serve-stale", serveStale)
                .set("health.active.interval", "200ms")
                .set("health.active.fall", "1")
                .set("retry.attempts", "0")
                .start()
                .awaitListed();
    }

    /** Until what was kept is no longer fresh. */
    private static void pass() {
        long end = System.currentTimeMillis() + 2;
        Drover.await("time has passed", () -> System.currentTimeMillis() > end);
    }

    private void away() {
        pass();
        backend.refuse();
        backend.disconnect(true);
    }

    private static RawClient.Response ask(Drover drover, String... headers) {
        return drover.exchange("POST", "/api/generate", BODY, headers);
    }

    @Test
    void whileABackendAnswersItIsAsked() {
        try (Drover drover = drover("1h")) {
            assertThat(ask(drover).header("X-Cache")).isEqualTo("MISS");
            pass();
            assertThat(ask(drover).header("X-Cache")).isEqualTo("MISS");
        }
    }

    @Test
    void whenNoneCanTheOldAnswerStandsIn() {
        try (Drover drover = drover("1h")) {
            RawClient.Response first = ask(drover);
            away();
            RawClient.Response stale = ask(drover);
            assertThat(stale.status()).isEqualTo(200);
            assertThat(stale.header("X-Cache")).isEqualTo("STALE");
            assertThat(stale.header("Age")).isNotEmpty();
            assertThat(stale.head().has("X-Drover-Backend")).isFalse();
            assertThat(stale.body().lines().count())
                    .isEqualTo(first.body().lines().count());
            Drover.await("the backend is down", () -> !drover.backend("a").isUp(System.nanoTime()));
            assertThat(ask(drover).header("X-Cache")).isEqualTo("STALE");
            assertThat(drover.metric("drover_cache_stale_total")).isEqualTo(2);
            RawClient.Response other = drover.exchange("POST", "/api/generate", BODY.replace("why", "what"));
            assertThat(other.status()).isIn(502, 503);
            backend.resume();
            Drover.await("the backend is up", () -> drover.backend("a").isUp(System.nanoTime()));
            assertThat(ask(drover).header("X-Cache")).isEqualTo("MISS");
        }
    }

    @Test
    void notForAClientThatWantsNoneSoOld() {
        try (Drover drover = drover("1h")) {
            ask(drover);
            long second = System.currentTimeMillis() + 1001;
            Drover.await("the answer is a second old", () -> System.currentTimeMillis() > second);
            away();
            assertThat(ask(drover, "Cache-Control: max-age=0").status()).isIn(502, 503);
            assertThat(ask(drover, "Cache-Control: max-age=3600").header("X-Cache"))
                    .isEqualTo("STALE");
        }
    }

    @Test
    void anErrorOfTheBackendIsNoReasonUnlessItIsOneToTryAnother() {
        try (Drover drover = drover("1h")) {
            ask(drover);
            pass();
            RawClient.Response refused = ask(drover, Fault.HEADER + ": model-404");
            assertThat(refused.status()).isEqualTo(404);
            assertThat(ask(drover, Fault.HEADER + ": die-before-head").header("X-Cache"))
                    .isEqualTo("STALE");
        }
    }

    @Test
    void tooOldIsTooOld() {
        try (Drover drover = drover("0s")) {
            ask(drover);
            away();
            assertThat(ask(drover).status()).isIn(502, 503);
        }
    }

    @Test
    void thoseWhoWaitTogetherGetItTogether() {
        try (Drover drover = drover("1h")) {
            ask(drover);
            pass();
            backend.fault(new Fault(Fault.Kind.STALL_BEFORE_HEAD, 0, Fault.INFERENCE));
            List<CompletableFuture<RawClient.Response>> asked = IntStream.range(0, 5)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> ask(drover), clients))
                    .toList();
            Drover.await("one is asked, and the others follow", () -> drover.metric("drover_cache_followers") == 4);
            away();
            assertThat(asked)
                    .allSatisfy(one -> assertThat(one.join().header("X-Cache")).isEqualTo("STALE"));
        }
    }
}
