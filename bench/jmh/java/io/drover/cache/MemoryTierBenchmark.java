package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
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

/** Looking for an answer in memory: one that is there, and one that is not. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class MemoryTierBenchmark {
    private static final String WHOLE =
            "{\"model\":\"m\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\",\"response\":"
                    + "\"Yes.\",\"done\":true,\"done_reason\":\"stop\",\"total_duration\":1,\"load_duration\":1,"
                    + "\"prompt_eval_count\":5,\"prompt_eval_duration\":1,\"eval_count\":2,\"eval_duration\":1}";

    /** Answers in memory, all of which there is room for. */
    @Param({"1", "100000"})
    public int answers;

    private final List<CacheKey> keys = new ArrayList<>();
    private final CacheKey absent = key(-1);
    private @Nullable MemoryTier memory;
    private int next;

    @Setup
    public void fill() {
        CacheObserver nobody = new CacheObserver() {
            @Override
            public void onRedisAnswer(long nanos) {}

            @Override
            public void onBreakerOpen() {}

            @Override
            public void onEvicted(Eviction cause, long bytes) {}

            @Override
            public void onWriteDropped() {}

            @Override
            public void onReadFailed() {}
        };
        Freshness freshness = new Freshness(Duration.ofHours(1), Duration.ofHours(24), ZoneOffset.UTC);
        MemoryTier tier = new MemoryTier(256 << 20, freshness, System::currentTimeMillis, nobody, Runnable::run);
        CachedAnswer answer = CachedAnswer.of(
                Endpoint.GENERATE,
                Form.WHOLE,
                "application/json",
                WHOLE.getBytes(StandardCharsets.UTF_8),
                new Origin("m", 0, System.currentTimeMillis()));
        if (answer == null) {
            throw new IllegalStateException("not kept (expected: a complete answer)");
        }
        for (int i = 0; i < answers; i++) {
            keys.add(key(i));
            tier.put(key(i), answer);
        }
        memory = tier;
    }

    private static CacheKey key(int number) {
        byte[] digest = new byte[32];
        ByteBuffer.wrap(digest).putInt(number * 0x9E3779B9);
        return CacheKey.of(digest);
    }

    private MemoryTier memory() {
        if (memory == null) {
            throw new IllegalStateException("no memory (expected: fill() before)");
        }
        return memory;
    }

    @Benchmark
    public @Nullable KeptAnswer hit() {
        next = next + 1 < keys.size() ? next + 1 : 0;
        return memory().find(keys.get(next), Form.WHOLE);
    }

    @Benchmark
    public @Nullable KeptAnswer miss() {
        return memory().find(absent, Form.WHOLE);
    }
}
