package io.drover.deploy;

import io.drover.testing.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A script of {@code docker/kubernetes/base/scripts}, run by this machine's bash with what a container of a plain Debian
 * or Ubuntu has. Commands that such a container has besides may stand in the directory {@code bin} of the test's.
 */
final class Script implements AutoCloseable {
    private static final Path SCRIPTS =
            Path.of("docker", "kubernetes", "base", "scripts").toAbsolutePath();
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Process process;
    private final Path output;

    private Script(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    static Script start(Path directory, String name, Map<String, String> environment) {
        Path output = directory.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(
                        "bash", SCRIPTS.resolve(name).toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
        builder.environment().merge("PATH", directory.resolve("bin").toString(), (path, own) -> own + ":" + path);
        builder.environment().put("LOG", output.toString());
        builder.environment().putAll(environment);
        try {
            return new Script(builder.start(), output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Puts a command into the test's {@code bin}. */
    static void command(Path directory, String name, String text) {
        try {
            Path bin = Files.createDirectories(directory.resolve("bin"));
            Path file = Files.writeString(bin.resolve(name), "#!/bin/bash\n" + text);
            if (!file.toFile().setExecutable(true)) {
                throw new IOException(file + " cannot be made executable");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Both outputs, and what it logged, so far. */
    String output() {
        try {
            return Files.exists(output) ? Files.readString(output) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void awaitOutput(String part) {
        Await.until(part + " in: " + output(), PATIENCE, () -> output().contains(part));
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** Waits for its end and gives its status. */
    int await() throws InterruptedException {
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("still running; it said: " + output());
        }
        return process.exitValue();
    }

    /** Writes a file as a whole, so that a script that reads it meanwhile sees the old one or the new one. */
    static void write(Path file, String text) {
        try {
            Path whole = Files.writeString(file.resolveSibling(file.getFileName() + ".new"), text);
            Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it, and what it has started, if they still run. */
    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
