package io.drover.server;

import io.drover.config.ConfigException;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What relaying one chunk costs: read, scan, write and flush, through the real pipeline with metrics on, between real
 * sockets. Shows that it allocates nothing: look at {@code gc.alloc.rate.norm}, and at {@code loop.alloc.rate.norm} of
 * {@link LoopAllocation}. The time is that of a round from backend to client, two wake-ups of threads included.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class RelayBenchmark {
    /** One that does not work on the machine fails at its start, with the reason; the others go on. */
    @Param({"io_uring", "epoll", "nio"})
    String transport = "";

    private @Nullable RelayedStream stream;

    @Setup
    public void open() throws IOException, ConfigException {
        stream = RelayedStream.open(transport);
    }

    @TearDown
    public void close() throws IOException {
        Objects.requireNonNull(stream).close();
    }

    @Benchmark
    public void chunk() throws IOException {
        Objects.requireNonNull(stream).pass();
    }
}
