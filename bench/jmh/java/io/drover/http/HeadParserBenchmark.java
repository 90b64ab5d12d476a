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
 * What parsing a head costs that arrives in one piece: a request as ollama-python sends it, and the answer of an Ollama
 * server to it. Shows that a connection's parser allocates nothing from its second message on.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class HeadParserBenchmark {
    private static final String REQUEST = String.join(
            "\r\n",
            "POST /api/chat HTTP/1.1",
            "Host: drover.example.com:8080",
            "Accept: application/json",
            "Accept-Encoding: gzip, deflate",
            "Connection: keep-alive",
            "Content-Type: application/json",
            "User-Agent: ollama-python/0.6.2 (x86_64 linux) Python/3.12.3",
            "Content-Length: 1834",
            "\r\n");
    private static final String RESPONSE = String.join(
            "\r\n",
            "HTTP/1.1 200 OK",
            "Content-Type: application/x-ndjson",
            "Date: Sat, 22 Aug 2026 01:48:22 GMT",
            "Transfer-Encoding: chunked",
            "\r\n");

    private static final int MAX_BYTES = 32 * 1024;
    private static final int MAX_FIELDS = 128;

    private final HeadParser requests = HeadParser.ofRequests(MAX_BYTES, MAX_FIELDS);
    private final HeadParser responses = HeadParser.ofResponses(MAX_BYTES, MAX_FIELDS);
    private final MessageHead head = new MessageHead();
    private final ByteBuf request = direct(REQUEST);
    private final ByteBuf response = direct(RESPONSE);

    @Benchmark
    public boolean request() throws BadMessageException {
        return parse(requests, request);
    }

    @Benchmark
    public boolean response() throws BadMessageException {
        return parse(responses, response);
    }

    private boolean parse(HeadParser parser, ByteBuf bytes) throws BadMessageException {
        bytes.readerIndex(0);
        parser.reset(head);
        return parser.parse(bytes, head);
    }

    private static ByteBuf direct(String text) {
        return PooledByteBufAllocator.DEFAULT.directBuffer().writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
}
