package io.drover.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A new client connection for each request. */
final class Churn implements Measurement {
    private static final int CONNECTIONS = 64;

    private final Wrk wrk;
    private final Duration time;
    private final Figure rate = Figure.more(group(), "requests", "1/s", 0);
    private final Figure cpu = Figure.less(group(), "CPU per request", "µs", 1);

    Churn(Path scripts, Duration time) {
        wrk = new Wrk(scripts.resolve("churn.lua"), CONNECTIONS);
        this.time = time;
    }

    @Override
    public String group() {
        return "connection churn";
    }

    @Override
    public void warm(RunningProxy proxy) throws IOException {
        wrk.run(proxy.port(), time);
    }

    @Override
    public void measure(RunningProxy proxy, Results results) throws IOException {
        double before = proxy.cpuSeconds();
        Wrk.Result result = wrk.run(proxy.port(), time);
        double used = proxy.cpuSeconds() - before;
        if (!result.failure().isEmpty()) {
            results.fail(group(), proxy.name(), result.failure());
        }
        results.add(rate, proxy.name(), result.requestsPerSecond());
        results.add(cpu, proxy.name(), used / result.requests() * 1e6);
    }
}
