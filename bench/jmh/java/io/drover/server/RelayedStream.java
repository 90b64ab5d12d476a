package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.config.ConfigSource;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An answer that streams through a running Drover with one event loop, and both of its ends: the backend that sends it
 * and the client that reads it. Both are plain blocking sockets used by the caller's thread, and allocate nothing.
 */
final class RelayedStream implements AutoCloseable {
    private static final byte[] REQUEST =
            ascii("POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n" + "{\"model\":\"m\"}");
    private static final byte[] HEAD =
            ascii("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
    private static final byte[] CHUNK = chunk("{\"model\":\"m\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\","
            + "\"message\":{\"role\":\"assistant\",\"content\":\" the\"},\"done\":false}\n");
    private static final byte[] END_OF_HEAD = ascii("\r\n\r\n");

    private static final int READ_MILLIS = 10_000;

    private final ProxyServer server;
    private final Socket backend;
    private final Socket client;
    private final OutputStream from;
    private final InputStream to;
    private final byte[] arrived = new byte[CHUNK.length];

    private RelayedStream(ProxyServer server, Socket backend, Socket client) throws IOException {
        this.server = server;
        this.backend = backend;
        this.client = client;
        from = backend.getOutputStream();
        to = client.getInputStream();
    }

    /**
     * Starts a Drover and begins an answer.
     *
     * @param transport as in the configuration
     * @throws UnsupportedOperationException with the reason, where this transport does not work
     */
    static RelayedStream open(String transport) throws IOException, ConfigException {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ProxyServer server = ProxyServer.start(source(transport, listener.getLocalPort()));
            InetSocketAddress address = server.addresses().get(0);
            Socket client = new Socket(address.getAddress(), address.getPort());
            client.setTcpNoDelay(true);
            client.setSoTimeout(READ_MILLIS);
            client.getOutputStream().write(REQUEST);
            Socket backend = listener.accept();
            backend.setTcpNoDelay(true);
            RelayedStream stream = new RelayedStream(server, backend, client);
            stream.begin();
            return stream;
        }
    }

    private static ConfigSource source(String transport, int port) {
        return new ConfigSource(
                Optional.empty(),
                Map.of(),
                List.of("http://127.0.0.1:" + port),
                Map.of(
                        "listen", "127.0.0.1:0",
                        "admin.listen", "127.0.0.1:0",
                        "event-loops", "1",
                        "transport", transport,
                        "health.active.interval", "0",
                        "access-log.enabled", "false"));
    }

    private void begin() throws IOException {
        from.write(HEAD);
        int matched = 0;
        while (matched < END_OF_HEAD.length) {
            int b = to.read();
            if (b < 0) {
                throw new EOFException("client's connection ended (expected: the answer's head)");
            }
            matched = b == END_OF_HEAD[matched] ? matched + 1 : b == END_OF_HEAD[0] ? 1 : 0;
        }
        pass();
    }

    /** Sends a chunk and waits until the client has all of it. */
    void pass() throws IOException {
        from.write(CHUNK);
        int length = 0;
        while (length < arrived.length) {
            int read = to.read(arrived, length, arrived.length - length);
            if (read < 0) {
                throw new EOFException("client's connection ended (expected: the next chunk)");
            }
            length += read;
        }
    }

    @Override
    public void close() throws IOException {
        client.close();
        backend.close();
        server.close();
    }

    private static byte[] chunk(String payload) {
        return ascii(Integer.toHexString(payload.length()) + "\r\n" + payload + "\r\n");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
