package io.drover.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** Small answers over connections that stay open: as many as it can take, and how long they take at 70% of that. */
final class SmallRequests implements Measurement {
    private static final int CONNECTIONS = 128;
    private static final double LOAD = 0.7;
    private static final double WARM_RATE = 5000;

    private final Loops loops;
    private final Wrk wrk;
    private final Duration time;
    private final Figure rate = Figure.more(group(), "at saturation", "1/s", 0);
    private final Figure cpu = Figure.less(group(), "CPU per request", "µs", 2);
    private final Figure p50 = Figure.less(group(), "p50 at 70%", "µs", 0);
    private final Figure p99 = Figure.less(group(), "p99 at 70%", "µs", 0);

    SmallRequests(Loops loops, Path scripts, Duration time) {
        this.loops = loops;
        wrk = new Wrk(scripts.resolve("generate.lua"), CONNECTIONS);
        this.time = time;
    }

    @Override
    public String group() {
        return "small requests";
    }

    @Override
    public void warm(RunningProxy proxy) throws IOException {
        RequestLoad.run(loops, proxy.port(), CONNECTIONS, WARM_RATE, Duration.ofSeconds(1));
    }

    @Override
    public void measure(RunningProxy proxy, Results results) throws IOException {
        double before = proxy.cpuSeconds();
        Wrk.Result most = wrk.run(proxy.port(), time);
        double used = proxy.cpuSeconds() - before;
        if (!most.failure().isEmpty()) {
            results.fail(group(), proxy.name(), most.failure());
        }
        results.add(rate, proxy.name(), most.requestsPerSecond());
        results.add(cpu, proxy.name(), used / most.requests() * 1e6);
        if (used < 0.9 * time.toSeconds()) {
            results.remark(group(), proxy.name() + " was not kept busy by the load");
        }
        RequestLoad.Result steady =
                RequestLoad.run(loops, proxy.port(), CONNECTIONS, LOAD * most.requestsPerSecond(), time);
        if (steady.failure() != null) {
            results.fail(group(), proxy.name(), steady.failure());
        }
        results.add(p50, proxy.name(), Latencies.micros(steady.latencies(), 50));
        results.add(p99, proxy.name(), Latencies.micros(steady.latencies(), 99));
    }
}
