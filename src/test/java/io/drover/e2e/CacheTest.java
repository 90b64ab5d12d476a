package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.ollama.ModelName;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers that are kept, on real sockets: what a client sees of it, and what the backends see. */
class CacheTest {
    private static final String MODEL = "llama3.2";

    private SimulatedOllama backend;
    private Drover drover;

    @BeforeEach
    void start() {
        backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withModels(List.of(SimulatedModel.named(MODEL), SimulatedModel.embedder("nomic")))
                .withTokens(6));
        drover = start(Drover.over(backend.url()));
    }

    @AfterEach
    void stop() {
        drover.close();
        backend.close();
    }

    /** One that knows what the herd has. */
    private static Drover start(Drover.Setup setup) {
        return setup.set("cache.enabled", "true")
                .set("health.active.interval", "200ms")
                .start()
                .awaitListed();
    }

    private static String chat(String prompt, String more) {
        return "{\"model\":\"" + MODEL + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}],"
                + "\"options\":{\"temperature\":0}" + more + "}";
    }

    private RawClient.Response ask(String body, String... headers) {
        return drover.exchange("POST", "/api/chat", body, headers);
    }

    private String status(String body, String... headers) {
        return ask(body, headers).header("X-Cache");
    }

    /** Requests that the backend has answered, but for those of Drover's own. */
    private long computed() {
        return backend.received().stream()
                .filter(request -> request.method().equals("POST"))
                .count();
    }

    /** What the lines of a stream say. */
    private static String content(RawClient.Response response) {
        return response.body()
                .lines()
                .map(line -> line.replaceFirst(".*\"content\":\"([^\"]*)\".*", "$1"))
                .collect(Collectors.joining());
    }

    @Test
    void theSameQuestionIsComputedOnce() {
        RawClient.Response first = ask(chat("why", ""));
        RawClient.Response second = ask(chat("why", ""));
        assertThat(first.header("X-Cache")).isEqualTo("MISS");
        assertThat(first.head().has("Age")).isFalse();
        assertThat(second.status()).isEqualTo(200);
        assertThat(second.header("X-Cache")).isEqualTo("HIT");
        assertThat(second.header("Age")).isEqualTo("0");
        assertThat(second.header("Content-Type")).isEqualTo(first.header("Content-Type"));
        assertThat(second.head().isChunked()).isTrue();
        assertThat(second.head().has("X-Drover-Backend")).isFalse();
        assertThat(content(second)).isEqualTo(content(first)).isNotEmpty();
        assertThat(second.body().lines().count()).isEqualTo(first.body().lines().count());
        assertThat(computed()).isEqualTo(1);
        assertThat(drover.metric("llm_cache_hits_total")).isEqualTo(1);
        assertThat(drover.metric("llm_cache_misses_total")).isEqualTo(1);
        assertThat(drover.log(2)).extracting(line -> line.get("cache")).containsExactly("miss", "hit");
    }

    @Test
    void whatIsServedAgainCountsNoTokens() {
        ask(chat("why", ""));
        double tokens = drover.metric("llm_tokens_generated_total{model=\"" + MODEL + "\",}");
        ask(chat("why", ""));
        assertThat(tokens).isPositive();
        assertThat(drover.metric("llm_tokens_generated_total{model=\"" + MODEL + "\",}"))
                .isEqualTo(tokens);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/generate",
                "/api/chat",
                "/v1/chat/completions",
                "/v1/completions",
                "/v1/messages",
                "/v1/responses"
            })
    void aStreamIsRepeatedByEveryApi(String path) {
        String body = "{\"model\":\"" + MODEL
                + "\",\"stream\":true,\"temperature\":0,\"options\":{\"temperature\":0},\"max_tokens\":100,"
                + "\"prompt\":\"why\",\"input\":\"why\",\"messages\":[{\"role\":\"user\",\"content\":\"why\"}]}";
        RawClient.Response first = drover.exchange("POST", path, body);
        RawClient.Response second = drover.exchange("POST", path, body);
        assertThat(first.status()).isEqualTo(200);
        assertThat(first.header("X-Cache")).isEqualTo("MISS");
        assertThat(second.header("X-Cache")).isEqualTo("HIT");
        assertThat(second.header("Content-Type")).isEqualTo(first.header("Content-Type"));
        assertThat(withoutTimes(second)).isEqualTo(withoutTimes(first));
        assertThat(computed()).isEqualTo(1);
    }

    private static String withoutTimes(RawClient.Response response) {
        return response.body()
                .replaceAll("\"(created_at|completed_at|created)\":(\"[^\"]*\"|[0-9]+)", "\"$1\":0")
                .replaceAll("(chatcmpl|cmpl|resp|msg|req)[-_][A-Za-z0-9]+", "$1");
    }

    @Test
    void aStreamedAnswerServesOneThatIsNotStreamedAndTheOtherWayRound() {
        RawClient.Response streamed = ask(chat("why", ""));
        RawClient.Response whole = ask(chat("why", ",\"stream\":false"));
        assertThat(whole.header("X-Cache")).isEqualTo("HIT");
        assertThat(whole.header("Content-Type")).startsWith("application/json");
        assertThat(whole.head().isChunked()).isFalse();
        assertThat(content(whole)).isEqualTo(content(streamed));

        RawClient.Response other = ask(chat("what", ",\"stream\":false"));
        RawClient.Response lines = ask(chat("what", ""));
        assertThat(other.header("X-Cache")).isEqualTo("MISS");
        assertThat(lines.header("X-Cache")).isEqualTo("HIT");
        assertThat(lines.header("Content-Type")).isEqualTo("application/x-ndjson");
        assertThat(content(lines)).isEqualTo(content(other));
        assertThat(lines.body().lines()).hasSize(2);
    }

    @Test
    void whoeverSpeaksHttp10GetsItWithoutChunks() {
        ask(chat("why", ""));
        try (RawClient client = drover.connect()) {
            String body = chat("why", "");
            client.send("POST /api/chat HTTP/1.0\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            RawClient.Head head = client.readHead();
            assertThat(head.header("X-Cache")).isEqualTo("HIT");
            assertThat(head.isChunked()).isFalse();
            assertThat(new String(client.readUntilClose(), java.nio.charset.StandardCharsets.UTF_8))
                    .endsWith("}\n");
        }
    }

    @Test
    void aConnectionServesHitsOneAfterTheOther() {
        ask(chat("why", ""));
        try (RawClient client = drover.connect()) {
            for (int i = 0; i < 3; i++) {
                client.request("POST", "/api/chat", chat("why", ""));
            }
            List<String> statuses = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                statuses.add(client.readResponse().header("X-Cache"));
            }
            assertThat(statuses).containsExactly("HIT", "HIT", "HIT");
        }
    }

    @Test
    void clientsSteerByCacheControl() {
        assertThat(ask(chat("why", ""), "Cache-Control: only-if-cached").status())
                .isEqualTo(504);
        assertThat(computed()).isZero();
        assertThat(status(chat("why", ""), "Cache-Control: no-store")).isEqualTo("BYPASS");
        assertThat(status(chat("why", ""))).isEqualTo("MISS");
        assertThat(status(chat("why", ""), "Cache-Control: no-store")).isEqualTo("BYPASS");
        assertThat(status(chat("why", ""), "Cache-Control: no-cache")).isEqualTo("MISS");
        assertThat(status(chat("why", ""), "Cache-Control: max-age=60, only-if-cached"))
                .isEqualTo("HIT");
        assertThat(status(chat("why", ""), "Cache-Control: max-age=0")).isIn("HIT", "MISS");
        assertThat(status(chat("why", ""), "Cache-Control: max-age=nonsense")).isIn("HIT", "MISS");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "not-deterministic | {'model':'llama3.2','prompt':'why'}",
                "unusual-names     | {'model':'llama3.2','Prompt':'why','options':{'seed':1}}",
                "load              | {'model':'llama3.2','prompt':'','options':{'seed':1}}",
                "no-digest         | {'model':'unknown','prompt':'why','options':{'seed':1}}",
            })
    void whatMayNotBeKeptIsNot(String reason, String body) {
        for (int i = 0; i < 2; i++) {
            RawClient.Response response = drover.exchange("POST", "/api/generate", body.replace('\'', '"'));
            assertThat(response.header("X-Cache")).isEqualTo("BYPASS");
        }
        assertThat(drover.metric("drover_cache_bypass_total{reason=\"" + reason + "\",}"))
                .isEqualTo(2);
    }

    @Test
    void errorsAreNotKept() {
        for (int i = 0; i < 2; i++) {
            RawClient.Response response = ask(chat("why", ",\"format\":\"nonsense\""), "X-Sim-Fault: error-400");
            assertThat(response.header("X-Cache")).isEqualTo("MISS");
        }
    }

    @Test
    void anotherModelUnderTheSameNameIsAnotherAnswer() {
        assertThat(status(chat("why", ""))).isEqualTo("MISS");
        assertThat(status(chat("why", ""))).isEqualTo("HIT");
        String before = digest();
        backend.addModel(SimulatedModel.named(MODEL).revised("2"));
        Drover.await("the new one is listed", () -> !before.equals(digest()));
        assertThat(status(chat("why", ""))).isEqualTo("MISS");
        // What was looked up before the purge that follows a change is not kept.
        Drover.await("the new answer is kept", () -> status(chat("why", "")).equals("HIT"));
    }

    private String digest() {
        return String.valueOf(
                drover.backend("a").models().digest(ModelName.of(MODEL).key()));
    }

    @Test
    void embeddingsAreKept() {
        String body = "{\"model\":\"nomic\",\"input\":\"some text\"}";
        RawClient.Response first = drover.exchange("POST", "/api/embed", body);
        RawClient.Response second = drover.exchange("POST", "/api/embed", body);
        assertThat(first.header("X-Cache")).isEqualTo("MISS");
        assertThat(second.header("X-Cache")).isEqualTo("HIT");
        assertThat(second.header("Content-Length")).isNotEmpty();
        assertThat(computed()).isEqualTo(1);
    }

    private RawClient.Response embed(String path, String... inputs) {
        String list =
                java.util.Arrays.stream(inputs).map(text -> "\"" + text + "\"").collect(Collectors.joining(","));
        return drover.exchange("POST", path, "{\"model\":\"nomic\",\"input\":[" + list + "]}");
    }

    /** The vectors, in their order. */
    private static List<String> vectors(RawClient.Response response) {
        return java.util.regex.Pattern.compile("\\[-?[0-9][^\\]]*]")
                .matcher(response.body())
                .results()
                .map(found -> found.group())
                .toList();
    }

    private List<String> askedInputs() {
        return backend.received().stream()
                .filter(request -> request.method().equals("POST"))
                .map(request -> new String(request.body(), java.nio.charset.StandardCharsets.UTF_8)
                        .replaceFirst(".*\"input\":", "")
                        .replaceFirst("}$", ""))
                .toList();
    }

    @Test
    void eachInputIsComputedOnce() {
        List<String> all = vectors(embed("/api/embed", "a", "b", "c"));
        RawClient.Response other = embed("/api/embed", "c", "d", "a");
        RawClient.Response known = embed("/api/embed", "d", "b");
        assertThat(all).hasSize(3);
        assertThat(other.header("X-Cache")).isEqualTo("MISS");
        assertThat(vectors(other)).hasSize(3).startsWith(all.get(2)).endsWith(all.get(0));
        assertThat(known.header("X-Cache")).isEqualTo("HIT");
        assertThat(known.header("Age")).isEqualTo("0");
        assertThat(vectors(known)).containsExactly(vectors(other).get(1), all.get(1));
        assertThat(askedInputs()).containsExactly("[\"a\",\"b\",\"c\"]", "[\"d\"]");
        assertThat(drover.metric("llm_prompt_tokens_total{model=\"nomic\",}")).isPositive();
    }

    @Test
    void whatOpenAisFormNeedsIsComputedAgain() {
        embed("/v1/embeddings", "a", "b");
        assertThat(embed("/v1/embeddings", "a", "b").header("X-Cache")).isEqualTo("HIT");
        assertThat(embed("/v1/embeddings", "b", "a").header("X-Cache")).isEqualTo("MISS");
        List<String> one = vectors(embed("/v1/embeddings", "x"));
        List<String> other = vectors(embed("/v1/embeddings", "y"));
        RawClient.Response both = embed("/v1/embeddings", "y", "x");
        assertThat(both.header("X-Cache")).isEqualTo("HIT");
        assertThat(both.body()).contains("\"usage\":{\"prompt_tokens\":");
        assertThat(vectors(both)).containsExactly(other.get(0), one.get(0));
    }

    @Test
    void anAnswerCanBePurgedByTheKeyInTheLog() {
        status(chat("why", ""));
        status(chat("what", ""));
        String key = drover.log(2).get(0).get("cache_key");
        assertThat(key).matches("[0-9a-f]{64}");
        assertThat(purge("{\"key\":\"" + key + "\"}")).isEqualTo("{\"purged\":1,\"replicas_told\":false}");
        assertThat(status(chat("why", ""))).isEqualTo("MISS");
        assertThat(status(chat("what", ""))).isEqualTo("HIT");
        assertThat(purge("{\"model\":\"llama3.2\"}")).startsWith("{\"purged\":2");
        assertThat(status(chat("what", ""))).isEqualTo("MISS");
        assertThat(purge("{\"all\":true}")).startsWith("{\"purged\":1");
        assertThat(status(chat("what", ""))).isEqualTo("MISS");
    }

    @Test
    void theEmbeddingOfATextCanBePurgedByTheKeyInTheLogAndIsKeptAgain() {
        embed("/api/embed", "a");
        embed("/api/embed", "b");
        String key = drover.log(2).get(0).get("cache_key");
        assertThat(purge("{\"key\":\"" + key + "\"}")).isEqualTo("{\"purged\":1,\"replicas_told\":false}");
        assertThat(embed("/api/embed", "a").header("X-Cache")).isEqualTo("MISS");
        assertThat(embed("/api/embed", "b").header("X-Cache")).isEqualTo("HIT");
        assertThat(embed("/v1/embeddings", "a").header("X-Cache")).isEqualTo("HIT");
    }

    @Test
    void severalTextsHaveNoKeyInCommon() {
        embed("/api/embed", "a", "b");
        embed("/v1/embeddings", "a", "b");
        assertThat(drover.log(2).get(0).get("cache_key")).isEmpty();
        String key = drover.log(2).get(1).get("cache_key");
        assertThat(purge("{\"key\":\"" + key + "\"}")).isEqualTo("{\"purged\":1,\"replicas_told\":false}");
        assertThat(embed("/v1/embeddings", "a", "b").header("X-Cache")).isEqualTo("MISS");
        assertThat(embed("/v1/embeddings", "a", "b").header("X-Cache")).isEqualTo("HIT");
    }

    private String purge(String body) {
        try (RawClient client = RawClient.connect(drover.adminAddress())) {
            return client.send("POST /api/cache/purge HTTP/1.1\r\nHost: localhost\r\nX-Drover: 1\r\nContent-Length: "
                            + body.length() + "\r\n\r\n" + body)
                    .readResponse()
                    .body();
        }
    }
}
