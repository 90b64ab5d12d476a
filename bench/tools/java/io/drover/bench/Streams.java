package io.drover.bench;

import java.time.Duration;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** A number of streams at 20 tokens per second each: what a token costs, and how much later it comes. */
final class Streams implements Measurement {
    static final int TOKENS_PER_SECOND = 20;

    /** The name of what no proxy stands in the way of. */
    static final String DIRECT = "direct";

    private static final Duration LONGEST_SETTLE = Duration.ofSeconds(1);
    private static final double[] PERCENTILES = {50, 99, 99.9};
    private static final long LATE_NANOS = 5_000_000;

    private final Loops loops;
    private final ModelServer models;
    private final int directPort;
    private final int count;
    private final Duration window;
    private final Duration settle;
    private final boolean pictured;
    private final Figure cpu;
    private final Figure[] added;
    private final Figure firstToken;
    private final Figure worstGap;

    private double[] direct = new double[PERCENTILES.length];
    private double directFirst;

    /** @param pictured whether the latencies are also drawn */
    Streams(Loops loops, ModelServer models, int directPort, int count, Duration window, boolean pictured) {
        this.loops = loops;
        this.models = models;
        this.directPort = directPort;
        this.count = count;
        this.window = window;
        Duration half = window.dividedBy(2);
        settle = half.compareTo(LONGEST_SETTLE) < 0 ? half : LONGEST_SETTLE;
        this.pictured = pictured;
        cpu = Figure.less(group(), "CPU per token", "µs", 2);
        added = new Figure[] {
            Figure.less(group(), "added latency p50", "µs", 0),
            Figure.less(group(), "added latency p99", "µs", 0),
            Figure.less(group(), "added latency p99.9", "µs", 0)
        };
        firstToken = Figure.less(group(), "added to first token p50", "µs", 0);
        worstGap = Figure.less(group(), "worst gap", "ms", 0);
    }

    @Override
    public String group() {
        return String.format(Locale.ROOT, "%,d streams", count);
    }

    @Override
    public void warm(RunningProxy proxy) {
        try (StreamLoad load = new StreamLoad(loops, proxy.port(), TOKENS_PER_SECOND)) {
            load.open(count, ramp());
            Pause.of(window);
        }
        StreamLoad.awaitNone(models);
    }

    private Duration ramp() {
        return Duration.ofMillis(500 + count * 2L / 3);
    }

    @Override
    public void beginRound(Results results) {
        try (StreamLoad load = new StreamLoad(loops, directPort, TOKENS_PER_SECOND)) {
            load.open(count, ramp());
            Pause.of(settle);
            directFirst = Latencies.micros(load.takeWindow().firstTokens(), 50);
            Pause.of(window);
            Histogram tokens = load.takeWindow().tokens();
            for (int i = 0; i < PERCENTILES.length; i++) {
                direct[i] = Latencies.micros(tokens, PERCENTILES[i]);
            }
            if (pictured) {
                results.addTokenLatencies(DIRECT, tokens);
            }
        }
        StreamLoad.awaitNone(models);
    }

    @Override
    public void measure(RunningProxy proxy, Results results) {
        try (StreamLoad load = new StreamLoad(loops, proxy.port(), TOKENS_PER_SECOND)) {
            load.open(count, ramp());
            Pause.of(settle);
            StreamWindow opening = load.takeWindow();
            models.lateness();
            double before = proxy.cpuSeconds();
            Pause.of(window);
            double used = proxy.cpuSeconds() - before;
            StreamWindow seen = load.takeWindow();
            report(proxy.name(), used, opening, seen, results);
        }
        StreamLoad.awaitNone(models);
        if (models.streams() > 0) {
            results.fail(group(), proxy.name(), "streams go on without their clients");
        }
    }

    private void report(String proxy, double cpuSeconds, StreamWindow opening, StreamWindow seen, Results results) {
        Histogram tokens = seen.tokens();
        opening.failures().forEach(failure -> results.fail(group(), proxy, failure));
        seen.failures().forEach(failure -> results.fail(group(), proxy, failure));
        if (opening.firstTokens().getTotalCount() < count) {
            results.fail(group(), proxy, opening.firstTokens().getTotalCount() + " of " + count + " streams began");
        }
        if (tokens.getTotalCount() == 0) {
            results.fail(group(), proxy, "no token came");
            return;
        }
        results.add(cpu, proxy, cpuSeconds / tokens.getTotalCount() * 1e6);
        for (int i = 0; i < PERCENTILES.length; i++) {
            results.add(added[i], proxy, Latencies.micros(tokens, PERCENTILES[i]) - direct[i]);
        }
        results.add(firstToken, proxy, Latencies.micros(opening.firstTokens(), 50) - directFirst);
        results.add(worstGap, proxy, seen.worstGapMillis());
        long late = models.lateness().getValueAtPercentile(99);
        if (late > LATE_NANOS) {
            results.remark(
                    group(), "the load was late itself: 1% of the tokens by " + late / 1_000_000 + " ms or more");
        }
        if (pictured) {
            results.addTokenLatencies(proxy, tokens);
        }
    }
}
