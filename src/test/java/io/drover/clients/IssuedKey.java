package io.drover.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A key that {@code drover key} has made.
 *
 * @param secret for the caller
 * @param file keys file with its line
 */
record IssuedKey(String secret, Path file) {
    private static final int SECONDS = 30;

    /** Runs the command in a process of its own, and writes the keys file below {@code directory}. */
    static IssuedKey make(Path directory) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classes = System.getProperty("java.class.path");
        Command drover = new Command(
                directory, List.of(java, "-cp", classes, "io.drover.server.Main", "key", "--name", "alice"));
        Command.Output output = Command.finish(drover.start(), SECONDS);
        assertThat(output.status()).as(output.text()).isZero();
        // A JVM may say something first, of JAVA_TOOL_OPTIONS.
        List<String> lines = output.text().lines().toList();
        Path file = Files.writeString(directory.resolve("keys"), lines.get(lines.size() - 1) + "\n");
        return new IssuedKey(lines.get(lines.size() - 2), file);
    }

    /** What stands before Ollama's paths for a client that sends no headers. */
    String pathPrefix() {
        return "/key/" + secret;
    }
}
