package io.drover.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.HdrHistogram.Histogram;

/**
 * Small requests whose answers may be kept: as many as a proxy can take, and how long they take at a rate that is the same
 * for all. What is a hit and what is not is counted at the backends, and at Redis.
 */
final class CachedRequests implements Measurement {
    /** What is asked for, and where it is to come from. */
    enum Kind {
        MEMORY("hits in memory"),
        REDIS("hits in Redis"),
        MISSES("misses, cache in memory"),
        REDIS_MISSES("misses, cache with Redis");

        private final String group;

        Kind(String group) {
            this.group = group;
        }

        boolean isMiss() {
            return this == MISSES || this == REDIS_MISSES;
        }
    }

    /** What the load is made with. */
    record Load(Loops loops, ModelServer models, Path scripts, Duration time) {}

    /** Requests per second: what every contender can take. */
    static final double RATE = 2000;

    /** Prompts that Redis holds, and a proxy's memory does not. */
    static final int IN_REDIS = 2000;

    static final int CONNECTIONS = 128;
    /** So much of what should be a hit may reach a backend, and the other way round. */
    private static final double STRAY = 0.01;

    private static final int SERIES_LENGTH = 1_000_000;

    private final Kind kind;
    private final Load load;
    private final List<String> contenders;
    private final Wrk wrk;
    private final Figure most;
    private final Figure cpu;
    private final Figure computedAtMost;
    private final Figure computedSteadily;
    private final Figure p50;
    private final Figure p99;
    private final Figure addedP50;
    private final Figure addedP99;
    private int series;

    /** @param contenders that take part, by their names */
    CachedRequests(Kind kind, Load load, List<String> contenders) {
        this.kind = kind;
        this.load = load;
        this.contenders = contenders;
        wrk = new Wrk(script(), CONNECTIONS);
        most = Figure.more(group(), "at saturation", "1/s", 0);
        cpu = Figure.less(group(), "CPU per request", "µs", 2);
        computedAtMost = Figure.less(group(), "of those to a backend", "%", 1);
        computedSteadily = Figure.less(group(), "at 2,000/s: to a backend", "%", 1);
        p50 = Figure.less(group(), "p50 at 2,000/s", "µs", 0);
        p99 = Figure.less(group(), "p99 at 2,000/s", "µs", 0);
        String to = kind.isMiss() ? "added to cache off" : "added to Redis' round trip";
        addedP50 = Figure.less(group(), to + ", p50", "µs", 0);
        addedP99 = Figure.less(group(), to + ", p99", "µs", 0);
    }

    private Path script() {
        return load.scripts().resolve(kind == Kind.MEMORY ? "cached.lua" : "prompts.lua");
    }

    @Override
    public String group() {
        return kind.group;
    }

    private boolean isLeftOut(RunningProxy proxy) {
        return !contenders.contains(proxy.name());
    }

    /** Misses are prompts that were never there. */
    private String nextSeries() {
        return kind.isMiss() ? kind.name() + series++ : "0";
    }

    private int prompts() {
        return switch (kind) {
            case MEMORY -> 1;
            case REDIS -> IN_REDIS;
            case MISSES, REDIS_MISSES -> SERIES_LENGTH;
        };
    }

    @Override
    public void warm(RunningProxy proxy) throws IOException {
        if (isLeftOut(proxy)) {
            return;
        }
        steady(proxy.port());
        wrk.run(proxy.port(), load.time().multipliedBy(2), nextSeries(), String.valueOf(prompts()));
    }

    @Override
    public void measure(RunningProxy proxy, Results results) throws IOException {
        if (isLeftOut(proxy)) {
            return;
        }
        saturate(proxy, results);
        long computed = load.models().computed();
        RequestLoad.Result steady = steady(proxy.port());
        double share =
                (load.models().computed() - computed) / (RATE * load.time().toMillis() / 1000);
        results.add(computedSteadily, proxy.name(), 100 * share);
        check(share, proxy, results);
        if (steady.failed() > 0) {
            String why = Objects.requireNonNullElse(steady.failure(), "not answered");
            results.fail(group(), proxy.name(), steady.failed() + " failed: " + why);
        }
        Histogram seen = steady.latencies();
        results.add(p50, proxy.name(), Latencies.micros(seen, 50));
        results.add(p99, proxy.name(), Latencies.micros(seen, 99));
        if (kind != Kind.MEMORY && !proxy.name().equals(CacheContenders.OFF)) {
            Histogram base = kind == Kind.REDIS
                    ? RedisClient.roundTrips(RedisServer.PORT, load.time())
                    : steady(CacheContenders.OFF_PORT).latencies();
            results.add(addedP50, proxy.name(), Latencies.micros(seen, 50) - Latencies.micros(base, 50));
            results.add(addedP99, proxy.name(), Latencies.micros(seen, 99) - Latencies.micros(base, 99));
            if (kind == Kind.REDIS) {
                results.add(
                        Figure.less(group(), "Redis' own round trip, p50", "µs", 0),
                        proxy.name(),
                        Latencies.micros(base, 50));
                results.add(
                        Figure.less(group(), "Redis' own round trip, p99", "µs", 0),
                        proxy.name(),
                        Latencies.micros(base, 99));
            }
        }
    }

    private void saturate(RunningProxy proxy, Results results) throws IOException {
        long computed = load.models().computed();
        double before = proxy.cpuSeconds();
        Wrk.Result result = wrk.run(proxy.port(), load.time(), nextSeries(), String.valueOf(prompts()));
        double used = proxy.cpuSeconds() - before;
        results.add(most, proxy.name(), result.requestsPerSecond());
        results.add(cpu, proxy.name(), used / result.requests() * 1e6);
        if (!result.failure().isEmpty()) {
            results.fail(group(), proxy.name(), result.failure());
        }
        if (used < 0.9 * load.time().toSeconds()) {
            results.remark(group(), proxy.name() + " was not kept busy by the load");
        }
        double share = (double) (load.models().computed() - computed) / result.requests();
        results.add(computedAtMost, proxy.name(), 100 * share);
        if (kind != Kind.REDIS) {
            check(share, proxy, results);
        }
    }

    /** Whether it was what the group is about. */
    private void check(double share, RunningProxy proxy, Results results) {
        boolean relays = kind.isMiss() || proxy.name().equals(CacheContenders.OFF);
        if (relays ? share < 1 - STRAY : share > STRAY) {
            String found = Math.round(share * 100) + "% of the requests reached a backend";
            if (kind == Kind.REDIS) {
                // A Redis that is late, which on a busy machine it is now and then, is not waited for.
                results.remark(group(), proxy.name() + ": " + found);
            } else {
                results.fail(group(), proxy.name(), found);
            }
        }
    }

    private RequestLoad.Result steady(int port) {
        return RequestLoad.run(
                load.loops(), port, CONNECTIONS, RATE, load.time(), new Prompts(nextSeries(), prompts()));
    }
}
