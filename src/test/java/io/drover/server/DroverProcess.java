package io.drover.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code drover} command in a JVM of its own, with the options that users run it with. What it says is kept; every
 * wait ends after thirty seconds with what was said until then.
 */
final class DroverProcess implements AutoCloseable {
    private static final long WITHIN_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long LOOK_NANOS = 5_000_000;

    private final Process process;
    private final Text out;
    private final Text err;

    private DroverProcess(Process process) {
        this.process = process;
        out = new Text(process.getInputStream());
        err = new Text(process.getErrorStream());
    }

    /** Everything that came on one stream, read by a thread of its own. */
    private static final class Text {
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();
        private final Thread reader;

        Text(InputStream in) {
            reader = new Thread(() -> read(in), "drover-output");
            reader.setDaemon(true);
            reader.start();
        }

        private void read(InputStream in) {
            try (BufferedReader text = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                for (String line = text.readLine(); line != null; line = text.readLine()) {
                    lines.add(line + "\n");
                }
            } catch (IOException e) {
                lines.add(e + "\n");
            }
        }

        void awaitEnd() throws InterruptedException {
            reader.join(TimeUnit.NANOSECONDS.toMillis(WITHIN_NANOS));
        }

        @Override
        public String toString() {
            return String.join("", lines);
        }
    }

    /** Starts a command in the project's directory, without any {@code DROVER_} variable of the environment's. */
    static DroverProcess start(String... arguments) {
        return start(Map.of(), arguments);
    }

    static DroverProcess start(Map<String, String> environment, String... arguments) {
        return start(List.of("io.drover.server.Main"), environment, arguments);
    }

    /** Starts a jar as users do, with further options of the JVM. */
    static DroverProcess startJar(Path jar, List<String> options, String... arguments) {
        List<String> program = new ArrayList<>(options);
        program.add("-jar");
        program.add(jar.toString());
        return start(program, Map.of(), arguments);
    }

    private static DroverProcess start(List<String> program, Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@conf/jvm.options",
                // The later one counts: leaks are told on standard error.
                "-Dio.netty.leakDetection.level=paranoid"));
        command.addAll(program);
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("DROVER_"));
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        builder.environment().putAll(environment);
        try {
            return new DroverProcess(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for the end and gives the exit code; both streams are complete then. */
    int await() throws InterruptedException {
        if (!process.waitFor(WITHIN_NANOS, TimeUnit.NANOSECONDS)) {
            throw new AssertionError("still running; " + this);
        }
        out.awaitEnd();
        err.awaitEnd();
        return process.exitValue();
    }

    /** Standard output so far. */
    String out() {
        return out.toString();
    }

    /** Standard error so far. */
    String err() {
        return err.toString();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends SIGTERM. */
    void terminate() {
        // Not the destroy() of Process, which closes its streams too.
        process.toHandle().destroy();
    }

    /** Sends SIGHUP. */
    void hangUp() throws IOException, InterruptedException {
        int status = new ProcessBuilder("kill", "-HUP", Long.toString(process.pid()))
                .start()
                .waitFor();
        if (status != 0) {
            throw new AssertionError("kill -HUP ends with " + status);
        }
    }

    /** The port that {@code run} says the proxy listens on, once it does. */
    InetSocketAddress proxy() {
        return address(this::err, "listening on \\[\\S*:(\\d+)\\]");
    }

    /** The port that {@code run} says the admin port is. */
    InetSocketAddress admin() {
        return address(this::err, "admin on \\S*:(\\d+)");
    }

    /** The port in the first group of {@code pattern}, once a stream says it. */
    InetSocketAddress address(Supplier<String> stream, String pattern) {
        Matcher found = await(stream, pattern);
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(found.group(1)));
    }

    /** Waits until a stream says what the pattern describes. */
    Matcher await(Supplier<String> stream, String pattern) {
        Pattern wanted = Pattern.compile(pattern);
        long end = System.nanoTime() + WITHIN_NANOS;
        while (true) {
            boolean alive = process.isAlive();
            Matcher matcher = wanted.matcher(stream.get());
            if (matcher.find()) {
                return matcher;
            }
            if (!alive || System.nanoTime() - end > 0) {
                throw new AssertionError("it did not say " + pattern + "; " + this);
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Ends it by force if it still runs. */
    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public String toString() {
        return "it said on standard output:\n" + out + "and on standard error:\n" + err;
    }
}
