package io.drover.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What it costs Drover to probe many backends, as often as it does by default and without any requests: what one with many
 * backends uses more than one with a single backend, both at the same time.
 */
final class ProbingCost {
    private static final int PORT = 8302;
    private static final int ADMIN_PORT = 9302;
    private static final int FIRST_BACKEND = 7401;
    private static final double MOST_PERCENT = 1;

    /** At a few probes a second the JVM's compilers take minutes to be done. */
    private static final Duration SETTLE = Duration.ofMinutes(8);

    private final Path root;
    private final Path folder;
    private final String java;
    private final Children children;
    private final Duration time;

    ProbingCost(Path root, Path folder, String java, Children children, Duration time) {
        this.root = root;
        this.folder = folder;
        this.java = java;
        this.children = children;
        this.time = time;
    }

    Promise measure(int count) throws IOException {
        RunningBackend backends =
                RunningBackend.start(FIRST_BACKEND, List.of("--count", String.valueOf(count)), folder);
        children.add(backends::close);
        try (RunningProxy many = start(count, 0);
                RunningProxy one = start(1, 1)) {
            Pause.of(SETTLE);
            long begunNanos = System.nanoTime();
            double manyBefore = many.cpuSeconds();
            double oneBefore = one.cpuSeconds();
            Pause.of(time);
            double seconds = (System.nanoTime() - begunNanos) / 1e9;
            double manyPercent = 100 * (many.cpuSeconds() - manyBefore) / seconds;
            double onePercent = 100 * (one.cpuSeconds() - oneBefore) / seconds;
            return new Promise(
                    "probing " + count + " backends costs under 1% of a core",
                    String.format(
                            Locale.ROOT,
                            "%.2f%% with %d, %.2f%% with one: %.2f%% (%d s, after %d min)",
                            manyPercent,
                            count,
                            onePercent,
                            manyPercent - onePercent,
                            time.toSeconds(),
                            SETTLE.toMinutes()),
                    manyPercent - onePercent < MOST_PERCENT);
        } finally {
            backends.close();
        }
    }

    /** @param offset of its ports */
    private RunningProxy start(int count, int offset) throws IOException {
        String urls = IntStream.range(FIRST_BACKEND, FIRST_BACKEND + count)
                .mapToObj(port -> "\"http://127.0.0.1:" + port + "\"")
                .collect(Collectors.joining(", "));
        String name = "probing-" + count;
        int port = PORT + offset;
        Path config = folder.resolve(name + ".conf");
        Files.writeString(
                config,
                "drover { listen = \"127.0.0.1:" + port + "\", admin.listen = \"127.0.0.1:" + (ADMIN_PORT + offset)
                        + "\", backends = [ " + urls + " ] }\n");
        List<String> command = ChaosContenders.droverCommand(root, java, config.toString());
        RunningProxy proxy = RunningProxy.start(new Contender(name, port, command, Map.of(), ""), folder);
        children.add(proxy::close);
        return proxy.awaitAnswer();
    }
}
