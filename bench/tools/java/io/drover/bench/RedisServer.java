package io.drover.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A Redis of our own, which keeps nothing on disk, beside the load and not on the proxies' core. One thread. */
final class RedisServer implements AutoCloseable {
    static final int PORT = 7121;
    private static final long STOP_SECONDS = 5;
    private static final Duration START = Duration.ofSeconds(10);

    private final String program;
    private final Path folder;
    private @Nullable Process process;

    /** @param folder for what it prints */
    RedisServer(String program, Path folder) {
        this.program = program;
        this.folder = folder;
    }

    /** Starts it, empty, and waits until it answers. */
    void start() throws IOException {
        Process started = new ProcessBuilder(
                        program,
                        "--port",
                        String.valueOf(PORT),
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                        "--appendonly",
                        "no",
                        "--dir",
                        folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("redis.log").toFile())
                .start();
        process = started;
        long deadline = System.nanoTime() + START.toNanos();
        while (!answers()) {
            if (!started.isAlive() || System.nanoTime() > deadline) {
                throw new IOException(program + " does not answer at port " + PORT + ": see " + folder);
            }
            Pause.of(Duration.ofMillis(5));
        }
    }

    private static boolean answers() {
        try (RedisClient client = RedisClient.connect(PORT)) {
            client.ask("PING");
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Ends it as a shutdown does (SIGTERM). */
    void stop() {
        Process running = process;
        if (running == null) {
            return;
        }
        running.destroy();
        try {
            if (!running.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                // Its port must be free for the next one.
                running.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            running.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    void restart() throws IOException {
        stop();
        start();
    }

    /** It keeps its connections and answers nothing (SIGSTOP). */
    void freeze() throws IOException {
        signal("STOP");
    }

    void thaw() throws IOException {
        signal("CONT");
    }

    private void signal(String name) throws IOException {
        if (process != null) {
            new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start();
        }
    }

    /** Look-ups that it has answered since its start, found or not. */
    static long lookups() throws IOException {
        try (RedisClient client = RedisClient.connect(PORT)) {
            return client.ask("INFO", "stats")
                    .lines()
                    .filter(line -> line.startsWith("keyspace_hits:") || line.startsWith("keyspace_misses:"))
                    .mapToLong(line ->
                            Long.parseLong(line.substring(line.indexOf(':') + 1).strip()))
                    .sum();
        }
    }

    @Override
    public void close() {
        if (process != null) {
            // A frozen one would not hear of its end.
            process.destroyForcibly();
        }
    }
}
