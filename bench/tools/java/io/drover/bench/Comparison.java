package io.drover.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Goes round: each measurement of each contender in turn, and again, so that all meet the machine in the same moods. */
final class Comparison {
    /** Keeps what was found. */
    interface Saver {
        void save() throws IOException;
    }

    private final List<Contender> contenders;
    private final int core;
    private final Path folder;
    private final int rounds;
    private final PrintWriter progress;
    private final Results results;

    /**
     * @param core all contenders run on it
     * @param folder for what they print
     * @param results gets what was measured
     * @param progress one line per step
     */
    Comparison(List<Contender> contenders, int core, Path folder, int rounds, Results results, PrintWriter progress) {
        this.contenders = contenders;
        this.core = core;
        this.folder = folder;
        this.rounds = rounds;
        this.results = results;
        this.progress = progress;
    }

    /**
     * All contenders run, and one is under load.
     *
     * @param warmUp of each, at first
     * @param afterEach keeps what was found so far, as the next measurement may fail
     */
    void run(WarmUp warmUp, List<Measurement> measurements, Saver afterEach) throws IOException {
        List<RunningProxy> proxies = new ArrayList<>();
        try {
            for (Contender contender : contenders) {
                proxies.add(RunningProxy.start(contender, core, folder).awaitAnswer());
            }
            tell("warm-up");
            for (RunningProxy proxy : proxies) {
                warmUp.run(proxy);
            }
            for (Measurement measurement : measurements) {
                run(measurement, proxies);
                afterEach.save();
            }
        } finally {
            proxies.forEach(RunningProxy::close);
        }
    }

    private void run(Measurement measurement, List<RunningProxy> proxies) throws IOException {
        tell(measurement.group());
        for (RunningProxy proxy : proxies) {
            measurement.warm(proxy);
        }
        List<RunningProxy> order = new ArrayList<>(proxies);
        for (int round = 1; round <= rounds; round++) {
            tell(measurement.group() + ": round " + round + " of " + rounds);
            measurement.beginRound(results);
            for (RunningProxy proxy : order) {
                measurement.measure(proxy, results);
            }
            Collections.rotate(order, 1);
        }
    }

    /** One contender runs at a time, anew in each round. */
    void run(FreshStart measurement) throws IOException {
        List<Contender> order = new ArrayList<>(contenders);
        for (int round = 1; round <= rounds; round++) {
            tell("start and memory: round " + round + " of " + rounds);
            for (Contender contender : order) {
                measurement.measure(contender, results);
            }
            Collections.rotate(order, 1);
        }
    }

    private void tell(String step) {
        progress.println(step);
        progress.flush();
    }
}
