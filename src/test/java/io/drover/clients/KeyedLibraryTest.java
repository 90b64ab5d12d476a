package io.drover.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Libraries get in with their own setting of a key and nothing else, and raise an error that says how without one. */
class KeyedLibraryTest {
    private static final String BY_ENVIRONMENT = "ollama_by_environment.py";
    private static final String HOW = "Authorization: Bearer KEY";

    private static IssuedKey key;

    private Path directory;

    @BeforeAll
    static void makeKey(@TempDir Path keys) throws Exception {
        key = IssuedKey.make(keys);
    }

    @BeforeEach
    void use(@TempDir Path fresh) {
        directory = fresh;
    }

    @Test
    void ollamaForPythonByItsEnvironment() throws Exception {
        ClientLibraries python = ClientLibraries.python();
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key")) {
            assertAllIsSeen(
                    python.run(Map.of("OLLAMA_HOST", door.url(), "OLLAMA_API_KEY", key.secret()), BY_ENVIRONMENT, ""));
        }
    }

    @Test
    void ollamaForPythonWithTheKeyInItsHost() throws Exception {
        ClientLibraries python = ClientLibraries.python();
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key")) {
            assertAllIsSeen(python.run(Map.of("OLLAMA_HOST", door.urlWithKey()), BY_ENVIRONMENT, ""));
        }
    }

    private static void assertAllIsSeen(Map<String, String> seen) {
        String parts = String.valueOf(GuardedDoor.TOKENS + 1);
        assertThat(seen)
                .containsOnly(
                        entry("list_models.models", "[\"llama3.2:latest\",\"nomic-embed-text:latest\"]"),
                        entry("show.family", "\"llama\""),
                        entry("chat.tokens", String.valueOf(GuardedDoor.TOKENS)),
                        entry("chat_stream.parts", parts),
                        entry("generate_stream.parts", parts),
                        entry("embed.vectors", "2"),
                        entry("ps.models", "[\"llama3.2:latest\",\"nomic-embed-text:latest\"]"));
    }

    @Test
    void ollamaForPythonWithoutAKey() throws Exception {
        ClientLibraries python = ClientLibraries.python();
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key")) {
            Map<String, String> seen = python.run(Map.of("OLLAMA_HOST", door.url()), BY_ENVIRONMENT, "");

            for (String call :
                    new String[] {"list_models", "show", "chat", "chat_stream", "generate_stream", "embed", "ps"}) {
                assertThat(seen).contains(entry(call + ".error", "\"ResponseError\""), entry(call + ".status", "401"));
                assertThat(seen.get(call + ".message"))
                        .startsWith("\"no key with the request: send an API key as")
                        .contains(HOW)
                        .contains("OLLAMA_HOST=http://HOST:PORT/key/KEY");
            }
            assertThat(door.hasServed()).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ollama.mjs, OLLAMA_API_KEY, chatStream, ResponseError",
        "openai.mjs, OPENAI_API_KEY, chatStream, AuthenticationError",
        "anthropic.mjs, ANTHROPIC_API_KEY, messageStream, AuthenticationError",
        "openai_client.py, OPENAI_API_KEY, chat_stream, AuthenticationError"
    })
    void otherLibraries(String script, String variable, String scenario, String error) throws Exception {
        ClientLibraries installed = script.endsWith(".py") ? ClientLibraries.python() : ClientLibraries.javaScript();
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key")) {
            // They send a key of another service's, or none.
            Map<String, String> refused = installed.run(script, door.url(), scenario);
            assertThat(refused)
                    .contains(entry(scenario + ".error", "\"" + error + "\""), entry(scenario + ".status", "401"));
            assertThat(refused.get(scenario + ".message"))
                    .contains("send an API key as")
                    .contains(HOW);
            assertThat(door.hasServed()).isFalse();

            Map<String, String> seen = installed.run(Map.of(variable, key.secret()), script, door.url(), scenario);
            assertThat(seen).contains(entry(scenario + ".tokens", String.valueOf(GuardedDoor.TOKENS)));
        }
    }
}
