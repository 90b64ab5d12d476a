package io.drover.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The load generator wrk: as many small requests as a proxy can take. */
final class Wrk {
    private static final Pattern RATE = Pattern.compile("Requests/sec:\\s*([\\d.]+)");
    private static final Pattern COUNT = Pattern.compile("(\\d+) requests in");
    private static final Pattern FAILURE = Pattern.compile("Socket errors:.*|Non-2xx.*");

    private final Path script;
    private final int connections;

    /** @param script of {@code bench/wrk} */
    Wrk(Path script, int connections) {
        this.script = script;
        this.connections = connections;
    }

    /** {@code failure}: wrk's own line about requests that failed, or empty. */
    record Result(double requestsPerSecond, long requests, String failure) {}

    /** @param arguments of the script's own */
    Result run(int port, Duration time, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "wrk",
                "-t1",
                "-c" + connections,
                "-d" + time.toSeconds() + "s",
                "-s",
                script.toString(),
                "http://127.0.0.1:" + port,
                "--"));
        command.addAll(List.of(arguments));
        Process wrk = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(wrk.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Matcher rate = RATE.matcher(printed);
        Matcher count = COUNT.matcher(printed);
        if (!rate.find() || !count.find()) {
            throw new IOException("wrk printed no rate: " + printed);
        }
        Matcher failure = FAILURE.matcher(printed);
        return new Result(
                Double.parseDouble(rate.group(1)),
                Long.parseLong(count.group(1)),
                failure.find() ? failure.group() : "");
    }

    static boolean isInstalled() {
        return Programs.find("wrk").isPresent();
    }
}
