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
import org.openjdk.jmh.annotations.Warmup;

/**
 * What relaying one chunk costs: read, scan, write and flush, through the real pipeline with metrics on, between real
 * sockets. Shows that it allocates nothing: look at {@code gc.alloc.rate.norm}, and at {@code loop.alloc.rate.norm} of
 * {@link LoopAllocation}. The time is that of a round from backend to client, two wake-ups of threads included.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
        value = 1,
        jvmArgs = {"@conf/jvm.options", "-DDROVER_LOG_LEVEL=WARN"})
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class RelayBenchmark {
    /** One that does not work on the machine fails at its start, with the reason; the others go on. */
    @Param({"io_uring", "epoll", "nio"})
    String transport = "";

    private @Nullable RelayedStream stream;

    /**
     * JMH counts what a tear-down allocates to the last iteration. So there is none: the stream is closed when the
     * benchmark's own thread has ended.
     */
    @Setup
    public void open() throws IOException, ConfigException {
        RelayedStream opened = RelayedStream.open(transport);
        stream = opened;
        Thread user = Thread.currentThread();
        new Thread(() -> closeAfter(user, opened), "closer").start();
    }

    private static void closeAfter(Thread user, RelayedStream stream) {
        try (stream) {
            user.join();
        } catch (InterruptedException | IOException e) {
            throw new IllegalStateException("could not end the stream", e);
        }
    }

    @Benchmark
    public void chunk() throws IOException {
        Objects.requireNonNull(stream).pass();
    }
}
