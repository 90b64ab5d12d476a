package io.drover.testing;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command of this machine, without what its environment says of Ollama, of keys, or of a proxy before loopback. */
public final class Command {
    private final ProcessBuilder builder;

    public Command(Path directory, List<String> words) {
        builder = new ProcessBuilder(words).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment()
                .keySet()
                .removeIf(
                        name -> name.startsWith("OLLAMA_") || name.startsWith("DROVER_") || name.endsWith("_API_KEY"));
        // Everything here is on loopback; a proxy of the machine's must not come between, except to install.
        builder.environment().merge("NO_PROXY", "127.0.0.1", (old, own) -> old + "," + own);
        builder.environment().merge("no_proxy", "127.0.0.1", (old, own) -> old + "," + own);
    }

    /** What was left when it ended; {@code text} is of both its outputs. */
    public record Output(int status, String text) {}

    /** The same with these variables of the environment too. */
    public Command with(Map<String, String> environment) {
        builder.environment().putAll(environment);
        return this;
    }

    /** Starts it; its standard input is open. */
    public Process start() throws IOException {
        return builder.start();
    }

    /** Runs it to its end with nothing on its standard input, or aborts the test if there is no such command. */
    public Output runIfInstalled(int seconds) {
        Process process = startIfInstalled();
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return finish(process, seconds);
    }

    /** Starts it, or aborts the test if there is no such command. */
    public Process startIfInstalled() {
        try {
            return start();
        } catch (IOException e) {
            return abort("skipped: " + builder.command().get(0) + " is not installed here");
        }
    }

    /** Waits for its end, and after so many seconds ends it. */
    public static Output finish(Process process, int seconds) {
        try (InputStream in = process.getInputStream()) {
            process.onExit().orTimeout(seconds, TimeUnit.SECONDS).whenComplete((ended, late) -> {
                if (late != null) {
                    process.destroyForcibly();
                }
            });
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return new Output(process.waitFor(), text.strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return String.join(" ", builder.command());
    }
}
