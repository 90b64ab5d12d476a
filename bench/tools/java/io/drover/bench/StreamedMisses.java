package io.drover.bench;

import java.io.IOException;
import java.util.List;

/** Streams that are kept when they are whole, of prompts that were never asked: as many as a proxy can take. */
final class StreamedMisses implements Measurement {
    private static final String GROUP = "streamed misses, cache in memory";

    private static final int TOKENS = 100;
    /** Tokens per second of each stream: together more than a core relays. */
    private static final int RATE = 2000;
    /** What a cache may answer by itself. */
    private static final double STRAY = 0.01;

    private final CachedRequests.Load load;
    private final List<String> contenders;
    private final Wrk wrk;
    private final Figure most = Figure.more(GROUP, "streams of 100 tokens", "1/s", 0);
    private final Figure cpu = Figure.less(GROUP, "CPU per token", "µs", 2);
    private int series;

    /** @param contenders that take part, by their names */
    StreamedMisses(CachedRequests.Load load, List<String> contenders) {
        this.load = load;
        this.contenders = contenders;
        wrk = new Wrk(load.scripts().resolve("streams.lua"), CachedRequests.CONNECTIONS);
    }

    @Override
    public String group() {
        return GROUP;
    }

    private Wrk.Result run(RunningProxy proxy, int times) throws IOException {
        return wrk.run(
                proxy.port(),
                load.time().multipliedBy(times),
                "streamed" + series++,
                String.valueOf(TOKENS),
                String.valueOf(RATE));
    }

    @Override
    public void warm(RunningProxy proxy) throws IOException {
        if (contenders.contains(proxy.name())) {
            run(proxy, 2);
        }
    }

    @Override
    public void measure(RunningProxy proxy, Results results) throws IOException {
        if (!contenders.contains(proxy.name())) {
            return;
        }
        long computed = load.models().computed();
        double before = proxy.cpuSeconds();
        Wrk.Result result = run(proxy, 1);
        double used = proxy.cpuSeconds() - before;
        results.add(most, proxy.name(), result.requestsPerSecond());
        results.add(cpu, proxy.name(), used / result.requests() / TOKENS * 1e6);
        if (!result.failure().isEmpty()) {
            results.fail(GROUP, proxy.name(), result.failure());
        }
        if (used < 0.9 * load.time().toSeconds()) {
            results.remark(GROUP, proxy.name() + " was not kept busy by the load");
        }
        long asked = load.models().computed() - computed;
        if (asked < (1 - STRAY) * result.requests()) {
            results.fail(GROUP, proxy.name(), asked + " of " + result.requests() + " reached a backend");
        }
    }
}
