package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
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

/** What it costs to know the key of a request: a conversation of two messages, and one with an image of a MiB. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class QuestionBenchmark {
    private static final Asked ASKED = new Asked("a".repeat(64), "0.32.15", "");
    private static final String PROSE = "Why is the sky blue, and the \\\"sunset\\\" red?\\n";

    /** Of the body, about. */
    @Param({"2048", "1048576"})
    public int bytes;

    private byte[] body = {};

    @Setup
    public void fill() {
        String content = bytes > 10_000 ? "A".repeat(bytes) : PROSE.repeat((bytes - 250) / PROSE.length());
        body =
                ("{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"system\",\"content\":\"You are brief.\"},{\"role\":\"user\","
                                + "\"content\":\"" + content
                                + "\"}],\"stream\":true,\"keep_alive\":\"10m\",\"think\":false,"
                                + "\"options\":{\"temperature\":0,\"num_ctx\":8192,\"seed\":42,\"stop\":[\"</s>\"]}}")
                        .getBytes(StandardCharsets.UTF_8);
    }

    @Benchmark
    public Reading read() {
        return QuestionReader.read(Endpoint.CHAT, new ByteArrayInputStream(body), ASKED);
    }
}
