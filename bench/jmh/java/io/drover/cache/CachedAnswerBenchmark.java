package io.drover.cache;

import io.drover.ollama.Endpoint;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
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
 * What an answer costs that is kept: reading it when it has come, telling it in another form, and writing it again for one
 * client. It is a stream of Ollama's chat with so many lines.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class CachedAnswerBenchmark {
    private static final String TYPE = "application/x-ndjson";
    private static final Origin ORIGIN = new Origin("llama3.2", 0, 0);
    private static final long SERVED = 1_800_000_000_000L;

    /** Of the stream, with its final record. */
    @Param({"1", "300"})
    public int lines;

    private final RandomGenerator random = new SplittableRandom(1);
    private final ByteBuf out = Unpooled.directBuffer(16 * 1024, 16 * 1024);
    private byte[] body = {};
    private @Nullable CachedAnswer answer;

    @Setup
    public void tell() {
        StringBuilder text = new StringBuilder();
        String head = "{\"model\":\"llama3.2\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\","
                + "\"message\":{\"role\":\"assistant\",\"content\":\"";
        for (int i = 1; i < lines; i++) {
            text.append(head).append(" blue\"},\"done\":false}\n");
        }
        text.append(head)
                .append("\"},\"done\":true,\"done_reason\":\"stop\",\"total_duration\":4883583458,"
                        + "\"load_duration\":1334875,\"prompt_eval_count\":26,\"prompt_eval_duration\":342546000,"
                        + "\"eval_count\":282,\"eval_duration\":4535599000}\n");
        body = text.toString().getBytes(StandardCharsets.UTF_8);
        answer = of();
    }

    @Benchmark
    public CachedAnswer of() {
        CachedAnswer read = CachedAnswer.of(Endpoint.CHAT, Form.STREAM, TYPE, body, ORIGIN);
        if (read == null) {
            throw new IllegalStateException("not kept (expected: a complete answer)");
        }
        return read;
    }

    private CachedAnswer answer() {
        if (answer == null) {
            throw new IllegalStateException("no answer (expected: tell() before)");
        }
        return answer;
    }

    @Benchmark
    public @Nullable CachedAnswer as() {
        return answer().as(Form.WHOLE);
    }

    /** All of it, in pieces as large as a connection is given. */
    @Benchmark
    public long rendering() {
        Rendering rendering = answer().rendering(SERVED, random);
        while (!rendering.isDone()) {
            out.clear();
            rendering.writeTo(out);
        }
        return rendering.length();
    }
}
