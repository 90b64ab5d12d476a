package io.drover.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** What requests notice when Redis, which all of their answers come from, fails while they come at a steady rate. */
final class RedisFaults implements Measurement {
    static final String GROUP = "Redis faults";
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);
    private static final Duration SLICE = Duration.ofMillis(400);

    /** Something that Redis suffers. */
    record Fault(String name, Step strike, Step heal) {}

    /** Does something to Redis. */
    interface Step {
        void run() throws IOException;
    }

    private final List<Fault> faults;
    private final Loops loops;
    private final Duration time;

    /** @param time of the load of each, with three eighths before the fault */
    RedisFaults(List<Fault> faults, Loops loops, Duration time) {
        this.faults = faults;
        this.loops = loops;
        this.time = time;
    }

    @Override
    public String group() {
        return GROUP;
    }

    @Override
    public void warm(RunningProxy proxy) throws IOException {
        for (int i = 0; i < 3; i++) {
            load(proxy, time);
        }
        awaitUse(proxy);
    }

    @Override
    public void measure(RunningProxy proxy, Results results) throws IOException {
        for (Fault fault : faults) {
            RequestLoad.Result well = load(proxy, time);
            CompletableFuture<Void> struck = CompletableFuture.runAsync(
                    () -> run(fault.strike()),
                    CompletableFuture.delayedExecutor(time.toMillis() * 3 / 8, TimeUnit.MILLISECONDS));
            RequestLoad.Result ill = load(proxy, time);
            Futures.get(struck);
            fault.heal().run();
            double again = awaitUse(proxy);
            add(results, fault, "failed", "", 0, proxy, (double) ill.failed());
            double before = Latencies.micros(well.latencies(), 99);
            double during = Latencies.micros(ill.latencies(), 99);
            add(results, fault, "p99 before", "µs", 0, proxy, before);
            add(results, fault, "p99", "µs", 0, proxy, during);
            add(results, fault, "added p99", "µs", 0, proxy, during - before);
            add(results, fault, "longest", "ms", 1, proxy, ill.latencies().getMaxValue() / 1e6);
            add(results, fault, "used again after", "s", 1, proxy, again);
        }
    }

    private static void add(
            Results results, Fault fault, String name, String unit, int decimals, RunningProxy proxy, double value) {
        results.add(Figure.less(GROUP, fault.name() + ": " + name, unit, decimals), proxy.name(), value);
    }

    private RequestLoad.Result load(RunningProxy proxy, Duration duration) {
        return RequestLoad.run(
                loops,
                proxy.port(),
                CachedRequests.CONNECTIONS,
                CachedRequests.RATE,
                duration,
                new Prompts("0", CachedRequests.IN_REDIS));
    }

    /** Seconds until Redis is asked for nearly each answer again; those of the longest wait if it is not. */
    private double awaitUse(RunningProxy proxy) throws IOException {
        long start = System.nanoTime();
        long end = start + LONGEST_WAIT.toNanos();
        double enough = CachedRequests.RATE * SLICE.toMillis() / 1000 * 0.8;
        long now = start;
        while (now < end) {
            long before = RedisServer.lookups();
            load(proxy, SLICE);
            if (RedisServer.lookups() - before >= enough) {
                break;
            }
            now = System.nanoTime();
        }
        return (now - start) / 1e9;
    }

    private static void run(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
