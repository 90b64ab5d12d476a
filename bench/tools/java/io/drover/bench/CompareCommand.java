package io.drover.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench/compare}. */
@Command(
        name = "compare",
        description = "Measures Drover beside other proxies, each on one core, in turns.",
        sortOptions = false,
        mixinStandardHelpOptions = true)
final class CompareCommand implements Callable<Integer> {
    private static final int STREAMS_PICTURED = 1000;
    private static final Set<String> PROXIES = Set.of("requests", "streams", "capacity", "churn", "uploads", "start");
    private static final Set<String> CACHES = Set.of("cache", "faults");
    /** Not for a short look. */
    private static final Set<String> LONG = Set.of("capacity", "cache", "faults");

    @Option(names = "--quick", description = "A short look, before and after a change: under two minutes.")
    private boolean quick;

    @Option(names = "--rounds", paramLabel = "N", description = "Times that each is measured (5; quick: 2).")
    private int rounds;

    @Option(
            names = "--only",
            paramLabel = "WHAT",
            split = ",",
            description =
                    "Some of: requests, streams, capacity, churn, uploads, start, cache, faults. All, if not given;"
                            + " --quick leaves out capacity, cache and faults then.")
    private Set<String> only = new TreeSet<>();

    @Option(names = "--streams", paramLabel = "N", split = ",", description = "Numbers of streams to measure.")
    private List<Integer> streams = new ArrayList<>();

    @Option(
            names = "--peer",
            paramLabel = "NAME=PORT:COMMAND",
            description = "Another proxy: it listens at 127.0.0.1:PORT and has 127.0.0.1:7101 and :7102 as backends.")
    private List<String> peers = new ArrayList<>();

    @Option(
            names = "--nginx",
            paramLabel = "PROGRAM",
            defaultValue = "nginx",
            description = "Default: ${DEFAULT-VALUE}")
    private String nginx = "nginx";

    @Option(
            names = "--haproxy",
            paramLabel = "PROGRAM",
            defaultValue = "haproxy",
            description = "Default: ${DEFAULT-VALUE}")
    private String haproxy = "haproxy";

    @Option(
            names = "--redis",
            paramLabel = "PROGRAM",
            defaultValue = "redis-server",
            description = "Default: ${DEFAULT-VALUE}")
    private String redis = "redis-server";

    @Option(
            names = "--node",
            paramLabel = "PROGRAM",
            defaultValue = "node",
            description = "Runs the gateway with Redis in front. Default: ${DEFAULT-VALUE}")
    private String node = "node";

    @Option(
            names = "--java",
            paramLabel = "PROGRAM",
            defaultValue = "java",
            description = "Runs Drover. Default: ${DEFAULT-VALUE}")
    private String java = "java";

    @Option(
            names = "--transports",
            paramLabel = "NAME",
            split = ",",
            description = "Of Drover (auto,epoll; quick: auto).")
    private List<String> transports = new ArrayList<>();

    @Option(names = "--core", defaultValue = "0", description = "Where the proxies run. Default: ${DEFAULT-VALUE}")
    private int core;

    @Option(names = "--out", paramLabel = "FOLDER", description = "For the figures and pictures (target/bench).")
    private Path out = Path.of("target/bench");

    @Option(names = "--root", hidden = true, description = "Of the project.")
    private Path root = Path.of("");

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        if (!Wrk.isInstalled()) {
            err.println("compare: wrk is not installed (expected: on the PATH; Debian's package wrk has it)");
            return 1;
        }
        root = root.toAbsolutePath().normalize();
        Path folder = Files.createTempDirectory("drover-bench");
        Files.createDirectories(folder.resolve("logs"));
        Results results = new Results();
        List<Contender> contenders = new ArrayList<>();
        Comparison.Saver saver = () -> save(contenders, results);
        int status = 0;
        try (Loops loops = Loops.start(Math.max(1, Runtime.getRuntime().availableProcessors()));
                ModelServer models = ModelServer.start(loops, Contenders.BACKENDS)) {
            if (wanted(PROXIES)) {
                contenders.addAll(contenders(folder, err));
                run(new Comparison(contenders, core, folder, rounds(), results, err), loops, models, folder, saver);
            }
            if (wanted(CACHES)) {
                runCaches(loops, models, folder, new Caches(contenders, results, saver, err));
            }
        } catch (IOException | UncheckedIOException | IllegalStateException e) {
            // Half an hour's figures are not thrown away for what comes last.
            err.println("compare: broken off: " + e.getMessage());
            status = 1;
        }
        report(contenders, results);
        saver.save();
        return status;
    }

    /** What the groups about the cache share with the others. */
    private record Caches(List<Contender> contenders, Results results, Comparison.Saver saver, PrintWriter err) {}

    private void runCaches(Loops loops, ModelServer models, Path folder, Caches caches) throws IOException {
        CacheComparison.Rounds goRound = (contenders, measurements) -> {
            for (Contender contender : contenders) {
                if (caches.contenders().stream().noneMatch(known -> known.name().equals(contender.name()))) {
                    caches.contenders().add(contender);
                }
            }
            new Comparison(contenders, core, folder, rounds(), caches.results(), caches.err())
                    .run(
                            new WarmUp(scripts().resolve("generate.lua"), Duration.ofSeconds(quick ? 3 : 20)),
                            measurements,
                            caches.saver());
        };
        CacheComparison comparison = new CacheComparison(
                new CacheContenders(root, folder, java),
                new CacheComparison.Peers(nginx, redis, node),
                new CachedRequests.Load(loops, models, scripts(), time()),
                folder,
                caches.err(),
                goRound);
        if (wanted("cache")) {
            comparison.requests();
        }
        if (wanted("faults")) {
            comparison.faults();
        }
    }

    private void run(Comparison comparison, Loops loops, ModelServer models, Path folder, Comparison.Saver saver)
            throws IOException {
        List<Measurement> measurements = measurements(loops, models);
        if (!measurements.isEmpty()) {
            WarmUp warmUp = new WarmUp(scripts().resolve("generate.lua"), Duration.ofSeconds(quick ? 12 : 30));
            comparison.run(warmUp, measurements, saver);
        }
        if (wanted("start")) {
            int[] open = quick ? new int[] {1000} : new int[] {1000, 9000};
            comparison.run(new FreshStart(loops, models, core, folder, time(), open));
        }
    }

    private List<Contender> contenders(Path folder, PrintWriter err) {
        Contenders known = new Contenders(root, folder, java);
        List<String> ours = !transports.isEmpty() ? transports : quick ? List.of("auto") : List.of("auto", "epoll");
        List<Contender> contenders = new ArrayList<>(known.drovers(ours));
        known.nginx(nginx).ifPresentOrElse(contenders::add, () -> err.println("nginx is not installed: left out"));
        known.haproxy(haproxy)
                .ifPresentOrElse(contenders::add, () -> err.println("haproxy is not installed: left out"));
        peers.forEach(peer -> contenders.add(Contenders.other(peer)));
        return contenders;
    }

    private int rounds() {
        return rounds > 0 ? rounds : quick ? 2 : 5;
    }

    private boolean wanted(String what) {
        return only.isEmpty() ? !(quick && LONG.contains(what)) : only.contains(what);
    }

    private boolean wanted(Set<String> some) {
        return some.stream().anyMatch(this::wanted);
    }

    private List<Measurement> measurements(Loops loops, ModelServer models) {
        Duration time = time();
        List<Measurement> list = new ArrayList<>();
        if (wanted("requests")) {
            list.add(new SmallRequests(loops, scripts(), time));
        }
        if (wanted("streams")) {
            for (int count : counts()) {
                list.add(
                        new Streams(loops, models, Contenders.BACKENDS.get(0), count, time, count == STREAMS_PICTURED));
            }
        }
        if (wanted("capacity")) {
            list.add(new Capacity(models, Duration.ofSeconds(3)));
        }
        if (wanted("churn")) {
            list.add(new Churn(scripts(), time));
        }
        if (wanted("uploads")) {
            list.add(Uploads.prompts(time.dividedBy(2)));
            list.add(Uploads.blobs(time.dividedBy(2)));
        }
        return list;
    }

    private Duration time() {
        return Duration.ofSeconds(quick ? 1 : 4);
    }

    private Path scripts() {
        return root.resolve("bench/wrk");
    }

    private List<Integer> counts() {
        return !streams.isEmpty() ? streams : quick ? List.of(STREAMS_PICTURED) : List.of(100, STREAMS_PICTURED, 2500);
    }

    private void report(List<Contender> contenders, Results results) {
        PrintWriter print = spec.commandLine().getOut();
        machine().forEach((name, value) -> print.println("- " + name + ": " + value));
        contenders.forEach(contender -> print.println("- " + contender.name() + ": " + contender.version()));
        print.println(new Table(results, contenders).render());
        print.println("Raw figures and pictures: " + out.toAbsolutePath());
        print.flush();
    }

    private Map<String, String> machine() {
        Map<String, String> machine = new LinkedHashMap<>(Machine.describe());
        machine.put("rounds", String.valueOf(rounds()));
        return machine;
    }

    private void save(List<Contender> contenders, Results results) throws IOException {
        Files.createDirectories(out);
        ResultFile.write(out.resolve("figures.json"), machine(), contenders, results);
        Files.writeString(out.resolve("table.md"), new Table(results, contenders).render());
        Files.writeString(out.resolve("figures.svg"), new BarChart(results, contenders).draw(pictured(results)));
        if (!results.tokenLatencies().isEmpty()) {
            List<String> names = new ArrayList<>();
            contenders.forEach(contender -> names.add(contender.name()));
            names.add(Streams.DIRECT);
            Files.writeString(
                    out.resolve("latency.svg"),
                    new LatencyChart().draw("Latency of a token, 1,000 streams", names, results.tokenLatencies()));
        }
    }

    private static List<Figure> pictured(Results results) {
        Set<String> names = Set.of(
                "at saturation",
                "CPU per token",
                "without a stall",
                "requests",
                "rate",
                "1,000 streams",
                "added latency p99");
        return results.figures().stream()
                .filter(figure -> names.contains(figure.name()))
                .toList();
    }
}
