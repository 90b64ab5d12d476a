package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.ollama.Endpoint;
import io.drover.testing.RawClient;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever part of a request is kept, and the rest asked for: the answer is the one that a backend gives to all of it. */
class EmbedBySubsetTest {
    private static final String MODEL = "nomic-embed-text";
    private static final String[] TEXTS = {
        "a",
        "b",
        "",
        " ",
        "\"quoted\" \\ text",
        "line\nbreak\u0000",
        "\u00e9\u20ac\ud83d\ude00",
        "\ufffd",
        "<&>\u2028",
        "a longer text, which takes some tokens more than the others do"
    };
    private static final int ROUNDS = 120;

    private SimulatedOllama ollama;
    private RawClient client;

    @BeforeEach
    void start() {
        ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withModels(List.of(SimulatedModel.embedder(MODEL)))
                .withFirstToken(Duration.ofNanos(1_000))
                .withLoadTime(Duration.ZERO)
                .withFixedClock(true));
        client = RawClient.connect(ollama.address());
    }

    @AfterEach
    void stop() {
        client.close();
        ollama.close();
    }

    private String ask(Endpoint endpoint, String body) {
        RawClient.Response response = client.exchange("POST", endpoint.label(), body);
        assertThat(response.status()).isEqualTo(200);
        return response.body();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static EmbedQuestion question(Endpoint endpoint, String body) {
        return Objects.requireNonNull(
                EmbedQuestion.read(endpoint, new Asked("d", "v", ""), new ByteArrayInputStream(utf8(body))), body);
    }

    private static String edited(String body, EmbedQuestion question, EmbedPlan plan) {
        byte[] bytes = utf8(body);
        return new String(bytes, 0, (int) question.from(), StandardCharsets.UTF_8)
                + plan.input()
                + new String(bytes, (int) question.to(), bytes.length - (int) question.to(), StandardCharsets.UTF_8);
    }

    /** Has these inputs embedded in one request, and keeps what comes. */
    private void warm(
            Endpoint endpoint, String before, List<String> inputs, String after, Map<CacheKey, EmbedPart> kept) {
        String body = before + array(inputs) + after;
        EmbedPlan plan = question(endpoint, body).plan(Map.of());
        String told = ask(endpoint, edited(body, question(endpoint, body), plan));
        plan.fresh(Objects.requireNonNull(EmbedAnswer.split(endpoint, utf8(told), plan.asked())))
                .forEach((key, part) -> {
                    CachedAnswer entry = Objects.requireNonNull(part.entry(MODEL, new Origin(MODEL, 1, 2)), "entry");
                    kept.put(key, Objects.requireNonNull(EmbedPart.of(entry), "part"));
                });
    }

    private static String array(List<String> texts) {
        return texts.stream()
                .map(text -> {
                    StringBuilder quoted = new StringBuilder();
                    StrictJson.quote(quoted, text);
                    return quoted;
                })
                .collect(Collectors.joining(",", "[", "]"));
    }

    private static List<String> some(Random random, int most) {
        List<String> texts = new ArrayList<>();
        for (int count = 1 + random.nextInt(most); count > 0; count--) {
            texts.add(TEXTS[random.nextInt(TEXTS.length)]);
        }
        return texts;
    }

    private static String withoutCounts(String answer) {
        return answer.replaceAll(",\"(total_duration|load_duration|prompt_eval_count)\":\\d+", "");
    }

    @ParameterizedTest
    @CsvSource({"EMBED,float,1", "V1_EMBEDDINGS,float,2", "V1_EMBEDDINGS,base64,3"})
    void theAnswerIsTheSame(Endpoint endpoint, String format, long seed) {
        Random random = new Random(seed);
        String before = "{\"note\":\"\u00e9\ud83d\ude00\",\"model\":\"" + MODEL + "\",\"input\": ";
        String after = " ,\"dimensions\":4,\"encoding_format\":\"" + format + "\"}";
        int hits = 0;
        int mixed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Map<CacheKey, EmbedPart> kept = new HashMap<>();
            for (int times = random.nextInt(5); times > 0; times--) {
                warm(endpoint, before, some(random, 1 + random.nextInt(3)), after, kept);
            }
            String body = before + array(some(random, 8)) + after;
            String all = ask(endpoint, body);

            EmbedQuestion question = question(endpoint, body);
            EmbedPlan plan = question.plan(kept);
            EmbedAnswer told = plan.isComplete()
                    ? null
                    : EmbedAnswer.split(endpoint, utf8(ask(endpoint, edited(body, question, plan))), plan.asked());
            String joined = new String(Objects.requireNonNull(plan.join(told, 0)), StandardCharsets.UTF_8);

            assertThat(withoutCounts(joined)).isEqualTo(withoutCounts(all));
            if (joined.contains("prompt_eval_count") && !plan.isComplete()) {
                assertThat(joined).isEqualTo(all);
            }
            hits += plan.isComplete() ? 1 : 0;
            mixed += plan.isComplete() || plan.isWhole() ? 0 : 1;
        }
        assertThat(hits).isPositive();
        assertThat(mixed).isGreaterThan(ROUNDS / 4);
    }

    @Test
    void numbersServeBothEndpoints() {
        Map<CacheKey, EmbedPart> kept = new HashMap<>();
        warm(Endpoint.EMBED, "{\"model\":\"" + MODEL + "\",\"input\":", List.of("a"), "}", kept);
        String body = "{\"model\":\"" + MODEL + "\",\"input\":[\"a\"],\"encoding_format\":\"float\"}";

        EmbedPlan plan = question(Endpoint.V1_EMBEDDINGS, body).plan(kept);

        assertThat(plan.isComplete()).isTrue();
        assertThat(new String(Objects.requireNonNull(plan.join(null, 0)), StandardCharsets.UTF_8))
                .isEqualTo(ask(Endpoint.V1_EMBEDDINGS, body));
    }

    @Test
    void halfAPairIsAskedForAsGoReadsIt() {
        String body = "{\"model\":\"" + MODEL + "\",\"input\":[\"x\",\"\\ud83d\"]}";
        EmbedQuestion question = question(Endpoint.EMBED, body);
        EmbedPlan plan = question.plan(Map.of());

        String told = ask(Endpoint.EMBED, edited(body, question, plan));

        assertThat(told).isEqualTo(ask(Endpoint.EMBED, body.replace("\\ud83d", "\\ufffd")));
    }
}
