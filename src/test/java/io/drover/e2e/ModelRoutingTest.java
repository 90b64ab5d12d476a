package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.ReceivedRequest;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.demo.SimulatedOllama.Settings;
import io.drover.ollama.ModelName;
import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests go to the backends that have their model; one that none has is 404 after one more look. */
class ModelRoutingTest {
    /** The routes on which a missing model is 404. */
    private enum Ask {
        GENERATE("/api/generate", "{\"model\":\"%s\",\"prompt\":\"a\"}"),
        CHAT("/api/chat", "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"),
        EMBED("/api/embed", "{\"model\":\"%s\",\"input\":\"a\"}"),
        EMBEDDINGS("/api/embeddings", "{\"model\":\"%s\",\"prompt\":\"a\"}"),
        OPENAI_CHAT("/v1/chat/completions", "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"),
        OPENAI_COMPLETIONS("/v1/completions", "{\"model\":\"%s\",\"prompt\":\"a\"}"),
        OPENAI_EMBEDDINGS("/v1/embeddings", "{\"model\":\"%s\",\"input\":\"a\"}"),
        OPENAI_RESPONSES("/v1/responses", "{\"model\":\"%s\",\"input\":\"a\"}"),
        OPENAI_MODEL("/v1/models/%s", ""),
        ANTHROPIC(
                "/v1/messages",
                "{\"model\":\"%s\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"),
        SHOW("/api/show", "{\"model\":\"%s\"}"),
        /** As {@code ollama run} asks. */
        SHOW_BY_NAME("/api/show", "{\"model\":\"\",\"system\":\"\",\"options\":null,\"name\":\"%s\"}");

        private final String path;
        private final String body;

        Ask(String path, String body) {
            this.path = path;
            this.body = body;
        }

        RawClient of(RawClient client, String model) {
            return client.request(body.isEmpty() ? "GET" : "POST", path.formatted(model), body.formatted(model));
        }
    }

    private final SimulatedOllama a = SimulatedOllama.start(Settings.defaults().withModels("only-a", "both"));
    private final SimulatedOllama b = SimulatedOllama.start(Settings.defaults().withModels("only-b", "both"));
    private Drover drover;

    @BeforeEach
    void start() {
        drover = start("");
    }

    @AfterEach
    void stop() {
        drover.close();
        a.close();
        b.close();
    }

    /** Each backend is listed once at the start, and then only when it is asked for. */
    private Drover start(String limit) {
        long looks = asked(a, "/api/ps");
        Drover.Setup setup = Drover.over(a.url(), b.url())
                .set("health.active.interval", "10m")
                .set("balance", "round-robin");
        if (!limit.isEmpty()) {
            setup.set("health.active.timeout", limit);
        }
        Drover started = setup.start();
        Drover.await("both are listed", () -> asked(a, "/api/ps") > looks && asked(b, "/api/ps") > looks);
        assertThat(started.server().cluster().backends())
                .allMatch(backend -> backend.models().isKnown());
        return started;
    }

    private RawClient.Response ask(Ask ask, String model) {
        try (RawClient client = drover.connect()) {
            return ask.of(client, model).readResponse();
        }
    }

    /** How often the models on its disk were asked for. */
    private static long listings(SimulatedOllama backend) {
        return asked(backend, "/api/tags");
    }

    private static long asked(SimulatedOllama backend, String path) {
        return backend.received().stream()
                .filter(request -> request.uri().equals(path))
                .count();
    }

    @ParameterizedTest
    @EnumSource(Ask.class)
    void eachRouteFindsTheBackendThatHasTheModel(Ask ask) {
        for (String name : new String[] {"a", "b"}) {
            for (int i = 0; i < 3; i++) {
                RawClient.Response response = ask(ask, "only-" + name);
                // A model that writes cannot embed on all routes; that is the right backend's to say.
                assertThat(response.status()).isIn(200, 400);
                assertThat(response.header("X-Drover-Backend")).isEqualTo(name);
            }
        }
        assertThat(drover.log(6)).allSatisfy(line -> {
            assertThat(line.attempts()).isEqualTo(1);
            assertThat(line.get("model")).startsWith("only-");
        });
        assertThat(listings(a) + listings(b)).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "only-b",
                "ONLY-B",
                "only-b:latest",
                "Only-B:Latest",
                "library/only-b",
                "registry.ollama.ai/library/only-b:latest",
                "  only-b ",
                "only-b:local"
            })
    void eachSpellingOfAModelIsTheSame(String name) {
        for (int i = 0; i < 2; i++) {
            assertThat(ask(Ask.CHAT, name).header("X-Drover-Backend")).isEqualTo("b");
        }
    }

    @Test
    void whereSeveralHaveItTheyTakeTurns() {
        List<String> served = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            served.add(ask(Ask.CHAT, "both").header("X-Drover-Backend"));
        }
        assertThat(served).containsExactlyInAnyOrder("a", "a", "b", "b");
    }

    @Test
    void amongIdleOnesTheModelInMemoryDecides() {
        try (RawClient direct = RawClient.connect(b.address())) {
            assertThat(Ask.CHAT.of(direct, "both").readResponse().status()).isEqualTo(200);
        }
        try (Drover idle = Drover.over(a.url(), b.url())
                .set("health.active.interval", "10m")
                .start()) {
            String key = ModelName.of("both").key();
            Drover.await(
                    "it is known to be in memory",
                    () -> idle.backend("b").models().isLoaded(key));
            Drover.await("a is listed", () -> idle.backend("a").models().isKnown());
            for (int i = 0; i < 5; i++) {
                RawClient.Response response = idle.exchange("POST", "/api/chat", Ask.CHAT.body.formatted("both"));
                assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
            }
        }
    }

    @Test
    void aModelThatWasPulledBehindOurBackIsFoundOnFirstUse() {
        b.addModel(SimulatedModel.named("new"));
        RawClient.Response response = ask(Ask.CHAT, "new");
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
        assertThat(listings(a)).isEqualTo(2);
        assertThat(listings(b)).isEqualTo(2);
        assertThat(ask(Ask.GENERATE, "new").header("X-Drover-Backend")).isEqualTo("b");
        assertThat(listings(a) + listings(b)).as("known by now").isEqualTo(4);
        assertThat(drover.log(2)).allSatisfy(line -> assertThat(line.attempts()).isEqualTo(1));
    }

    @ParameterizedTest
    @EnumSource(Ask.class)
    void aModelThatIsNowhereIs404InOllamasOwnWords(Ask ask) {
        String own;
        try (RawClient direct = RawClient.connect(a.address())) {
            RawClient.Response response = ask.of(direct, "Nobody-has:It").readResponse();
            assertThat(response.status()).isEqualTo(404);
            own = response.body();
        }
        int before = a.received().size();
        RawClient.Response response = ask(ask, "Nobody-has:It");
        assertThat(response.status()).isEqualTo(404);
        assertThat(withoutId(response.body())).isEqualTo(withoutId(own));
        assertThat(response.header("Content-Type")).startsWith("application/json");
        assertThat(response.head().has("X-Drover-Backend")).isFalse();
        assertThat(response.head().has("Connection")).isFalse();
        LogLine line = drover.logged();
        assertThat(line.status()).isEqualTo(404);
        assertThat(line.outcome()).isEqualTo("ok");
        assertThat(line.attempts()).isZero();
        assertThat(a.received().subList(before, a.received().size()))
                .extracting(ReceivedRequest::uri)
                .containsExactly("/api/tags", "/api/ps");
    }

    /** Anthropic's errors name the request. */
    private static String withoutId(String body) {
        return body.replaceFirst("\"request_id\":\"[^\"]*\"", "");
    }

    @Test
    void ollamaRunPullsAndThenFindsTheModel() {
        try (RawClient cli = drover.connect()) {
            assertThat(cli.exchange("HEAD", "/", "").status()).isEqualTo(200);
            assertThat(Ask.SHOW_BY_NAME.of(cli, "fresh").readResponse().status())
                    .isEqualTo(404);
            RawClient.Response pulled = cli.exchange("POST", "/api/pull", "{\"model\":\"fresh\"}");
            assertThat(pulled.body()).contains("\"success\"");
            RawClient.Response shown = Ask.SHOW_BY_NAME.of(cli, "fresh").readResponse();
            assertThat(shown.status()).isEqualTo(200);
            RawClient.Response chat = Ask.CHAT.of(cli, "fresh").readResponse();
            assertThat(chat.status()).isEqualTo(200);
            assertThat(List.of(shown.header("X-Drover-Backend"), chat.header("X-Drover-Backend")))
                    .containsOnly(pulled.header("X-Drover-Backend"));
        }
    }

    @Test
    void aModelOnABackendThatIsDownIs503() {
        a.refuse();
        a.disconnect(false);
        drover.backend("a").onConnectFailure("connection refused", System.nanoTime());
        RawClient.Response response = ask(Ask.CHAT, "only-a");
        assertThat(response.status()).isEqualTo(503);
        assertThat(response.header("Retry-After")).isEqualTo("1");
        assertThat(response.body())
                .isEqualTo("{\"error\":\"no backend with model 'only-a' is up (connection refused)"
                        + " (backend a, tries: 1)\"}");
        assertThat(ask(Ask.CHAT, "only-b").status()).isEqualTo(200);
        assertThat(listings(b)).as("it is known where it is").isEqualTo(1);
    }

    @Test
    void aModelOnABackendThatOnlySeemsToBeDownIsServed() {
        drover.backend("a").onConnectFailure("connection refused", System.nanoTime());
        RawClient.Response response = ask(Ask.CHAT, "only-a");
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("X-Drover-Backend")).isEqualTo("a");
    }

    @Test
    void aModelOnADrainedBackendIs503() {
        drover.backend("a").drain(true, System.nanoTime());
        RawClient.Response response = ask(Ask.CHAT, "only-a");
        assertThat(response.status()).isEqualTo(503);
        assertThat(response.body()).contains("no backend with model 'only-a' left to try");
    }

    @Test
    void aStaleListingIsMadeUpForByTheNextBackendThatHasTheModel() {
        a.removeModel("both");
        for (int i = 0; i < 4; i++) {
            assertThat(ask(Ask.CHAT, "both").header("X-Drover-Backend")).isEqualTo("b");
        }
        assertThat(drover.log(4)).extracting(LogLine::attempts).contains(2);
    }

    @Test
    void aStaleListingThatNoOtherMakesUpForIsTheBackendsOwn404() {
        a.removeModel("only-a");
        RawClient.Response response = ask(Ask.CHAT, "only-a");
        assertThat(response.status()).isEqualTo(404);
        assertThat(response.header("X-Drover-Backend")).isEqualTo("a");
        assertThat(drover.logged().attempts()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"CHAT, gpt-oss:120b-cloud", "CHAT, gpt-oss:cloud", "CHAT, not a name", "GENERATE, ''", "SHOW, ''"})
    void whatNeedsNoListedModelGoesToAnyBackend(Ask ask, String model) {
        List<String> served = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            served.add(ask(ask, model).header("X-Drover-Backend"));
        }
        assertThat(served).containsExactlyInAnyOrder("a", "b");
        assertThat(listings(a) + listings(b)).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({
        "POST,   /api/pull,   '{\"model\":\"only-a\"}'",
        "DELETE, /api/delete, '{\"model\":\"nobody-has-it\"}'",
        "POST,   /api/copy,   '{\"source\":\"nobody-has-it\",\"destination\":\"x\"}'",
        "GET,    /api/tags,   ''"
    })
    void otherRoutesGoToAnyBackend(String method, String path, String body) {
        List<String> served = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            served.add(drover.exchange(method, path, body).header("X-Drover-Backend"));
        }
        assertThat(served).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void aBackendThatCannotBeListedIsTriedForAnyModel() throws Exception {
        String answer = "{\"done\":true}";
        try (RawBackend mute = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        + "Content-Length: " + answer.length() + "\r\n\r\n" + answer);
                Drover mixed = Drover.over(a.url(), mute.url())
                        .set("health.active.interval", "10m")
                        .start()) {
            Drover.await("a is listed", () -> mixed.backend("a").models().isKnown());
            for (int i = 0; i < 3; i++) {
                RawClient.Response response = mixed.exchange("POST", "/api/chat", Ask.CHAT.body.formatted("other"));
                assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
            }
        }
    }

    @Test
    void switchedOffModelsDoNotMatter() {
        try (Drover plain = Drover.over(a.url(), b.url())
                .set("health.active.interval", "10m")
                .set("balance", "round-robin")
                .set("routing.model-aware", "false")
                .start()) {
            Drover.await("all are listed", () -> plain.server().cluster().backends().stream()
                    .allMatch(backend -> backend.models().isKnown()));
            List<String> served = new ArrayList<>();
            List<Integer> statuses = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                RawClient.Response response = plain.exchange("POST", "/api/chat", Ask.CHAT.body.formatted("only-a"));
                served.add(response.header("X-Drover-Backend"));
                statuses.add(response.status());
            }
            assertThat(served).containsExactlyInAnyOrder("a", "b");
            assertThat(statuses).containsExactlyInAnyOrder(200, 404);
        }
    }

    @Test
    void manyWhoAskForMissingModelsCostAFewListings() {
        List<RawClient> clients = new ArrayList<>();
        long begun = System.nanoTime();
        for (int i = 0; i < 200; i++) {
            clients.add(Ask.CHAT.of(drover.connect(), "missing-" + i));
        }
        for (int i = 0; i < 200; i++) {
            RawClient.Response response = clients.get(i).readResponse();
            assertThat(response.status()).isEqualTo(404);
            assertThat(response.body()).contains("'missing-" + i + "'");
            clients.get(i).close();
        }
        // One at the start, then one each half second at most, however many ask.
        long most = 3 + Duration.ofNanos(System.nanoTime() - begun).toMillis() / 500;
        assertThat(listings(a)).isBetween(2L, most);
        assertThat(listings(b)).isBetween(2L, most);
    }

    @Test
    void whatIsPipelinedBehindALookIsAnsweredAfterIt() {
        try (RawClient client = drover.connect()) {
            Ask.CHAT.of(client, "missing");
            Ask.SHOW.of(client, "only-b");
            assertThat(client.readResponse().status()).isEqualTo(404);
            assertThat(client.readResponse().header("X-Drover-Backend")).isEqualTo("b");
        }
    }

    @Test
    void aClientThatLeavesDuringALookLeavesNothingBehind() {
        b.freeze();
        RawClient client = drover.connect();
        Ask.CHAT.of(client, "missing");
        Drover.await("the look is under way", () -> listings(a) == 2);
        client.hangUp();
        LogLine line = drover.logged();
        assertThat(line.status()).isEqualTo(499);
        assertThat(line.outcome()).isEqualTo("queue/client");
        drover.drained();
        b.thaw();
        assertThat(ask(Ask.CHAT, "only-b").status()).isEqualTo(200);
    }

    @Test
    void aBackendThatHangsDelaysTheAnswerOnlySoLong() {
        drover.close();
        drover = start("1s");
        b.freeze();
        try (RawClient client = drover.connect().within(Duration.ofSeconds(5))) {
            assertThat(Ask.CHAT.of(client, "missing").readResponse().status()).isEqualTo(404);
        }
        b.thaw();
    }

    @Test
    void theEndOfTheProcessEndsAWaitForListings() {
        b.freeze();
        try (RawClient client = drover.connect()) {
            Ask.CHAT.of(client, "missing");
            Drover.await("the look is under way", () -> listings(a) == 2);
            drover.kill();
            assertThat(client.readResponse().status()).isEqualTo(503);
        }
        b.thaw();
    }

    @Test
    void aRequestIsKeptOnlyUntilItsModelIsMissed() {
        String prompt = "x".repeat(100_000);
        RawClient.Response response =
                drover.exchange("POST", "/api/generate", "{\"model\":\"missing\",\"prompt\":\"" + prompt + "\"}");
        assertThat(response.status()).isEqualTo(404);
        assertThat(drover.server().proxy().retainedBodyBytes()).isZero();
        assertThat(a.received()).extracting(ReceivedRequest::uri).doesNotContain("/api/generate");
    }
}
