package io.drover.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every route that generates nothing: status, content type, framing and shape. */
class SimulatedRoutesTest {
    private static final String JSON = "application/json; charset=utf-8";

    private SimulatedOllama ollama;
    private RawClient client;

    @BeforeEach
    void start() {
        ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults().withFixedClock(true));
        client = RawClient.connect(ollama.address());
    }

    @AfterEach
    void stop() {
        client.close();
        ollama.close();
    }

    private RawClient.Response get(String path) {
        return client.exchange("GET", path, "");
    }

    private RawClient.Response post(String path, String body) {
        return client.exchange("POST", path, body);
    }

    @Test
    void rootSaysThatOllamaIsRunning() {
        RawClient.Response response = get("/");

        assertThat(response.head().statusLine()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(response.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(response.header("Content-Length")).isEqualTo("17");
        assertThat(response.body()).isEqualTo("Ollama is running");
    }

    @ParameterizedTest
    @CsvSource({"/,17", "/api/version,21", "/api/tags,"})
    void headGivesTheHeadersOfGetWithoutItsBody(String path, String length) {
        RawClient.Response response = client.exchange("HEAD", path, "");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).isEmpty();
        if (length != null) {
            assertThat(response.header("Content-Length")).isEqualTo(length);
        }
        assertThat(get("/").status()).isEqualTo(200);
    }

    @Test
    void versionAndStatus() {
        assertThat(get("/api/version").body()).isEqualTo("{\"version\":\"0.32.15\"}");
        assertThat(get("/api/version").header("Content-Type")).isEqualTo(JSON);
        assertThat(get("/api/status").body()).isEqualTo("{\"cloud\":{\"disabled\":true,\"source\":\"env\"}}");
    }

    @Test
    void onlyTheHeadersThatOllamaSets() {
        List<String> names = get("/api/version").head().fields().stream()
                .map(field -> field.substring(0, field.indexOf(':')).toLowerCase(Locale.ROOT))
                .toList();

        assertThat(names).containsExactly("content-type", "date", "content-length");
    }

    @Test
    void tagsListsTheModels() {
        RawClient.Response response = get("/api/tags");

        assertThat(response.header("Content-Type")).isEqualTo(JSON);
        assertThat(response.body())
                .startsWith(
                        "{\"models\":[{\"name\":\"llama3.2:latest\",\"model\":\"llama3.2:latest\",\"modified_at\":\""
                                + "2026-08-22T02:48:22.123456789+02:00\",\"size\":2019393189,\"digest\":\"")
                .contains("\"details\":{\"parent_model\":\"\",\"format\":\"gguf\",\"family\":\"llama\",\"families\":["
                        + "\"llama\"],\"parameter_size\":\"3.2B\",\"quantization_level\":\"Q4_K_M\","
                        + "\"context_length\":131072,\"embedding_length\":384},\"capabilities\":[\"completion\"")
                .contains("nomic-embed-text:latest");
    }

    @Test
    void psListsWhatIsLoadedOnly() {
        assertThat(get("/api/ps").body()).isEqualTo("{\"models\":[]}");

        post("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"hi\",\"stream\":false}");

        assertThat(get("/api/ps").body())
                .contains("\"name\":\"llama3.2:latest\"", "\"expires_at\":\"2026-08-2", "\"size_vram\":")
                .contains("\"context_length\":4096}]}");
    }

    @Test
    void showDescribesAModelUnderEitherName() {
        RawClient.Response response = post("/api/show", "{\"model\":\"LLAMA3.2\"}");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("Content-Type")).isEqualTo(JSON);
        assertThat(response.body()).contains("\"model_info\":{\"general.architecture\":\"llama\"");
        assertThat(post("/api/show", "{\"name\":\"llama3.2:latest\"}").body()).isEqualTo(response.body());
    }

    @Test
    void verboseShowIsLongAndThereforeChunked() {
        RawClient.Response response = post("/api/show", "{\"model\":\"llama3.2\",\"verbose\":true}");

        assertThat(response.head().isChunked()).isTrue();
        assertThat(response.head().has("Content-Length")).isFalse();
        assertThat(response.body()).contains("\"\\u003ctoken 999\\u003e\"");
    }

    @Test
    void showOfAMissingModelIs404AsTheCommandLineNeedsIt() {
        RawClient.Response response = post("/api/show", "{\"model\":\"x\"}");

        assertThat(response.status()).isEqualTo(404);
        assertThat(response.body()).isEqualTo("{\"error\":\"model 'x' not found\"}");
    }

    @Test
    void pullTellsItsProgressAndTheModelAppears() {
        client.request("POST", "/api/pull", "{\"model\":\"mistral\"}");
        RawClient.Head head = client.readHead();
        List<String> lines = client.readChunks();

        assertThat(head.header("Content-Type")).isEqualTo("application/x-ndjson");
        assertThat(head.isChunked()).isTrue();
        assertThat(lines).first().isEqualTo("{\"status\":\"pulling manifest\"}\n");
        assertThat(lines.get(1))
                .matches("\\{\"status\":\"pulling [0-9a-f]{12}\",\"digest\":\"sha256:[0-9a-f]{64}\","
                        + "\"total\":\\d+}\n");
        assertThat(lines.get(2)).contains("\"completed\":");
        assertThat(lines)
                .endsWith(
                        "{\"status\":\"verifying sha256 digest\"}\n",
                        "{\"status\":\"writing manifest\"}\n",
                        "{\"status\":\"success\"}\n");
        assertThat(ollama.models()).contains("mistral:latest");
    }

    @Test
    void aPullGetsWhatWasPublishedLastAndTheNextRequestLoadsThat() {
        SimulatedModel first = SimulatedModel.named("llama3.2");
        SimulatedModel second = first.revised("second");
        assertThat(second.digest()).hasSize(64).isNotEqualTo(first.digest());
        assertThat(second.name()).isEqualTo(first.name());
        post("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"hi\"}");
        ollama.publish(second);
        assertThat(get("/api/tags").body()).contains(first.digest()).doesNotContain(second.digest());

        post("/api/pull", "{\"model\":\"llama3.2\",\"stream\":false}");

        assertThat(get("/api/tags").body()).contains(second.digest()).doesNotContain(first.digest());
        assertThat(get("/api/ps").body()).contains(first.digest());
        post("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"hi\"}");
        assertThat(get("/api/ps").body()).contains(second.digest()).doesNotContain(first.digest());
    }

    @Test
    void pullWithoutStreamGivesTheLastLine() {
        RawClient.Response response = post("/api/pull", "{\"model\":\"mistral\",\"stream\":false}");

        assertThat(response.header("Content-Type")).isEqualTo("application/json");
        assertThat(response.body()).isEqualTo("{\"status\":\"success\"}");
    }

    @Test
    void pullOfAnUnknownModelIs200WithAnErrorLineOr500WithoutStream() {
        RawClient.Response response = post("/api/pull", "{\"model\":\"no-such-model\"}");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).isEqualTo("""
                        {"status":"pulling manifest"}
                        {"error":"pull model manifest: file does not exist"}
                        """);
        assertThat(post("/api/pull", "{\"model\":\"no-such-model\",\"stream\":false}")
                        .status())
                .isEqualTo(500);
    }

    @Test
    void pushTellsItsProgress() {
        assertThat(post("/api/push", "{\"model\":\"llama3.2\"}").body())
                .startsWith("{\"status\":\"retrieving manifest\"}\n{\"status\":\"pushing ")
                .endsWith("{\"status\":\"pushing manifest\"}\n{\"status\":\"success\"}\n");
    }

    @Test
    void createFromAModelMakesANewOne() {
        assertThat(post("/api/create", "{\"model\":\"mine\",\"from\":\"llama3.2\"}")
                        .body())
                .startsWith("{\"status\":\"using existing layer sha256:")
                .endsWith("{\"status\":\"writing manifest\"}\n{\"status\":\"success\"}\n");
        assertThat(ollama.models()).contains("mine:latest");
    }

    @Test
    void createNeedsItsBlobsHere() {
        String digest = "sha256:" + "0".repeat(64);

        assertThat(post("/api/create", "{\"model\":\"mine\",\"files\":{\"a.gguf\":\"" + digest + "\"}}")
                        .body())
                .contains("{\"error\":\"open /root/.ollama/models/blobs/sha256-000");
        assertThat(ollama.models()).doesNotContain("mine:latest");
    }

    @Test
    void createWithoutSourceFailsInsideTheStreamAndIsThereforeChunked() {
        RawClient.Response response = post("/api/create", "{\"model\":\"mine\"}");

        assertThat(response.status()).isEqualTo(400);
        assertThat(response.head().isChunked()).isTrue();
        assertThat(response.header("Content-Type")).isEqualTo("application/json");
        assertThat(response.body()).isEqualTo("{\"error\":\"neither 'from' or 'files' was specified\"}");
    }

    @Test
    void copyAndDeleteAnswerWithNothing() {
        RawClient.Response copied = post("/api/copy", "{\"source\":\"llama3.2\",\"destination\":\"other\"}");
        assertThat(copied.status()).isEqualTo(200);
        assertThat(copied.header("Content-Length")).isEqualTo("0");
        assertThat(copied.head().has("Content-Type")).isFalse();
        assertThat(ollama.models()).contains("other:latest");

        RawClient.Response deleted = client.exchange("DELETE", "/api/delete", "{\"model\":\"other\"}");
        assertThat(deleted.status()).isEqualTo(200);
        assertThat(deleted.header("Content-Length")).isEqualTo("0");
        assertThat(ollama.models()).doesNotContain("other:latest");
    }

    @Test
    void copyAndDeleteOfAMissingModelAre404InTheirOwnQuotes() {
        assertThat(post("/api/copy", "{\"source\":\"x\",\"destination\":\"y\"}").body())
                .isEqualTo("{\"error\":\"model \\\"x\\\" not found\"}");
        assertThat(client.exchange("DELETE", "/api/delete", "{\"name\":\"x\"}").body())
                .isEqualTo("{\"error\":\"model 'x' not found\"}");
    }

    @Test
    void openAiListsModelsOrNull() {
        assertThat(get("/v1/models").body())
                .startsWith(
                        "{\"object\":\"list\",\"data\":[{\"id\":\"llama3.2:latest\",\"object\":\"model\",\"created\":")
                .endsWith("\"owned_by\":\"library\"}]}\n");
        assertThat(get("/v1/models/llama3.2").body()).startsWith("{\"id\":\"llama3.2\",\"object\":\"model\"");
        assertThat(get("/v1/models/x").body())
                .isEqualTo("{\"error\":{\"message\":\"model 'x' not found\",\"type\":\"not_found_error\","
                        + "\"param\":null,\"code\":null}}\n");

        ollama.removeModel("llama3.2");
        ollama.removeModel("nomic-embed-text");
        assertThat(get("/v1/models").body()).isEqualTo("{\"object\":\"list\",\"data\":null}\n");
        assertThat(get("/api/tags").body()).isEqualTo("{\"models\":[]}");
    }

    @Test
    void whatNeedsAnAccountIs401() {
        RawClient.Response response = post("/api/me", "");

        assertThat(response.status()).isEqualTo(401);
        assertThat(response.body()).startsWith("{\"error\":\"unauthorized\",\"signin_url\":\"https://");
    }

    @Test
    void embedGivesOneUnitVectorPerInputIndependentOfItsNeighbours() {
        String both = post("/api/embed", "{\"model\":\"nomic-embed-text\",\"input\":[\"a\",\"b\"],\"dimensions\":4}")
                .body();
        String second = post("/api/embed", "{\"model\":\"nomic-embed-text\",\"input\":\"b\",\"dimensions\":4}")
                .body();

        assertThat(both).startsWith("{\"model\":\"nomic-embed-text\",\"embeddings\":[[");
        assertThat(both).contains("\"prompt_eval_count\":2}");
        String vector = second.substring(second.indexOf("[[") + 1, second.indexOf("]]") + 1);
        assertThat(vector.split(",")).hasSize(4);
        assertThat(both).contains(vector);
    }

    @Test
    void aLongEmbeddingIsChunkedAndAnEmptyOneLoads() {
        assertThat(post("/api/embed", "{\"model\":\"nomic-embed-text\",\"input\":\"a\"}")
                        .head()
                        .isChunked())
                .isTrue();
        assertThat(post("/api/embed", "{\"model\":\"nomic-embed-text\",\"input\":[]}")
                        .body())
                .isEqualTo("{\"model\":\"nomic-embed-text\",\"embeddings\":[]}");
        assertThat(post("/api/embeddings", "{\"model\":\"nomic-embed-text\",\"prompt\":\"\"}")
                        .body())
                .isEqualTo("{\"embedding\":[]}");
        assertThat(post("/api/embed", "{\"model\":\"x\",\"input\":\"a\"}").body())
                .isEqualTo("{\"error\":\"model \\\"x\\\" not found, try pulling it first\"}");
        assertThat(post("/api/embed", "{\"model\":\"nomic-embed-text\",\"input\":7}")
                        .body())
                .isEqualTo("{\"error\":\"invalid input type\"}");
    }

    @Test
    void openAiEmbeddingsComeAsFloatsOrBase64() {
        assertThat(post("/v1/embeddings", "{\"model\":\"nomic-embed-text\",\"input\":\"a\",\"dimensions\":2}")
                        .body())
                .startsWith("{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"embedding\":[")
                .endsWith("\"index\":0}],\"model\":\"nomic-embed-text\",\"usage\":{\"prompt_tokens\":1,"
                        + "\"total_tokens\":1}}\n");
        assertThat(post(
                                "/v1/embeddings",
                                "{\"model\":\"nomic-embed-text\",\"input\":\"a\",\"dimensions\":2,"
                                        + "\"encoding_format\":\"base64\"}")
                        .body())
                .containsPattern("\"embedding\":\"[A-Za-z0-9+/]{11}=\"");
    }

    @Test
    void transcriptionReadsAForm() {
        String form = """
                --b
                Content-Disposition: form-data; name="model"

                llama3.2
                --b
                Content-Disposition: form-data; name="file"; filename="a.wav"
                Content-Type: audio/wav

                RIFF
                --b--
                """.replace("\n", "\r\n");

        RawClient.Response response = client.exchange(
                "POST", "/v1/audio/transcriptions", form, "Content-Type: multipart/form-data; boundary=b");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).matches("\\{\"text\":\"[A-Z].*\\.\"}\n");
    }

    @Test
    void anUnknownPathIs404InText() {
        RawClient.Response response = get("/api/nothing");

        assertThat(response.status()).isEqualTo(404);
        assertThat(response.header("Content-Type")).isEqualTo("text/plain");
        assertThat(response.body()).isEqualTo("404 page not found");
    }

    @ParameterizedTest
    @CsvSource({"GET,/api/generate,POST", "DELETE,/api/tags,'GET, HEAD'", "OPTIONS,/api/chat,POST"})
    void aWrongMethodIs405WithAllow(String method, String path, String allow) {
        RawClient.Response response = client.exchange(method, path, "");

        assertThat(response.status()).isEqualTo(405);
        assertThat(response.header("Allow")).isEqualTo(allow);
        assertThat(response.body()).isEqualTo("405 method not allowed");
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/api/tags/,301,/api/tags",
        "POST,/api/chat/?a=b,307,/api/chat?a=b",
        "GET,//api//tags,301,/api/tags",
        "GET,/api/x/../tags,301,/api/tags"
    })
    void anUncleanPathIsRedirected(String method, String path, int status, String location) {
        RawClient.Response response = client.exchange(method, path, "");

        assertThat(response.status()).isEqualTo(status);
        assertThat(response.header("Location")).isEqualTo(location);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/generate", "/api/chat", "/api/show", "/api/pull"})
    void aMissingBodyIs400(String path) {
        RawClient.Response response = post(path, "");

        assertThat(response.status()).isEqualTo(400);
        assertThat(response.header("Content-Type")).isEqualTo(JSON);
        assertThat(response.body()).isEqualTo("{\"error\":\"missing request body\"}");
    }

    @Test
    void badJsonIs400InTheShapeOfTheFamily() {
        assertThat(post("/api/generate", "{\"model\":").body()).isEqualTo("{\"error\":\"unexpected EOF\"}");
        assertThat(post("/api/generate", "{\"model\":7}").body())
                .startsWith("{\"error\":\"json: cannot unmarshal number");
        assertThat(post("/api/generate", "nonsense").status()).isEqualTo(400);
        assertThat(post("/v1/chat/completions", "").body())
                .isEqualTo("{\"error\":{\"message\":\"EOF\",\"type\":\"invalid_request_error\",\"param\":null,"
                        + "\"code\":null}}");
    }

    @Test
    void jsonIsReadAsGoReadsIt() {
        String body =
                "{\"MODEL\":\"x\",\"Model\":\"llama3.2\",\"prompt\":\"hi\",\"stream\":false,\"new\":[{}]} trailing {";

        RawClient.Response response =
                client.exchange("POST", "/api/generate", body, "Content-Type: application/x-www-form-urlencoded");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).startsWith("{\"model\":\"llama3.2\",");
    }

    @Test
    void aRequestWithoutHostOrWithTwoIs400AndCloses() {
        client.send("GET / HTTP/1.1\r\n\r\n");
        assertThat(new String(client.readUntilClose(), StandardCharsets.US_ASCII))
                .startsWith("HTTP/1.1 400 Bad Request\r\n")
                .endsWith("400 Bad Request: missing required Host header");

        try (RawClient second = RawClient.connect(ollama.address())) {
            second.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
            assertThat(second.readHead().status()).isEqualTo(400);
        }
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() {
        String version = "GET /api/version HTTP/1.1\r\nHost: a\r\n\r\n";
        String body = "{\"model\":\"llama3.2\",\"prompt\":\"hi\",\"stream\":false}";
        String generate =
                "POST /api/generate HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        client.send(version + generate + version + generate + version);

        assertThat(client.readResponse().body()).startsWith("{\"version\"");
        assertThat(client.readResponse().body()).startsWith("{\"model\"");
        assertThat(client.readResponse().body()).startsWith("{\"version\"");
        assertThat(client.readResponse().body()).startsWith("{\"model\"");
        assertThat(client.readResponse().body()).startsWith("{\"version\"");
    }

    @Test
    void http10IsAnsweredWithoutChunksAndClosed() {
        String body = "{\"model\":\"llama3.2\",\"prompt\":\"hi\"}";
        client.send("POST /api/generate HTTP/1.0\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);

        RawClient.Head head = client.readHead();
        assertThat(head.statusLine()).isEqualTo("HTTP/1.0 200 OK");
        assertThat(head.isChunked()).isFalse();
        assertThat(head.has("Content-Length")).isFalse();
        assertThat(new String(client.readUntilClose(), StandardCharsets.UTF_8))
                .startsWith("{\"model\"")
                .endsWith("}\n");
    }

    @Test
    void whatWasReceivedIsRemembered() {
        client.exchange("POST", "/api/show?x=1", "{\"model\":\"llama3.2\"}", "X-One: 1", "x-one: 2");

        ReceivedRequest received = ollama.received().get(0);
        assertThat(received.method()).isEqualTo("POST");
        assertThat(received.uri()).isEqualTo("/api/show?x=1");
        assertThat(received.header("X-ONE")).containsExactly("1", "2");
        assertThat(received.text()).isEqualTo("{\"model\":\"llama3.2\"}");
        assertThat(received.bodyLength()).isEqualTo(20);
        assertThat(received.sha256()).isEqualTo(Digests.sha256(received.body()));
        assertThat(received.complete()).isTrue();
        assertThat(ollama.requests()).isEqualTo(1);
        assertThat(ollama.connectionsAccepted()).isEqualTo(1);
        assertThat(ollama.openConnections()).isEqualTo(1);
    }

    @Test
    void loopbackRulesRefuseForeignHostsAndOriginsWithAnEmpty403() {
        try (SimulatedOllama strict = SimulatedOllama.start(
                        SimulatedOllama.Settings.defaults().withLoopbackRules(true));
                RawClient c = RawClient.connect(strict.address())) {
            c.send("GET /api/version HTTP/1.1\r\nHost: example.com\r\n\r\n");
            RawClient.Response foreign = c.readResponse();
            assertThat(foreign.status()).isEqualTo(403);
            assertThat(foreign.body()).isEmpty();

            c.send("GET /api/version HTTP/1.1\r\nHost: gpu.internal:80\r\n\r\n");
            assertThat(c.readResponse().status()).isEqualTo(200);
            assertThat(c.exchange("GET", "/api/version", "", "Origin: http://evil.example")
                            .status())
                    .isEqualTo(403);
            RawClient.Response allowed = c.exchange("GET", "/api/version", "", "Origin: http://localhost:3000");
            assertThat(allowed.header("Access-Control-Allow-Origin")).isEqualTo("http://localhost:3000");
            RawClient.Response preflight = c.exchange("OPTIONS", "/api/chat", "", "Origin: http://localhost:3000");
            assertThat(preflight.status()).isEqualTo(204);
            assertThat(preflight.head().has("Access-Control-Allow-Methods")).isTrue();
        }
    }
}
