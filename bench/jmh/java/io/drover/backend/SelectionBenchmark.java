package io.drover.backend;

import io.drover.config.DroverConfig.ActiveHealth;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import io.drover.config.DroverConfig.Balance;
import io.drover.config.DroverConfig.DegradedHealth;
import io.drover.config.DroverConfig.Health;
import io.drover.config.DroverConfig.PassiveHealth;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What choosing a backend by least connections costs, the slot's release included: where all are idle, so that they take
 * turns, and where one alone has the least to do. Happens once per request; {@code -t 2} shows it contended.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class SelectionBenchmark {
    private static final Health HEALTH = new Health(
            new ActiveHealth(Duration.ofSeconds(5), Duration.ofSeconds(2), 2, 3),
            new PassiveHealth(3, Duration.ofSeconds(10), Duration.ofMinutes(5), 50),
            new DegradedHealth(25, 5, 30),
            Duration.ofMinutes(1),
            Duration.ZERO);

    @Param({"2", "16"})
    int backends;

    private final LoadBalancer balancer = LoadBalancer.of(Balance.LEAST_CONNECTIONS);
    private final Wanted anything = new Wanted(null, new Tried());
    private final long nowNanos = System.nanoTime();
    private Cluster idle = Cluster.of(List.of());
    private Cluster busyButOne = Cluster.of(List.of());

    @Setup
    public void prepare() {
        idle = herd();
        busyButOne = herd();
        // The last of them is looked at last, so that nothing is found early.
        busyButOne.backends().subList(0, backends - 1).forEach(Backend::acquire);
    }

    @Benchmark
    public @Nullable Slot tied() {
        return select(idle);
    }

    @Benchmark
    public @Nullable Slot oneLeast() {
        return select(busyButOne);
    }

    private @Nullable Slot select(Cluster cluster) {
        Slot slot = balancer.select(cluster, anything, nowNanos);
        if (slot != null) {
            slot.release();
        }
        return slot;
    }

    private Cluster herd() {
        return Cluster.of(IntStream.range(0, backends)
                .mapToObj(SelectionBenchmark::backend)
                .toList());
    }

    private static Backend backend(int index) {
        String authority = "gpu" + index + ":11434";
        BackendConfig config = new BackendConfig(
                URI.create("http://" + authority),
                "gpu" + index,
                1,
                false,
                authority,
                true,
                Optional.empty(),
                BackendTls.DEFAULT);
        Backend backend = new Backend(
                config,
                index,
                HEALTH,
                new EjectionLimit(),
                (changed, from, to, reason) -> {},
                (model, before, now) -> {});
        backend.onProbe(true, "", System.nanoTime());
        return backend;
    }
}
