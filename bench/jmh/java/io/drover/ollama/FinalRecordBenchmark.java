package io.drover.ollama;

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
 * What knowing an answer's tokens and durations costs: a copy into the ring for each chunk, which allocates nothing, and
 * reading the final record once per stream, of Ollama's own API and of the events of {@code /v1}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class FinalRecordBenchmark {
    private static final String LINE =
            "{\"model\":\"llama3.2\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\",\"message\":{\"role\":\"assistant\","
                    + "\"content\":\" the\"},\"done\":false}\n";
    private static final String LAST_LINE =
            "{\"model\":\"llama3.2\",\"created_at\":\"2026-08-22T01:48:25.987654321Z\",\"message\":{\"role\":\"assistant\","
                    + "\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"total_duration\":5589157167,"
                    + "\"load_duration\":3013701500,\"prompt_eval_count\":46,\"prompt_eval_duration\":1160282000,"
                    + "\"eval_count\":113,\"eval_duration\":1325948000}\n";
    private static final String EVENT =
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1787363302,\"model\":\"llama3.2\","
                    + "\"system_fingerprint\":\"fp_ollama\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
                    + "\"content\":\" the\"},\"finish_reason\":null}]}\n\n";
    private static final String LAST_EVENTS =
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1787363305,\"model\":\"llama3.2\","
                    + "\"system_fingerprint\":\"fp_ollama\",\"choices\":[],\"usage\":{\"prompt_tokens\":46,"
                    + "\"completion_tokens\":113,\"total_tokens\":159}}\n\ndata: [DONE]\n\n";

    private final ByteBuf line = direct(LINE);
    private final TailRing ring = new TailRing();
    private final TailRing lines = full(LINE, LAST_LINE);
    private final TailRing events = full(EVENT, LAST_EVENTS);

    @Benchmark
    public TailRing append() {
        ring.append(line, 0, line.readableBytes());
        return ring;
    }

    @Benchmark
    public FinalRecord parseLine() {
        return FinalRecord.parse(lines, Endpoint.CHAT);
    }

    @Benchmark
    public FinalRecord parseEvents() {
        return FinalRecord.parse(events, Endpoint.V1_CHAT_COMPLETIONS);
    }

    /** As at the end of a long stream. */
    private static TailRing full(String piece, String end) {
        TailRing ring = new TailRing();
        ByteBuf stream = direct(piece.repeat(TailRing.CAPACITY / piece.length() + 1) + end);
        ring.append(stream, 0, stream.readableBytes());
        stream.release();
        return ring;
    }

    private static ByteBuf direct(String text) {
        return PooledByteBufAllocator.DEFAULT.directBuffer().writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
}
