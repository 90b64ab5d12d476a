package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Await;
import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.drover.testing.Secrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who has a key may ask, each what its key is for; nobody else. */
class ApiKeyTest {
    private static final String ALICE = "drover_alices-secret-that-is-long-enough-0123456789";
    private static final String BOB = "drover_bobs-secret-that-is-long-enough-9876543210";
    private static final String CAROL = "drover_carols-secret-that-is-long-enough-55555555";
    private static final String OLD = "drover_an-old-secret-that-is-long-enough-000000000";
    private static final String CHAT = "{\"model\":\"llama3.2\",\"messages\":[]}";

    private RawBackend backend;
    private Drover drover;
    private Path keys;

    @BeforeEach
    void start(@TempDir Path directory) throws IOException {
        keys = directory.resolve("keys");
        Files.writeString(
                keys,
                Secrets.line("alice", ALICE, "")
                        + Secrets.line(
                                "bob",
                                BOB,
                                ",\"models\":[\"qwen*\",\"llama3.2:latest\"],\"paths\":[\"/api/chat\",\"/v1/*\"]")
                        + Secrets.line("carol", CAROL, ",\"models\":[\"qwen*\"]")
                        + Secrets.line("old", OLD, ",\"expires\":\"2020-01-01\""));
        backend = RawBackend.start(connection -> {
            while (connection.hasMore()) {
                RawBackend.Request request = connection.readRequest();
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                        + (request.startLine().startsWith("HEAD") ? "" : "ok"));
            }
        });
        drover = Drover.over(backend.url())
                .set("auth.mode", "api-key")
                .set("auth.keys-file", keys.toString())
                .set("auth.refresh", "20ms")
                .start();
    }

    @AfterEach
    void stop() throws IOException {
        drover.close();
        backend.close();
    }

    private RawClient.Response chat(String... headers) {
        return drover.exchange("POST", "/api/chat", CHAT, headers);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Authorization: Bearer ", "authorization: bearer  ", "x-api-key: "})
    void aKeyInAHeaderIsAccepted(String header) {
        RawClient.Response response = chat(header + ALICE);

        assertThat(response.status()).as(response.body()).isEqualTo(200);
        assertThat(drover.logged().get("key")).isEqualTo("alice");
        assertThat(backend.requests().get(0).fields()).noneMatch(field -> field.contains("secret"));
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /api/chat, /api/chat",
        "GET, '', /",
        "GET, /, /",
        "HEAD, /api/tags, /api/tags",
        "GET, /api/tags?x=1, /api/tags?x=1",
        "POST, /v1/chat/completions, /v1/chat/completions"
    })
    void aKeyInThePathIsAcceptedAndStaysHere(String method, String path, String sent) {
        String body = method.equals("POST") ? CHAT : "";

        RawClient.Response response = drover.exchange(method, "/key/" + ALICE + path, body);

        assertThat(response.status()).as(response.body()).isEqualTo(200);
        RawBackend.Request seen = backend.requests().get(0);
        assertThat(seen.startLine()).isEqualTo(method + " " + sent + " HTTP/1.1");
        assertThat(seen.fields()).noneMatch(field -> field.contains("secret"));
        LogLine line = drover.logged();
        assertThat(line.get("path")).isEqualTo("/key/***" + path);
        assertThat(line.get("key")).isEqualTo("alice");
        assertThat(drover.logLines().toString()).doesNotContain("secret");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    /api/chat | {"error":"
                    /v1/chat/completions | {"error":{"message":"
                    /v1/messages | {"type":"error","error":{"type":"authentication_error","message":"
                    """)
    void withoutAKeyOneIsToldHowToGetIn(String path, String shape) {
        RawClient.Response response = drover.exchange("POST", path, CHAT);

        assertThat(response.status()).isEqualTo(401);
        assertThat(response.header("WWW-Authenticate")).isEqualTo("Bearer realm=\"drover\"");
        assertThat(response.body())
                .startsWith(shape + "no key with the request: send an API key as")
                .contains("Authorization: Bearer KEY")
                .contains("x-api-key: KEY")
                .contains("OLLAMA_HOST=http://HOST:PORT/key/KEY");
        assertThat(backend.requests()).isEmpty();
        LogLine line = drover.logged();
        assertThat(line.get("status")).isEqualTo("401");
        assertThat(line.get("cause")).isEqualTo("not authenticated");
    }

    /** The CLI's first request, whose refusal could have no body and so no words. */
    @ParameterizedTest
    @ValueSource(strings = {"", "/key/drover_wrong", "/key/" + ALICE})
    void theHeartbeatOfTheCommandLineIsAnsweredToAll(String prefix) {
        RawClient.Response response = drover.exchange("HEAD", prefix + "/", "");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(response.header("Content-Length")).isEqualTo("17");
        assertThat(drover.exchange("GET", "/", "").status()).isEqualTo(401);
        assertThat(backend.requests()).isEmpty();
        assertThat(drover.log(2).toString()).doesNotContain("secret", "wrong");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization: Bearer drover_wrong",
                "Authorization: Bearer",
                "Authorization: Basic YWxpY2U6eA==",
                "Authorization: " + ALICE,
                "x-api-key: ",
                "Cookie: key=" + ALICE
            })
    void whatIsNoKeyIsRefused(String header) {
        assertThat(chat(header).status()).isEqualTo(401);
        assertThat(backend.requests()).isEmpty();
    }

    @Test
    void anExpiredKeyIsRefusedAsSuch() {
        RawClient.Response response = chat("x-api-key: " + OLD);

        assertThat(response.status()).isEqualTo(401);
        assertThat(response.body()).contains("expired").doesNotContain("old");
    }

    @Test
    void oneGoodKeyIsEnough() {
        // Clients send keys of other services without being asked.
        assertThat(chat("Authorization: Bearer ollama", "x-api-key: " + ALICE).status())
                .isEqualTo(200);
    }

    @Test
    void aKeyMayUseItsModelsOnly() {
        String key = "x-api-key: " + BOB;

        assertThat(chat(key).status()).isEqualTo(200);
        RawClient.Response other = drover.exchange("POST", "/api/chat", "{\"model\":\"gemma\",\"messages\":[]}", key);
        assertThat(other.status()).isEqualTo(403);
        assertThat(other.body()).isEqualTo("{\"error\":\"'bob' may not use model 'gemma'\"}");
        assertThat(drover.exchange("POST", "/v1/chat/completions", "{\"model\":\"qwen3:8b\"}", key)
                        .status())
                .isEqualTo(200);
        assertThat(drover.exchange("POST", "/v1/chat/completions", "{}", key).body())
                .contains("a model that is not seen here");
        assertThat(backend.requests()).hasSize(2);
    }

    @Test
    void aKeyMayAskItsPathsOnly() {
        String key = "x-api-key: " + BOB;

        RawClient.Response other = drover.exchange("DELETE", "/api/delete", "{\"model\":\"qwen3\"}", key);
        assertThat(other.status()).isEqualTo(403);
        assertThat(other.body()).isEqualTo("{\"error\":\"'bob' may not ask /api/delete\"}");
        assertThat(drover.exchange("GET", "/v2/x", "", key).body()).contains("/v2/x");
        assertThat(backend.requests()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"DELETE, /api/delete", "POST, /api/pull", "POST, /api/next-years-chat", "POST, /v1/rerank"})
    void aKeyForSomeModelsReachesNoneByAnotherRoute(String method, String path) {
        RawClient.Response response = drover.exchange(method, path, CHAT, "x-api-key: " + CAROL);

        assertThat(response.status()).isEqualTo(403);
        assertThat(response.body()).contains("'carol' may not ask " + path);
        assertThat(drover.exchange("GET", "/api/tags", "", "x-api-key: " + CAROL)
                        .status())
                .isEqualTo(200);
    }

    @Test
    void refusalsAreCountedByTheirReason() {
        drover.exchange("GET", "/api/tags", "");
        chat("x-api-key: nobody's");
        chat("x-api-key: nobody's either");
        chat("x-api-key: " + OLD);
        chat("x-api-key: " + ALICE);

        assertThat(refused("missing")).isEqualTo(1);
        assertThat(refused("unknown")).isEqualTo(2);
        assertThat(refused("expired")).isEqualTo(1);
        assertThat(drover.metrics().lines().filter(line -> line.startsWith("drover_auth_refused_total{")))
                .hasSize(3);
    }

    private double refused(String reason) {
        return drover.metric("drover_auth_refused_total{reason=\"" + reason + "\",}");
    }

    @Test
    void theConnectionLivesOnAfterARefusal() {
        try (RawClient client = drover.connect()) {
            assertThat(client.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(401);
            assertThat(client.exchange("POST", "/api/chat", "{\"model\":\"gemma\"}", "x-api-key: " + BOB)
                            .status())
                    .isEqualTo(403);
            assertThat(client.exchange("POST", "/api/chat", CHAT, "x-api-key: " + ALICE)
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void whoAsksWhetherItLivesNeedsNoKey() {
        assertThat(drover.exchange("GET", "/health", "").status()).isEqualTo(200);
        assertThat(drover.exchange("GET", "/ready", "").status()).isEqualTo(200);
        RawClient.Response preflight = drover.exchange(
                "OPTIONS", "/api/chat", "", "Origin: http://localhost:3000", "Access-Control-Request-Method: POST");
        assertThat(preflight.status()).isEqualTo(204);
    }

    @Test
    void aKeyThatIsTakenOutOfTheFileIsRefusedSoon() throws IOException {
        assertThat(chat("x-api-key: " + ALICE).status()).isEqualTo(200);
        Path next = keys.resolveSibling("next");
        Files.writeString(next, Secrets.line("dave", CAROL, ""));
        Files.move(next, keys, StandardCopyOption.REPLACE_EXISTING);

        Await.until(
                "refused",
                Duration.ofSeconds(10),
                () -> chat("x-api-key: " + ALICE).status() == 401);
    }

    @Test
    void aReloadSwitchesKeysOnAndOff() {
        try (Drover open = Drover.over(backend.url()).start()) {
            String herd = "drover.backends = [\"" + backend.url() + "\"]\n";
            assertThat(open.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(200);

            open.rewrite(herd + "drover.auth { mode = api-key, keys-file = \"" + keys + "\" }\n");
            assertThat(open.post("/api/reload").status()).isEqualTo(200);
            assertThat(open.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(401);

            open.rewrite(herd + "drover.auth { mode = api-key, keys-file = \"/no/such/file\" }\n");
            RawClient.Response refused = open.post("/api/reload");
            assertThat(refused.status()).isEqualTo(422);
            assertThat(refused.body()).contains("/no/such/file");
            assertThat(open.exchange("POST", "/api/chat", CHAT, "x-api-key: " + ALICE)
                            .status())
                    .isEqualTo(200);

            open.rewrite(herd);
            assertThat(open.post("/api/reload").status()).isEqualTo(200);
            assertThat(open.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(200);
        }
    }
}
