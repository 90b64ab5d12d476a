package io.drover.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What proving one chunk of a stream costs before it is passed through: one line of NDJSON, whole in its buffer, as
 * Ollama sends it for every token. Shows that the payload is stepped over and nothing allocated.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ChunkedFramingBenchmark {
    private static final String LINE =
            "{\"model\":\"llama3.2\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\",\"message\":{\"role\":\"assistant\","
                    + "\"content\":\" the\"},\"done\":false}\n";

    private final ByteBuf chunk = PooledByteBufAllocator.DEFAULT
            .directBuffer()
            .writeBytes(
                    (Integer.toHexString(LINE.length()) + "\r\n" + LINE + "\r\n").getBytes(StandardCharsets.US_ASCII));
    private final ChunkedFraming framing = new ChunkedFraming(32 * 1024);
    private final ChunkedFraming.Payload payload = this::count;
    private long payloadBytes;

    /** As at the start of a body; each scan then leaves it between two chunks. */
    public ChunkedFramingBenchmark() {
        framing.reset(true);
    }

    @Benchmark
    public long passThrough() throws BadMessageException {
        framing.scan(chunk, payload);
        return payloadBytes + framing.proven();
    }

    private void count(ByteBuf buf, int from, int to) {
        payloadBytes += to - from;
    }
}
