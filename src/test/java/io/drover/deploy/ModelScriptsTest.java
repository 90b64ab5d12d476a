package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.FreePort;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What brings models onto an Ollama server's disk and into its memory. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the scripts are for Linux containers; other systems lack timeout")
class ModelScriptsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path directory;

    private int preload(int port, String models, int seconds) throws InterruptedException {
        Map<String, String> environment = Map.of(
                "MODEL_NAME", models,
                "OLLAMA_PORT", Integer.toString(port),
                "PRELOAD_SECONDS", Integer.toString(seconds));
        try (Script script = Script.start(directory, "preload", environment)) {
            return script.await();
        }
    }

    @Test
    void eachModelIsLoaded() throws Exception {
        SimulatedOllama.Settings two =
                SimulatedOllama.Settings.defaults().withModels("llama3.2:latest", "qwen3:latest");
        try (SimulatedOllama server = SimulatedOllama.start(two)) {
            assertThat(preload(server.url().getPort(), "llama3.2 unknown qwen3", 60))
                    .isZero();
            assertThat(server.loaded()).containsExactlyInAnyOrder("llama3.2:latest", "qwen3:latest");
        }
    }

    @Test
    void aServerThatDoesNotComeUpFailsNoPod() throws Exception {
        assertThat(preload(FreePort.next(), "llama3.2", 1)).isZero();
    }

    @Test
    void onlyWhatIsMissingIsPulled() throws Exception {
        Script.command(directory, "ollama", """
                echo "ollama $*"
                case $1 in
                  serve) exec tail -f /dev/null ;;
                  show) [[ $2 == here ]] ;;
                esac
                """);
        try (Script script = Script.start(directory, "pull", Map.of("MODEL_NAME", "here missing"))) {
            assertThat(script.await()).isZero();
            assertThat(script.output()).contains("ollama pull missing").doesNotContain("ollama pull here");
        }
    }

    @Test
    void aPullThatFailsFailsThePod() throws Exception {
        Script.command(directory, "ollama", """
                case $1 in
                  serve) exec tail -f /dev/null ;;
                  show | pull) exit 1 ;;
                esac
                """);
        try (Script script = Script.start(directory, "pull", Map.of("MODEL_NAME", "missing"))) {
            assertThat(script.await()).isNotZero();
        }
    }
}
