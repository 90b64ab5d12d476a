package io.drover.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.RawClient;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The routes that write text: shapes of lines and events, and what is refused. */
class SimulatedStreamsTest {
    private static final String TIME = "2026-08-22T01:48:22.123456789Z";

    private SimulatedOllama ollama;
    private RawClient client;

    @BeforeEach
    void start() {
        ollama = SimulatedOllama.start(
                SimulatedOllama.Settings.defaults().withFixedClock(true).withTokens(3));
        client = RawClient.connect(ollama.address());
    }

    @AfterEach
    void stop() {
        client.close();
        ollama.close();
    }

    private RawClient.Response post(String path, String body) {
        return client.exchange("POST", path, body);
    }

    private List<String> stream(String path, String type, String body) {
        client.request("POST", path, body);
        RawClient.Head head = client.readHead();
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.header("Content-Type")).isEqualTo(type);
        assertThat(head.isChunked()).isTrue();
        return client.readChunks();
    }

    @Test
    void generateStreamsOneLinePerChunk() {
        List<String> lines =
                stream("/api/generate", "application/x-ndjson", "{\"model\":\"llama3.2\",\"prompt\":\"hello\"}");

        assertThat(lines).hasSize(4).allMatch(line -> line.endsWith("}\n") && line.indexOf('\n') == line.length() - 1);
        assertThat(lines.get(0))
                .matches("\\{\"model\":\"llama3.2\",\"created_at\":\"" + TIME
                        + "\",\"response\":\"[A-Z]\\w*\",\"done\":false}\n");
        assertThat(lines.get(1)).contains("\"response\":\" ");
        assertThat(lines.get(3))
                .startsWith("{\"model\":\"llama3.2\",\"created_at\":\"" + TIME
                        + "\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"context\":[")
                .endsWith("],\"total_duration\":33000000,\"load_duration\":1000000,\"prompt_eval_count\":2,"
                        + "\"prompt_eval_duration\":2000000,\"eval_count\":3,\"eval_duration\":30000000}\n");
    }

    @Test
    void generateWithoutStreamIsTheSameTextInOneObject() {
        String streamed =
                stream("/api/generate", "application/x-ndjson", "{\"model\":\"llama3.2\",\"prompt\":\"hello\"}")
                        .stream()
                        .map(line -> line.replaceAll(".*\"response\":\"([^\"]*)\".*\n", "$1"))
                        .collect(Collectors.joining());

        RawClient.Response whole =
                post("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"hello\",\"stream\":false}");

        assertThat(whole.header("Content-Type")).isEqualTo("application/json; charset=utf-8");
        assertThat(whole.head().has("Content-Length")).isTrue();
        assertThat(whole.body())
                .contains("\"response\":\"" + streamed + "\",\"done\":true")
                .endsWith("}");
        assertThat(streamed).endsWith(".");
    }

    @Test
    void anAnswerOver2048BytesIsChunkedThoughNotStreamed() {
        RawClient.Response whole = post(
                "/api/generate",
                "{\"model\":\"llama3.2\",\"prompt\":\"a\",\"stream\":false,\"options\":{\"num_predict\":700}}");

        assertThat(whole.head().isChunked()).isTrue();
        assertThat(whole.body()).contains("\"done_reason\":\"length\"").contains("\"eval_count\":700");
    }

    @Test
    void rawHasNoContext() {
        assertThat(post("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\",\"stream\":false,\"raw\":true}")
                        .body())
                .doesNotContain("context");
    }

    @Test
    void chatStreamsMessages() {
        List<String> lines = stream(
                "/api/chat",
                "application/x-ndjson",
                "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}");

        assertThat(lines).hasSize(4);
        assertThat(lines.get(0))
                .matches("\\{\"model\":\"llama3.2\",\"created_at\":\"" + TIME
                        + "\",\"message\":\\{\"role\":\"assistant\",\"content\":\"[A-Z]\\w*\"},\"done\":false}\n");
        assertThat(lines.get(3))
                .startsWith("{\"model\":\"llama3.2\",\"created_at\":\"" + TIME
                        + "\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
                        + "\"done_reason\":\"stop\",\"total_duration\":");
    }

    @Test
    void theTextFollowsFromModelPromptAndSeed() {
        String body = "{\"model\":\"llama3.2\",\"prompt\":\"%s\",\"stream\":false,\"options\":{\"seed\":%d,"
                + "\"num_predict\":40}}";
        String first = post("/api/generate", body.formatted("a", 1)).body();

        assertThat(post("/api/generate", body.formatted("a", 1)).body()).isEqualTo(first);
        assertThat(post("/api/generate", body.formatted("a", 2)).body()).isNotEqualTo(first);
        assertThat(post("/api/generate", body.formatted("b", 1)).body()).isNotEqualTo(first);
        try (SimulatedOllama other = SimulatedOllama.start(ollama.settings());
                RawClient c = RawClient.connect(other.address())) {
            assertThat(c.exchange("POST", "/api/generate", body.formatted("a", 1))
                            .body())
                    .isEqualTo(first);
        }
    }

    @Test
    void anEmptyPromptLoadsAndUnloads() {
        RawClient.Response loaded = post("/api/generate", "{\"model\":\"llama3.2\"}");
        assertThat(loaded.header("Content-Type")).isEqualTo("application/json; charset=utf-8");
        assertThat(loaded.body())
                .isEqualTo("{\"model\":\"llama3.2\",\"created_at\":\"" + TIME
                        + "\",\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}");
        assertThat(ollama.loaded()).containsExactly("llama3.2:latest");

        assertThat(post("/api/chat", "{\"model\":\"llama3.2\",\"messages\":[],\"keep_alive\":0}")
                        .body())
                .isEqualTo("{\"model\":\"llama3.2\",\"created_at\":\"" + TIME
                        + "\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
                        + "\"done_reason\":\"unload\"}");
        assertThat(ollama.loaded()).isEmpty();
    }

    @Test
    void refusalsAreOllamasOwn() {
        assertThat(post("/api/generate", "{\"model\":\"x\",\"prompt\":\"a\"}").body())
                .isEqualTo("{\"error\":\"model 'x' not found\"}");
        assertThat(post("/api/generate", "{\"prompt\":\"a\"}").body()).isEqualTo("{\"error\":\"model '' not found\"}");
        assertThat(post("/api/chat", "{}").body()).isEqualTo("{\"error\":\"model is required\"}");
        assertThat(post("/api/chat", "{\"model\":\"nomic-embed-text\",\"messages\":[{}]}")
                        .body())
                .isEqualTo("{\"error\":\"\\\"nomic-embed-text\\\" does not support chat\"}");
        RawClient.Response option =
                post("/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\",\"options\":{\"num_ctx\":\"big\"}}");
        assertThat(option.status()).isEqualTo(500);
        assertThat(option.body()).isEqualTo("{\"error\":\"option \\\"num_ctx\\\" must be of type integer\"}");
        assertThat(post("/api/generate", "{\"model\":\"llama3.2\",\"keep_alive\":\"10\"}")
                        .body())
                .isEqualTo("{\"error\":\"time: missing unit in duration \\\"10\\\"\"}");
    }

    @Test
    void openAiChatStreamsChunksAndEndsWithFinishUsageAndDoneInOne() {
        List<String> chunks = stream(
                "/v1/chat/completions",
                "text/event-stream",
                "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"stream\":true,"
                        + "\"stream_options\":{\"include_usage\":true}}");

        assertThat(chunks).hasSize(4);
        assertThat(chunks.get(0))
                .matches(
                        "data: \\{\"id\":\"chatcmpl-\\d+\",\"object\":\"chat.completion.chunk\",\"created\":1787363302,"
                                + "\"model\":\"llama3.2\",\"system_fingerprint\":\"fp_ollama\",\"choices\":\\[\\{\"index\":0,"
                                + "\"delta\":\\{\"role\":\"assistant\",\"content\":\"\\w+\"},\"finish_reason\":null}]}\n\n");
        assertThat(chunks.get(1)).contains("\"delta\":{\"content\":\" ").doesNotContain("role");
        String[] last = chunks.get(3).split("\n\n");
        assertThat(last).hasSize(3);
        assertThat(last[0]).endsWith("\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
        assertThat(last[1])
                .endsWith("\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":3,\"total_tokens\":6}}");
        assertThat(last[2]).isEqualTo("data: [DONE]");
    }

    @Test
    void openAiAnswersWholeByDefault() {
        RawClient.Response chat = post(
                "/v1/chat/completions",
                "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"max_tokens\":2}");
        RawClient.Response text = post("/v1/completions", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}");

        assertThat(chat.header("Content-Type")).isEqualTo("application/json");
        assertThat(chat.body())
                .contains("\"object\":\"chat.completion\"", "\"message\":{\"role\":\"assistant\",\"content\":\"")
                .contains("\"finish_reason\":\"length\"", "\"completion_tokens\":2")
                .endsWith("}\n");
        assertThat(text.body()).contains("\"object\":\"text_completion\"", "\"choices\":[{\"text\":\"");
    }

    @Test
    void completionsStreamUsageInEveryChunkIfAsked() {
        List<String> chunks = stream(
                "/v1/completions",
                "text/event-stream",
                "{\"model\":\"llama3.2\",\"prompt\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");

        assertThat(chunks.get(0))
                .contains("\"object\":\"text_completion\"", "\"usage\":{\"prompt_tokens\":0,")
                .contains("\"index\":0,\"finish_reason\":null}]");
        assertThat(chunks.get(3)).endsWith("data: [DONE]\n\n").contains("\"choices\":[],");
    }

    @Test
    void openAiErrorsHaveItsShape() {
        RawClient.Response missing = post("/v1/completions", "{\"model\":\"x\",\"prompt\":\"a\"}");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.header("Content-Type")).isEqualTo("application/json");
        assertThat(missing.body())
                .isEqualTo("{\"error\":{\"message\":\"model 'x' not found\",\"type\":\"not_found_error\","
                        + "\"param\":null,\"code\":null}}\n");
        RawClient.Response empty = post("/v1/chat/completions", "{\"model\":\"llama3.2\",\"messages\":[]}");
        assertThat(empty.status()).isEqualTo(400);
        assertThat(empty.header("Content-Type")).isEqualTo("application/json; charset=utf-8");
        assertThat(empty.body()).contains("[] is too short - 'messages'");
    }

    @Test
    void messagesStreamsAnthropicsEventsOnePerChunk() {
        List<String> events = stream(
                "/v1/messages",
                "text/event-stream",
                "{\"model\":\"llama3.2\",\"max_tokens\":100,\"stream\":true,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");

        assertThat(events.stream().map(SimulatedStreamsTest::name))
                .containsExactly(
                        "message_start",
                        "content_block_start",
                        "content_block_delta",
                        "content_block_delta",
                        "content_block_delta",
                        "content_block_stop",
                        "message_delta",
                        "message_stop");
        assertThat(events.get(2))
                .matches("event: content_block_delta\ndata: \\{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                        + "\\{\"type\":\"text_delta\",\"text\":\"\\w+\"}}\n\n");
        assertThat(events.get(6)).contains("\"stop_reason\":\"end_turn\"", "\"output_tokens\":3");
    }

    @Test
    void messagesAnswersWholeByDefaultAndRefusesInAnthropicsShape() {
        assertThat(post(
                                "/v1/messages",
                                "{\"model\":\"llama3.2\",\"max_tokens\":2,\"messages\":[{\"role\":\"user\","
                                        + "\"content\":\"a\"}]}")
                        .body())
                .contains("\"type\":\"message\"", "\"content\":[{\"type\":\"text\",\"text\":\"", "\"max_tokens\"");
        assertThat(post("/v1/messages", "{\"model\":\"llama3.2\",\"messages\":[{}]}")
                        .body())
                .startsWith("{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
                        + "\"max_tokens is required and must be positive\"},\"request_id\":\"req_");
    }

    @Test
    void responsesStreamsNumberedEventsWithoutDone() {
        List<String> events = stream(
                "/v1/responses", "text/event-stream", "{\"model\":\"llama3.2\",\"input\":\"a\",\"stream\":true}");

        assertThat(events.stream().map(SimulatedStreamsTest::name))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.delta",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed");
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i)).contains("\"sequence_number\":" + i + ",");
        }
        assertThat(events.get(10)).contains("\"output_tokens\":3");
        assertThat(post("/v1/responses", "{\"model\":\"llama3.2\",\"input\":\"a\"}")
                        .body())
                .contains("\"object\":\"response\"", "\"status\":\"completed\"", "\"output\":[{\"id\":\"msg_");
    }

    private static String name(String event) {
        return event.substring("event: ".length(), event.indexOf('\n'));
    }

    @Test
    void aCompressedBodyIsAcceptedOnV1() {
        assertThat(client.exchange("POST", "/v1/responses", "(\u00b5/\u00fd...", "Content-Encoding: zstd")
                        .body())
                .contains("\"model\":\"llama3.2:latest\"");
    }

    @Test
    void realTimesHaveUpToNineDigitsWithoutTrailingZeros() {
        try (SimulatedOllama real = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                RawClient c = RawClient.connect(real.address())) {
            assertThat(c.exchange("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}")
                            .body()
                            .lines())
                    .hasSize(49)
                    .allMatch(line -> line.matches(
                            ".*\"created_at\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{0,8}[1-9])?Z\".*"));
        }
    }

    @Test
    void javasOwnClientReadsAStream() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(ollama.url().resolve("/api/generate"))
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"llama3.2\",\"prompt\":\"a\"}"))
                .version(HttpClient.Version.HTTP_1_1)
                .build();

        HttpResponse<Stream<String>> response =
                HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofLines());

        assertThat(response.body()).hasSize(4).last().asString().contains("\"done\":true");
    }
}
