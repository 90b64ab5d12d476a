package io.drover.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A contender's process, with all its threads and children. */
final class RunningProxy implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(30);
    private static final long STOP_SECONDS = 10;
    private static final double TICKS_PER_SECOND = 100; // USER_HZ, which Linux fixes for what it tells programs
    private static final int UTIME = 11; // of the fields behind the command's name in /proc/PID/stat (proc(5))
    private static final int STIME = 12;

    private final Contender contender;
    private final Process process;
    private final Path log;
    private final long startedNanos;

    private RunningProxy(Contender contender, Process process, Path log, long startedNanos) {
        this.contender = contender;
        this.process = process;
        this.log = log;
        this.startedNanos = startedNanos;
    }

    /** Starts it on {@code core}; it need not listen yet. What it prints goes to a file in {@code folder}. */
    static RunningProxy start(Contender contender, int core, Path folder) throws IOException {
        List<String> command = new ArrayList<>(List.of("taskset", "-c", String.valueOf(core)));
        command.addAll(contender.command());
        return start(contender, command, folder);
    }

    /** As {@link #start(Contender, int, Path)}, on any core. */
    static RunningProxy start(Contender contender, Path folder) throws IOException {
        return start(contender, contender.command(), folder);
    }

    private static RunningProxy start(Contender contender, List<String> command, Path folder) throws IOException {
        Path log = folder.resolve(contender.name() + ".log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().putAll(contender.environment());
        long now = System.nanoTime();
        return new RunningProxy(contender, builder.start(), log, now);
    }

    /** Waits until a request gets through to a backend. */
    RunningProxy awaitAnswer() throws IOException {
        long deadline = startedNanos + START.toNanos();
        // Something else may answer at a port that it could not have: it has to live, too.
        while (!answers() || !process.isAlive()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                String printed = Files.readString(log);
                close();
                throw new IOException(contender.name() + " does not answer at port " + port() + ": " + printed.strip());
            }
            Pause.of(Duration.ofMillis(1));
        }
        return this;
    }

    private boolean answers() {
        try {
            HttpURLConnection connection = (HttpURLConnection) URI.create("http://127.0.0.1:" + port() + "/api/version")
                    .toURL()
                    .openConnection();
            connection.setConnectTimeout(1000);
            connection.setReadTimeout(1000);
            int status = connection.getResponseCode();
            connection.getErrorStream();
            connection.disconnect();
            return status == HttpURLConnection.HTTP_OK;
        } catch (IOException e) {
            return false;
        }
    }

    String name() {
        return contender.name();
    }

    int port() {
        return contender.port();
    }

    long startedNanos() {
        return startedNanos;
    }

    /** Processor time that it has used, all its threads and children, user and kernel; in seconds, to 10 ms. */
    double cpuSeconds() {
        return processes().mapToDouble(RunningProxy::cpuSeconds).sum();
    }

    /** Resident memory of its processes; pages that they share count for each. */
    double residentMiB() {
        return processes().mapToLong(RunningProxy::residentKiB).sum() / 1024.0;
    }

    private Stream<ProcessHandle> processes() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants());
    }

    private static double cpuSeconds(ProcessHandle handle) {
        String stat = read(handle, "stat");
        List<String> fields = Pattern.compile(" ")
                .splitAsStream(stat.substring(stat.lastIndexOf(')') + 2))
                .toList();
        return (Long.parseLong(fields.get(UTIME)) + Long.parseLong(fields.get(STIME))) / TICKS_PER_SECOND;
    }

    private static long residentKiB(ProcessHandle handle) {
        return read(handle, "status")
                .lines()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }

    private static String read(ProcessHandle handle, String file) {
        try {
            return Files.readString(Path.of("/proc/" + handle.pid() + "/" + file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("process " + handle.pid() + " is gone", e);
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> all = processes().toList();
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                all.forEach(ProcessHandle::destroyForcibly);
            }
        } catch (InterruptedException e) {
            all.forEach(ProcessHandle::destroyForcibly);
            Thread.currentThread().interrupt();
        }
    }
}
