package io.drover.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.drover.demo.Fault;
import io.drover.demo.SimulatedOllama;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Libraries that no one here wrote see through Drover what they see without it, and a caller who turns away in
 * mid-stream frees the backend. Skipped, with the reason, where a language or a network to install from is missing.
 */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ClientLibraryTest {
    private static final int TOKENS = 48;
    private static final String TEXT = "\"Rain makes the path heavy, so ask less of them on that day.";

    /** The libraries, and the scripts that use them. */
    enum Library {
        OLLAMA_JAVASCRIPT("ollama.mjs"),
        OPENAI_JAVASCRIPT("openai.mjs"),
        ANTHROPIC_JAVASCRIPT("anthropic.mjs"),
        OLLAMA_PYTHON("ollama_client.py"),
        OPENAI_PYTHON("openai_client.py");

        private final String script;

        Library(String script) {
            this.script = script;
        }

        ClientLibraries install() {
            return script.endsWith(".py") ? ClientLibraries.python() : ClientLibraries.javaScript();
        }

        /** What it sees through Drover, by scenario and key; the same, down to the last value, as without it. */
        Map<String, String> seenThroughDrover() throws Exception {
            return seenThroughDrover(Map.of());
        }

        Map<String, String> seenThroughDrover(Map<String, String> keys) throws Exception {
            ClientLibraries installed = install();
            try (FrontDoor drover = new FrontDoor(server(), keys)) {
                CompletableFuture<Map<String, String>> direct = CompletableFuture.supplyAsync(
                        () -> installed.run(script, drover.backend().url().toString()));
                Map<String, String> seen = installed.run(script, drover.url());
                assertThat(withoutIds(seen)).as("what it sees without Drover").isEqualTo(withoutIds(direct.get()));
                return seen;
            }
        }

        /** Anthropic's errors name the request, and Drover's own error names it as Drover does. */
        private static Map<String, String> withoutIds(Map<String, String> seen) {
            Map<String, String> all = new HashMap<>(seen);
            all.replaceAll((key, value) -> value.replaceAll("request_id\\\\\":\\\\\"\\w+", "request_id"));
            return all;
        }
    }

    private static SimulatedOllama.Settings server() {
        return SimulatedOllama.Settings.defaults()
                .withFixedClock(true)
                .withSlots(4)
                .withTokens(TOKENS);
    }

    private static Map.Entry<String, String> tokens(String scenario) {
        return entry(scenario + ".tokens", String.valueOf(TOKENS));
    }

    private static void assertStreamed(Map<String, String> seen, String streamed, String whole, int parts) {
        assertThat(seen.get(streamed + ".text"))
                .as("the streamed text")
                .startsWith(TEXT)
                .isEqualTo(seen.get(whole + ".text"));
        assertThat(seen).contains(tokens(streamed), tokens(whole), entry(streamed + ".parts", String.valueOf(parts)));
    }

    @ParameterizedTest
    @EnumSource
    void what_it_sends_keeps_to_the_types_of_fields(Library library) throws Exception {
        assertThat(library.seenThroughDrover(Map.of("validation.fields", "true")))
                .isNotEmpty();
    }

    @Test
    void ollama_for_JavaScript() throws Exception {
        Map<String, String> seen = Library.OLLAMA_JAVASCRIPT.seenThroughDrover();

        assertStreamed(seen, "chatStream", "chat", TOKENS + 1);
        assertThat(seen.get("generateStream.text")).hasSizeGreaterThan(TOKENS).isEqualTo(seen.get("generate.text"));
        assertThat(seen)
                .contains(
                        entry("list.models", "[\"llama3.2:latest\",\"nomic-embed-text:latest\"]"),
                        entry("show.family", "\"llama\""),
                        entry("generateStream.done", "\"stop\""),
                        entry("embed.vectors", "2"),
                        entry("pull.last", "\"success\""),
                        entry("missing.error", "\"ResponseError\""),
                        entry("missing.status", "404"),
                        entry("missingStream.message", "\"model 'no-such-model' not found\""));
    }

    @Test
    void openai_for_JavaScript() throws Exception {
        Map<String, String> seen = Library.OPENAI_JAVASCRIPT.seenThroughDrover();

        // Tokens, the chunk with the reason of the end, the one with the usage.
        assertStreamed(seen, "chatStream", "chat", TOKENS + 2);
        assertThat(seen.get("responsesStream.text")).hasSizeGreaterThan(TOKENS);
        assertThat(seen)
                .contains(
                        entry("models.ids", "[\"llama3.2:latest\",\"nomic-embed-text:latest\"]"),
                        entry("chatStream.finish", "\"stop\""),
                        entry("responsesStream.end", "\"response.completed\""),
                        entry("embeddings.floats", "384"),
                        entry("missing.error", "\"NotFoundError\""),
                        entry("missing.status", "404"));
    }

    @Test
    void anthropic_for_JavaScript() throws Exception {
        Map<String, String> seen = Library.ANTHROPIC_JAVASCRIPT.seenThroughDrover();

        assertStreamed(seen, "messageStream", "message", TOKENS);
        assertThat(seen)
                .contains(
                        entry("messageStream.stop", "\"end_turn\""),
                        entry("missing.error", "\"NotFoundError\""),
                        entry("missing.status", "404"));
    }

    @Test
    void ollama_for_Python() throws Exception {
        Map<String, String> seen = Library.OLLAMA_PYTHON.seenThroughDrover();

        assertStreamed(seen, "chat_stream", "chat", TOKENS + 1);
        assertStreamed(seen, "chat_stream_async", "chat", TOKENS + 1);
        assertThat(seen)
                .contains(
                        entry("list_models.models", "[\"llama3.2:latest\",\"nomic-embed-text:latest\"]"),
                        entry("generate_stream.done", "\"stop\""),
                        entry("embed.floats", "384"),
                        entry(
                                "create_blob.digest",
                                "\"sha256:aca1cd027e979588d14b877b7b0cb8585ad9fec599eb45801992ee5382b3760f\""),
                        entry("missing.error", "\"ResponseError\""),
                        entry("missing.status", "404"));
    }

    @Test
    void openai_for_Python() throws Exception {
        Map<String, String> seen = Library.OPENAI_PYTHON.seenThroughDrover();

        assertThat(seen.get("chat_stream.text")).startsWith(TEXT).isEqualTo(seen.get("chat.text"));
        assertThat(seen)
                .contains(
                        tokens("chat_stream"),
                        entry("chat_stream.finish", "\"stop\""),
                        entry("embeddings.vectors", "2"),
                        entry("missing.error", "\"NotFoundError\""),
                        entry("missing.status", "404"));
    }

    @ParameterizedTest
    @EnumSource
    void an_abort_in_mid_stream_frees_the_slot(Library library) throws Exception {
        ClientLibraries installed = library.install();
        SimulatedOllama.Settings endless = server().withTokens(1_000_000).withTokensPerSecond(50);
        try (FrontDoor drover = new FrontDoor(endless)) {
            Process script = installed.startAbort(library.script, drover.url());
            try {
                drover.backend().await("one stream was left", () -> drover.cancelled() == 1);
                drover.backend().await("its slot is free", () -> drover.active() == 0);

                assertThat(script.isAlive())
                        .as("the script lives, so the library closed the stream")
                        .isTrue();
                assertThat(ClientLibraries.end(script)).containsEntry("abort.parts", "3");
            } finally {
                script.destroyForcibly();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "OLLAMA_JAVASCRIPT, chatStream, Error",
        "OPENAI_JAVASCRIPT, chatStream, APIError",
        "ANTHROPIC_JAVASCRIPT, messageStream, APIError",
        "OLLAMA_PYTHON, chat_stream, ResponseError",
        "OLLAMA_PYTHON, chat_stream_async, ResponseError",
        "OPENAI_PYTHON, chat_stream, APIError"
    })
    void a_library_raises_the_error_of_a_broken_stream(Library library, String scenario, String error)
            throws Exception {
        ClientLibraries installed = library.install();
        try (FrontDoor drover = new FrontDoor(server())) {
            drover.fault(Fault.after(3, Fault.Kind.DIE_MID_STREAM));

            Map<String, String> seen = installed.run(library.script, drover.url(), scenario);

            assertThat(seen).contains(entry(scenario + ".error", "\"" + error + "\""));
            assertThat(seen.get(scenario + ".message")).contains("the backend broke off the answer: truncated answer");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"OPENAI_JAVASCRIPT", "ANTHROPIC_JAVASCRIPT", "OPENAI_PYTHON"})
    void a_library_s_key_reaches_no_backend(Library library) throws Exception {
        ClientLibraries installed = library.install();
        try (FrontDoor drover = new FrontDoor(server())) {
            installed.run(library.script, drover.url());

            assertThat(drover.received()).isNotEmpty().allSatisfy(request -> assertThat(List.of(
                            request.header("Authorization"), request.header("X-Api-Key"), request.header("Cookie")))
                    .allSatisfy(values -> assertThat(values).isEmpty()));
        }
    }
}
