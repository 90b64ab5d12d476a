package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.Fault;
import io.drover.demo.ReceivedRequest;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers to similar questions, on real sockets. Two prompts that differ in spelling only are similar by 0.99. */
class SemanticCacheTest {
    private static final String MODEL = "llama3.2";
    private static final String EMBEDDER = "nomic";

    private SimulatedOllama backend;
    private Drover drover;

    @BeforeEach
    void startBackend() {
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withModels(List.of(SimulatedModel.named(MODEL), SimulatedModel.embedder(EMBEDDER)))
                .withTokens(6));
        drover = launched();
    }

    @AfterEach
    void stop() {
        drover.close();
        backend.close();
    }

    /** One that knows what the herd has. Keys and values take turns. */
    private void start(String... settings) {
        drover.close();
        drover = launched(settings);
    }

    private Drover launched(String... settings) {
        Drover.Setup setup = Drover.over(backend.url())
                .set("cache.enabled", "true")
                .set("cache.semantic.timeout", "5s")
                .set("health.active.interval", "200ms");
        for (int i = 0; i < settings.length; i += 2) {
            setup.set(settings[i], settings[i + 1]);
        }
        return setup.start().awaitListed();
    }

    private void startSemantic(String... settings) {
        List<String> all = new ArrayList<>(List.of("cache.semantic.model", EMBEDDER));
        all.addAll(List.of(settings));
        start(all.toArray(String[]::new));
    }

    private static String chat(String prompt, String more) {
        return "{\"model\":\"" + MODEL + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}],"
                + "\"options\":{\"temperature\":0}" + more + "}";
    }

    private RawClient.Response ask(String prompt, String more, String... headers) {
        return drover.exchange("POST", "/api/chat", chat(prompt, more), headers);
    }

    /** Asks what is to be kept, and waits until it can be found. */
    private void keep(String prompt, String more) {
        double before = entries();
        assertThat(ask(prompt, more).header("X-Cache")).isEqualTo("MISS");
        Drover.await("its vector is there", () -> entries() > before);
    }

    private double entries() {
        return drover.metric("drover_cache_semantic_entries");
    }

    private List<ReceivedRequest> received(String path) {
        return backend.received().stream()
                .filter(request ->
                        request.method().equals("POST") && request.uri().equals(path))
                .toList();
    }

    private static String content(RawClient.Response response) {
        return response.body()
                .lines()
                .map(line -> line.replaceFirst(".*\"content\":\"([^\"]*)\".*", "$1"))
                .collect(Collectors.joining());
    }

    @Test
    void aSimilarQuestionGetsTheAnswerThatIsThere() {
        startSemantic();
        RawClient.Response first = ask("Why is the sky blue?", "");
        Drover.await("its vector is there", () -> entries() == 1);
        RawClient.Response second = ask("why is the sky blue", "");
        assertThat(first.header("X-Cache")).isEqualTo("MISS");
        assertThat(first.head().has("X-Cache-Similarity")).isFalse();
        assertThat(second.status()).isEqualTo(200);
        assertThat(second.header("X-Cache")).isEqualTo("HIT");
        assertThat(Double.parseDouble(second.header("X-Cache-Similarity"))).isBetween(0.97, 0.998);
        assertThat(second.header("Age")).isNotEmpty();
        assertThat(content(second)).isEqualTo(content(first)).isNotEmpty();
        assertThat(received("/api/chat")).hasSize(1);
        assertThat(received("/api/embed")).hasSize(2).allSatisfy(request -> assertThat(request.text())
                .contains("\"truncate\":false"));
        assertThat(drover.metric("drover_cache_hits_total{tier=\"semantic\",}")).isEqualTo(1);
        assertThat(drover.metric("llm_cache_hits_total")).isEqualTo(1);
        assertThat(drover.log(2)).extracting(line -> line.get("cache")).containsExactly("miss", "hit");
    }

    @Test
    void theSameQuestionIsFoundWithoutAnEmbedding() {
        startSemantic();
        keep("why", "");
        RawClient.Response second = ask("why", "");
        assertThat(second.header("X-Cache")).isEqualTo("HIT");
        assertThat(second.head().has("X-Cache-Similarity")).isFalse();
        assertThat(received("/api/embed")).hasSize(1);
    }

    @Test
    void aStreamedAnswerServesASimilarRequestThatIsNotStreamed() {
        startSemantic();
        keep("Why?", "");
        RawClient.Response whole = ask("why", ",\"stream\":false");
        assertThat(whole.header("X-Cache")).isEqualTo("HIT");
        assertThat(whole.header("Content-Type")).startsWith("application/json");
        assertThat(whole.head().isChunked()).isFalse();
    }

    @Test
    void anotherQuestionIsAnotherAnswer() {
        startSemantic();
        keep("why is the sky blue", "");
        assertThat(ask("why is the grass green", "").header("X-Cache")).isEqualTo("MISS");
        assertThat(received("/api/chat")).hasSize(2);
    }

    @Test
    void whatIsBelowTheThresholdIsAnotherQuestion() {
        startSemantic("cache.semantic.threshold", "0.999");
        keep("Why?", "");
        assertThat(ask("why", "").header("X-Cache")).isEqualTo("MISS");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ",\"think\":false",
                ",\"options\":{\"temperature\":0,\"num_ctx\":1024}",
                ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]",
                ",\"format\":\"json\""
            })
    void whatElseIsAskedMustBeTheSame(String more) {
        startSemantic();
        keep("Why?", "");
        String body = chat("why", more).replaceFirst(",\"options\":\\{\"temperature\":0}(.*options)", "$1");
        assertThat(drover.exchange("POST", "/api/chat", body).header("X-Cache")).isEqualTo("MISS");
    }

    @Test
    void requestsWithToolsAreNeverEmbedded() {
        startSemantic();
        ask("why", ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]");
        assertThat(received("/api/chat")).hasSize(1);
        assertThat(received("/api/embed")).isEmpty();
    }

    @Test
    void clientsSteerByCacheControl() {
        startSemantic();
        keep("Why?", "");
        assertThat(ask("why", "", "Cache-Control: only-if-cached").status()).isEqualTo(504);
        assertThat(ask("why", "", "Cache-Control: no-store").header("X-Cache")).isEqualTo("BYPASS");
        assertThat(received("/api/embed")).hasSize(1);
        assertThat(ask("why", "", "Cache-Control: no-cache").header("X-Cache")).isEqualTo("MISS");
        assertThat(received("/api/embed")).hasSize(1);
    }

    @Test
    void aPurgedAnswerIsNotFound() {
        startSemantic();
        keep("Why?", "");
        try (RawClient admin = RawClient.connect(drover.adminAddress())) {
            admin.request("POST", "/api/cache/purge", "{\"all\":true}", "X-Drover: 1");
            assertThat(admin.readResponse().status()).isEqualTo(200);
        }
        assertThat(ask("why", "").header("X-Cache")).isEqualTo("MISS");
    }

    @Test
    void withoutItNothingIsEmbedded() {
        start();
        assertThat(ask("Why?", "").header("X-Cache")).isEqualTo("MISS");
        assertThat(ask("why", "").header("X-Cache")).isEqualTo("MISS");
        assertThat(received("/api/embed")).isEmpty();
    }

    @Test
    void aModelThatNoBackendHasIsNotAskedFor() {
        startSemantic("cache.semantic.model", "missing");
        assertThat(ask("Why?", "").header("X-Cache")).isEqualTo("MISS");
        RawClient.Response second = ask("why", "");
        assertThat(second.status()).isEqualTo(200);
        assertThat(second.header("X-Cache")).isEqualTo("MISS");
        assertThat(received("/api/embed")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {
                "BUSY_503",
                "ERROR_500_LOAD",
                "MODEL_404",
                "DIE_BEFORE_HEAD",
                "RESET_BEFORE_HEAD",
                "DIE_AFTER_HEAD",
                "DIE_MID_STREAM",
                "TRUNCATED_CHUNK"
            })
    void anEmbeddingThatFailsIsAMiss(Fault.Kind kind) {
        startSemantic("health.passive.failures", "0");
        backend.fault(Fault.of(kind).on("/api/embed"));
        RawClient.Response response = ask("why", "");
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("X-Cache")).isEqualTo("MISS");
        assertThat(content(response)).isNotEmpty();
        assertThat(drover.metric("drover_cache_embedding_failures_total")).isEqualTo(1);
        assertThat(ask("why", "").header("X-Cache")).isEqualTo("HIT");
    }

    @Test
    void anEmbeddingThatDoesNotComeIsAMissAndStuckOnesAreNotAddedTo() {
        startSemantic("cache.semantic.timeout", "50ms");
        backend.fault(Fault.of(Fault.Kind.STALL_BEFORE_HEAD).on("/api/embed"));
        for (int i = 0; i < 20; i++) {
            RawClient.Response response = ask("why " + i, "");
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("X-Cache")).isEqualTo("MISS");
        }
        // As many may be late; then nobody waits for another.
        assertThat(received("/api/embed")).hasSize(8);
        assertThat(drover.metric("drover_cache_embedding_failures_total")).isEqualTo(8);
        backend.clearFaults();
        backend.disconnect(true);
    }

    @Test
    void aBackendIsToldToStopWhenTheClientLeaves() {
        startSemantic();
        backend.fault(Fault.of(Fault.Kind.STALL_BEFORE_HEAD).on("/api/embed"));
        try (RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", chat("why", ""));
            Drover.await(
                    "the embedding is asked for", () -> !received("/api/embed").isEmpty());
        }
        Drover.await("nothing runs any more", () -> drover.backend("a").inFlight() == 0);
        assertThat(received("/api/chat")).isEmpty();
    }
}
