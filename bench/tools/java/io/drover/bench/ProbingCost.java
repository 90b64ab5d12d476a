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

/** What it costs Drover to probe many backends, as often as it does by default and without any requests. */
final class ProbingCost {
    private static final int PORT = 8302;
    private static final int ADMIN_PORT = 9302;
    private static final int FIRST_BACKEND = 7401;
    private static final double MOST_PERCENT = 1;

    /** At a few probes a second the JVM's compilers take minutes to be done. */
    private static final Duration SETTLE = Duration.ofMinutes(4);

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
        double one = percentOfACore(1);
        double all = percentOfACore(count);
        backends.close();
        return new Promise(
                "probing " + count + " backends costs under 1% of a core",
                String.format(
                        Locale.ROOT,
                        "%.2f%% with %d, %.2f%% with one: %.2f%% (%d s each)",
                        all,
                        count,
                        one,
                        all - one,
                        time.toSeconds()),
                all - one < MOST_PERCENT);
    }

    private double percentOfACore(int count) throws IOException {
        String urls = IntStream.range(FIRST_BACKEND, FIRST_BACKEND + count)
                .mapToObj(port -> "\"http://127.0.0.1:" + port + "\"")
                .collect(Collectors.joining(", "));
        Path config = folder.resolve("probing-" + count + ".conf");
        Files.writeString(
                config,
                "drover { listen = \"127.0.0.1:" + PORT + "\", admin.listen = \"127.0.0.1:" + ADMIN_PORT
                        + "\", backends = [ " + urls + " ] }\n");
        Contender contender = new Contender(
                "probing-" + count, PORT, ChaosContenders.droverCommand(root, java, config.toString()), Map.of(), "");
        try (RunningProxy proxy = RunningProxy.start(contender, folder)) {
            children.add(proxy::close);
            proxy.awaitAnswer();
            Pause.of(SETTLE);
            long begun = System.nanoTime();
            double before = proxy.cpuSeconds();
            Pause.of(time);
            return 100 * (proxy.cpuSeconds() - before) / ((System.nanoTime() - begun) / 1e9);
        }
    }
}
