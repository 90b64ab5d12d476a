package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig.TransportKind;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The promise of the relay: reading, scanning, writing and flushing a chunk allocates nothing. Measured as what the
 * event loop's thread allocates while many chunks pass, one by one, through the real pipeline with metrics on.
 */
class RelayAllocationTest {
    private static final byte[] REQUEST =
            ascii("POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n" + "{\"model\":\"m\"}");
    private static final byte[] HEAD =
            ascii("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
    private static final byte[] CHUNK = chunk("{\"model\":\"m\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\","
            + "\"message\":{\"role\":\"assistant\",\"content\":\" the\"},\"done\":false}\n");

    /** Rounds until the steady state: what a compiler has not finished with allocates, and says nothing. */
    private static final int ROUNDS = 20;

    private static final int CHUNKS = 10_000;

    /**
     * The loop's own tick, metrics and the like are not per chunk: they stay far below one byte per chunk, while the
     * smallest object costs 16.
     */
    private static final long SPARE_BYTES = CHUNKS;

    private ResourceLeakDetector.Level detection = ResourceLeakDetector.getLevel();

    /** The leak detector records every touch of a buffer, which allocates; every other test has it on. */
    @BeforeEach
    void withoutLeakDetection() {
        detection = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }

    @AfterEach
    void withLeakDetection() {
        ResourceLeakDetector.setLevel(detection);
    }

    /**
     * Netty's own on io_uring, in its handler and not in ours: one capturing lambda for each turn of the loop (16 bytes)
     * and a description of each poll, read and write it submits (three of up to 72), where the compiler does not see
     * through them. Whatever of ours were allocated per chunk would show on epoll, which allows none.
     */
    private static final long IO_URING_BYTES_PER_CHUNK = 232;

    /**
     * The JDK's: its selector looks a descriptor up by an Integer (EPollSelectorImpl.processEvents), which is a new one for
     * each event of a descriptor above 127. Each jar on the class path has one, too.
     */
    private static final long NIO_BYTES_PER_CHUNK = 16;

    private static long notOurs(TransportKind transport) {
        return CHUNKS
                * switch (transport) {
                    case IO_URING -> IO_URING_BYTES_PER_CHUNK;
                    case NIO -> NIO_BYTES_PER_CHUNK;
                    default -> 0;
                };
    }

    static List<TransportKind> transports() {
        return Transport.available();
    }

    @ParameterizedTest
    @MethodSource("transports")
    void relayingOneChunkAllocatesNothing(TransportKind transport) throws Exception {
        try (ServerSocket backend = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
                ProxyServer server = ProxyServer.start(source(transport, backend.getLocalPort()));
                Socket client = connect(server.addresses().get(0))) {
            client.getOutputStream().write(REQUEST);
            try (Socket upstream = backend.accept()) {
                upstream.setTcpNoDelay(true);
                OutputStream from = upstream.getOutputStream();
                from.write(HEAD);
                from.write(CHUNK);
                skipHead(client.getInputStream());
                client.getInputStream().skipNBytes(CHUNK.length);
                long notOurs = notOurs(transport);
                long least = Long.MAX_VALUE;
                for (int round = 0; round < ROUNDS && least >= notOurs + SPARE_BYTES; round++) {
                    long before = allocatedByLoop();
                    pass(from, client.getInputStream());
                    least = Math.min(least, allocatedByLoop() - before);
                }
                assertThat(least)
                        .as("bytes allocated for %d chunks on %s", CHUNKS, transport)
                        .isLessThan(notOurs + SPARE_BYTES);
            }
        }
    }

    /** One chunk at a time: the next is sent only when the last one has arrived. */
    private static void pass(OutputStream from, InputStream to) throws IOException {
        for (int i = 0; i < CHUNKS; i++) {
            from.write(CHUNK);
            to.skipNBytes(CHUNK.length);
        }
    }

    private static void skipHead(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) in.read());
        }
    }

    private static ConfigSource source(TransportKind transport, int port) {
        return new ConfigSource(
                Optional.empty(),
                Map.of(),
                List.of("http://127.0.0.1:" + port),
                Map.of(
                        "listen", "127.0.0.1:0",
                        "admin.listen", "127.0.0.1:0",
                        "event-loops", "1",
                        "transport", transport.name().toLowerCase(Locale.ROOT),
                        "health.active.interval", "0",
                        "access-log.enabled", "false"));
    }

    private static Socket connect(InetSocketAddress address) throws IOException {
        Socket socket = new Socket(address.getAddress(), address.getPort());
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static long allocatedByLoop() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getAllThreadIds())
                .filter(id -> threads.getThreadInfo(id) != null
                        && threads.getThreadInfo(id).getThreadName().startsWith("drover-loop"))
                .map(threads::getThreadAllocatedBytes)
                .sum();
    }

    private static byte[] chunk(String payload) {
        return ascii(Integer.toHexString(payload.length()) + "\r\n" + payload + "\r\n");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
