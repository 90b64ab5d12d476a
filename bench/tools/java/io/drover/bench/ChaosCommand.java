package io.drover.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.LongFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench/chaos}. */
@Command(
        name = "chaos",
        description = "Lets backends fail under load, one after another, and tells what the clients notice.",
        sortOptions = false,
        mixinStandardHelpOptions = true)
final class ChaosCommand implements Callable<Integer> {
    @Option(names = "--quick", description = "Drover alone, with shorter disasters: a minute and a half.")
    private boolean quick;

    @Option(
            names = "--contenders",
            paramLabel = "NAME",
            split = ",",
            description = "Some of: drover, nginx, haproxy. All that are installed, if not given.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--clients", paramLabel = "N", defaultValue = "100", description = "Default: ${DEFAULT-VALUE}")
    private int clients;

    @Option(
            names = "--only",
            paramLabel = "WHAT",
            split = ",",
            description = "Some of: kill, freeze, slow, 500, 503, cut, restart. All, if not given.")
    private List<String> only = new ArrayList<>();

    @Option(
            names = "--noise",
            paramLabel = "TIME",
            description = "Instead: Drover under noisy load so long (90s, 10m), its backends all well.")
    private String noise = "";

    @Option(
            names = "--probing",
            paramLabel = "N",
            description = "Instead: what it costs Drover to probe so many backends. Takes ten minutes.")
    private int probing;

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
            names = "--java",
            paramLabel = "PROGRAM",
            defaultValue = "java",
            description = "Runs Drover. Default: ${DEFAULT-VALUE}")
    private String java = "java";

    @Option(names = "--json", paramLabel = "FILE", description = "For the raw figures.")
    private Optional<Path> json = Optional.empty();

    @Option(names = "--root", hidden = true, description = "Of the project.")
    private Path root = Path.of("");

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        root = root.toAbsolutePath().normalize();
        Path folder = Files.createTempDirectory("drover-chaos");
        ChaosTimes times = new ChaosTimes(Duration.ofSeconds(quick ? 3 : 5));
        ChaosContenders known = new ChaosContenders(root, folder, times);
        List<Promise> promises = new ArrayList<>();
        List<Ordeal> ordeals = new ArrayList<>();
        Map<String, String> machine = new LinkedHashMap<>(Machine.describe());
        machine.remove("wrk");
        try (Children children = new Children()) {
            if (!noise.isEmpty()) {
                promises.add(noise(known, folder, children));
            }
            if (probing > 0) {
                promises.add(new ProbingCost(root, folder, java, children, Duration.ofMinutes(2)).measure(probing));
            }
            if (noise.isEmpty() && probing == 0) {
                List<Disaster> disasters = disasters();
                for (Contender contender : contenders(known)) {
                    machine.put(contender.name(), contender.version());
                    ordeals.addAll(chaos(contender, known, disasters, folder, children));
                }
                promises.addAll(promises(ordeals, times));
            }
        }
        report(machine, ordeals, promises, folder);
        return promises.stream().allMatch(Promise::kept) ? 0 : 1;
    }

    private List<Disaster> disasters() {
        return only.isEmpty()
                ? List.of(Disaster.values())
                : only.stream().map(Disaster::of).toList();
    }

    private List<Contender> contenders(ChaosContenders known) {
        List<String> wanted = !names.isEmpty()
                ? names
                : quick
                        ? List.of(ChaosContenders.DROVER)
                        : List.of(ChaosContenders.DROVER, ChaosContenders.NGINX, ChaosContenders.HAPROXY);
        List<Contender> contenders = new ArrayList<>();
        for (String name : wanted) {
            Optional<Contender> found =
                    switch (name) {
                        case ChaosContenders.DROVER -> Optional.of(known.drover(java));
                        case ChaosContenders.NGINX -> known.nginx(nginx);
                        case ChaosContenders.HAPROXY -> known.haproxy(haproxy);
                        default ->
                            throw new IllegalArgumentException(
                                    "--contenders " + name + " (expected: some of drover, nginx, haproxy)");
                    };
            found.ifPresentOrElse(
                    contenders::add, () -> spec.commandLine().getErr().println(name + " is not installed: left out"));
        }
        return contenders;
    }

    /** What happens to the clients of one proxy; ends before the next one begins. */
    private List<Ordeal> chaos(
            Contender contender, ChaosContenders known, List<Disaster> disasters, Path folder, Children children)
            throws IOException {
        boolean ours = contender.name().equals(ChaosContenders.DROVER);
        try (Stage stage = Stage.set(contender, List.of(), Asking::steady, clients, folder, children);
                HerdWatch watch = HerdWatch.start(ChaosContenders.DROVER_ADMIN)) {
            return new ChaosRun(
                            contender.name(),
                            stage.herd(),
                            stage.clients(),
                            known.refusals(contender),
                            ours ? watch : null,
                            quick,
                            spec.commandLine().getErr())
                    .run(disasters);
        }
    }

    private Promise noise(ChaosContenders known, Path folder, Children children) throws IOException {
        Duration time = duration(noise);
        LongFunction<Asking> asking = Asking::noisy;
        try (Stage stage = Stage.set(known.drover(java), Noise.options(), asking, clients, folder, children);
                HerdWatch watch = HerdWatch.start(ChaosContenders.DROVER_ADMIN)) {
            return Noise.make(stage.herd(), stage.clients(), watch, time).promise(time);
        }
    }

    private static Duration duration(String text) {
        try {
            return Duration.parse("PT" + text.toUpperCase(Locale.ROOT));
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException("--noise " + text + " (expected: such as 90s or 10m)", e);
        }
    }

    private static List<Promise> promises(List<Ordeal> ordeals, ChaosTimes times) {
        List<Ordeal> ours = ordeals.stream()
                .filter(ordeal -> ordeal.proxy().equals(ChaosContenders.DROVER))
                .toList();
        return ours.isEmpty() ? List.of() : Promises.of(ours, times);
    }

    private void report(Map<String, String> machine, List<Ordeal> ordeals, List<Promise> promises, Path folder)
            throws IOException {
        PrintWriter print = spec.commandLine().getOut();
        machine.forEach((name, value) -> print.println("- " + name + ": " + value));
        print.println("- clients: " + clients);
        if (!ordeals.isEmpty()) {
            print.println();
            print.println(ChaosTable.figures(ordeals));
            print.println("What failed or broke:");
            print.println();
            print.println(ChaosTable.reasons(ordeals));
            print.println("What Drover said of the backend:");
            print.println();
            print.print(ChaosTable.states(ordeals));
        }
        print.println();
        print.println(ChaosTable.promises(promises));
        print.println("Logs: " + folder);
        print.flush();
        if (json.isPresent()) {
            ChaosFile.write(json.get(), machine, ordeals, promises);
        }
    }
}
