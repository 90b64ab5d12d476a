package io.drover.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The process of a {@link BackendCommand}, which may come and go; it keeps its port. Any thread. */
final class RunningBackend implements AutoCloseable {
    /** Tokens per second of each stream, as long as it is well. */
    static final double PACE = 50;

    private static final long PATIENCE_SECONDS = 20;

    private final int port;
    private final List<String> command;
    private final Path log;
    private final List<Long> arrivals = new ArrayList<>();
    private Process process;
    private boolean closed;

    private RunningBackend(int port, List<String> options, Path folder) throws IOException {
        this.port = port;
        this.log = folder.resolve("backend-" + port + ".log");
        // One that comes back should not need long: no second compiler, the smallest collector.
        command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                BenchCommand.class.getName(),
                "backend",
                "--port",
                String.valueOf(port)));
        command.addAll(options);
        process = launch();
    }

    /** Starts it; it listens when this returns. What it complains of goes to a file in {@code folder}. */
    static RunningBackend start(int port, List<String> options, Path folder) throws IOException {
        return new RunningBackend(port, options, folder);
    }

    int port() {
        return port;
    }

    /** Starts it again, as it was at first. */
    synchronized void start() throws IOException {
        if (closed) {
            throw new IllegalStateException("backend " + port + " is closed");
        }
        process = launch();
    }

    private Process launch() throws IOException {
        Process started = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        CountDownLatch ready = new CountDownLatch(1);
        Thread reader = new Thread(() -> read(started, ready), "backend-" + port);
        reader.setDaemon(true);
        reader.start();
        try {
            if (ready.await(PATIENCE_SECONDS, TimeUnit.SECONDS) && started.isAlive()) {
                return started;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        started.destroyForcibly();
        throw new IOException("backend at port " + port + " did not start; see " + log);
    }

    private void read(Process from, CountDownLatch ready) {
        try (BufferedReader lines = from.inputReader(StandardCharsets.US_ASCII)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                long now = System.nanoTime();
                switch (line) {
                    case BackendCommand.READY -> ready.countDown();
                    case BackendCommand.ASKED -> {
                        synchronized (arrivals) {
                            arrivals.add(now);
                        }
                    }
                    default -> {}
                }
            }
        } catch (IOException e) {
            // It was killed while it spoke.
        } finally {
            ready.countDown();
        }
    }

    /** When requests for inference arrived, by this process' {@link System#nanoTime}, from {@code from} on. */
    List<Long> arrivalsSince(long from) {
        synchronized (arrivals) {
            return arrivals.stream().filter(at -> at - from >= 0).toList();
        }
    }

    /** @param line see {@link BackendCommand} */
    synchronized void tell(String line) throws IOException {
        process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        process.getOutputStream().flush();
    }

    /** @param name without SIG */
    synchronized void signal(String name) throws IOException {
        Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                .redirectErrorStream(true)
                .start();
        String complaint = new String(kill.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!complaint.isBlank()) {
            throw new IOException("kill -" + name + " " + process.pid() + ": " + complaint.strip());
        }
    }

    /** As {@code kill -9}; it is gone when this returns. */
    synchronized void kill() throws IOException {
        process.destroyForcibly();
        awaitEnd();
    }

    /** As {@code kill}; it is gone when this returns. */
    synchronized void terminate() throws IOException {
        process.destroy();
        awaitEnd();
    }

    private void awaitEnd() throws IOException {
        try {
            if (process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new IOException("backend at port " + port + " does not end");
    }

    @Override
    public synchronized void close() {
        closed = true;
        process.destroyForcibly();
        try {
            process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
