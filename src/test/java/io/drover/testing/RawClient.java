package io.drover.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A client on a plain socket: sends exactly the given bytes and reads what comes, with ten seconds for every read
 * unless told otherwise. For one thread. An I/O error, a time-out too, is an {@link UncheckedIOException}.
 */
public final class RawClient implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final RawMessage messages;
    private boolean headRequest;

    private RawClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
        this.messages = new RawMessage(in);
    }

    /** A response's head as it came. */
    public record Head(String statusLine, List<String> fields) {
        public Head {
            fields = List.copyOf(fields);
        }

        public int status() {
            return Integer.parseInt(statusLine.split(" ")[1]);
        }

        /** All values of a field, its name in any case. */
        public List<String> all(String name) {
            return new RawMessage.Head(statusLine, fields).all(name);
        }

        /** The first value of a field, empty if it is absent. */
        public String header(String name) {
            return all(name).stream().findFirst().orElse("");
        }

        public boolean has(String name) {
            return !all(name).isEmpty();
        }

        public boolean isChunked() {
            return header("Transfer-Encoding").equalsIgnoreCase("chunked");
        }
    }

    /** A whole response, its body without framing. */
    public record Response(Head head, String body) {
        public int status() {
            return head.status();
        }

        public String header(String name) {
            return head.header(name);
        }
    }

    private interface Action<T> {
        T run() throws IOException;
    }

    private static <T> T unchecked(Action<T> action) {
        try {
            return action.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Connects, with TCP_NODELAY. */
    public static RawClient connect(InetSocketAddress address) {
        return connect(address, 0);
    }

    /** @param source the client's own address: any of 127.0.0.0/8 for a proxy on loopback */
    public static RawClient connectFrom(String source, InetSocketAddress address) {
        return connect(address, new InetSocketAddress(source, 0), 0);
    }

    /** @param receiveBuffer bytes; small for a client that is to be slow; 0: the system's default */
    public static RawClient connect(InetSocketAddress address, int receiveBuffer) {
        return connect(address, null, receiveBuffer);
    }

    private static RawClient connect(InetSocketAddress address, @Nullable InetSocketAddress source, int receiveBuffer) {
        return unchecked(() -> {
            Socket socket = new Socket();
            if (source != null) {
                socket.bind(source);
            }
            socket.setTcpNoDelay(true);
            if (receiveBuffer > 0) {
                socket.setReceiveBufferSize(receiveBuffer);
            }
            socket.connect(address, 10_000);
            socket.setSoTimeout(10_000);
            return new RawClient(socket);
        });
    }

    /** Connects and speaks TLS, in one of these versions. */
    public static RawClient connect(InetSocketAddress address, SSLContext tls, String... versions) {
        return connect(address, "", tls, versions);
    }

    /** @param before sent as it is before TLS begins */
    public static RawClient connect(InetSocketAddress address, String before, SSLContext tls, String... versions) {
        return unchecked(() -> {
            Socket raw = connect(address).send(before).socket;
            SSLSocket socket =
                    (SSLSocket) tls.getSocketFactory().createSocket(raw, "localhost", address.getPort(), true);
            socket.setEnabledProtocols(versions);
            socket.startHandshake();
            return new RawClient(socket);
        });
    }

    /** What TLS has agreed upon. */
    public SSLSession session() {
        return ((SSLSocket) socket).getSession();
    }

    /** How long a read may take from now on. */
    public RawClient within(Duration deadline) {
        return unchecked(() -> {
            socket.setSoTimeout((int) deadline.toMillis());
            return this;
        });
    }

    /** Sends characters as bytes (ISO 8859-1). */
    public RawClient send(String text) {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    public RawClient send(byte[] bytes) {
        return unchecked(() -> {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
            return this;
        });
    }

    /**
     * Sends the same bytes again and again until the other side takes none of them for so long.
     *
     * @return bytes that were sent, at least; up to {@code most}
     */
    public long sendUntilStuck(byte[] bytes, Duration silence, long most) {
        AtomicLong sent = new AtomicLong();
        Thread sender = new Thread(() -> {
            try {
                while (sent.get() < most) {
                    send(bytes);
                    sent.addAndGet(bytes.length);
                }
            } catch (UncheckedIOException e) {
                // It was closed: by the test, or by the other side, which then has stopped reading too.
                sent.addAndGet(0);
            }
        });
        sender.setDaemon(true);
        sender.start();
        long before = -1;
        while (before != sent.get() && sent.get() < most) {
            before = sent.get();
            LockSupport.parkNanos(silence.toNanos());
        }
        return sent.get();
    }

    /** Sends every byte on its own. */
    public RawClient sendSplit(String text) {
        for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) {
            send(new byte[] {b});
        }
        return this;
    }

    /** Sends a whole request with Host, Content-Length and the given further header lines. */
    public RawClient request(String method, String uri, String body, String... headers) {
        headRequest = method.equals("HEAD");
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        StringBuilder head = new StringBuilder(method + " " + uri + " HTTP/1.1\r\n");
        head.append("Host: ").append(authority()).append("\r\n");
        for (String header : headers) {
            head.append(header).append("\r\n");
        }
        if (bytes.length > 0 || method.equals("POST")) {
            head.append("Content-Length: ").append(bytes.length).append("\r\n");
        }
        byte[] start = head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
        byte[] all = new byte[start.length + bytes.length];
        System.arraycopy(start, 0, all, 0, start.length);
        System.arraycopy(bytes, 0, all, start.length, bytes.length);
        return send(all);
    }

    private String authority() {
        InetSocketAddress remote = (InetSocketAddress) socket.getRemoteSocketAddress();
        return remote.getAddress().getHostAddress() + ":" + remote.getPort();
    }

    /** Reads one head, an informational one too. */
    public Head readHead() {
        return unchecked(() -> {
            RawMessage.Head head = messages.readHead();
            return new Head(head.startLine(), head.fields());
        });
    }

    /** Reads the body that a head announces, without its framing; with none it ends with the connection. */
    public byte[] readBody(Head head) {
        int status = head.status();
        if (headRequest || status < 200 || status == 204 || status == 304) {
            return new byte[0];
        }
        return unchecked(() -> {
            if (head.isChunked()) {
                return messages.readChunked();
            }
            String length = head.header("Content-Length");
            return length.isEmpty() ? readUntilClose() : messages.readExactly(Integer.parseInt(length));
        });
    }

    /** Reads one response; informational ones before it are skipped. */
    public Response readResponse() {
        Head head = readHead();
        while (head.status() < 200) {
            head = readHead();
        }
        return new Response(head, new String(readBody(head), StandardCharsets.UTF_8));
    }

    /** Sends a request and reads its response. */
    public Response exchange(String method, String uri, String body, String... headers) {
        return request(method, uri, body, headers).readResponse();
    }

    /** The data of one chunk; empty for the last one, whose trailers are read too. */
    public String readChunk() {
        return unchecked(() -> new String(messages.readChunk(new ArrayList<>()), StandardCharsets.UTF_8));
    }

    /** The data of all chunks that are left, one by one. */
    public List<String> readChunks() {
        List<String> chunks = new ArrayList<>();
        for (String chunk = readChunk(); !chunk.isEmpty(); chunk = readChunk()) {
            chunks.add(chunk);
        }
        return chunks;
    }

    /** A line without its CR LF. */
    public String readLine() {
        return unchecked(messages::readLine);
    }

    public byte[] readExactly(int length) {
        return unchecked(() -> messages.readExactly(length));
    }

    /** All bytes until the other side closes; a reset is an error. */
    public byte[] readUntilClose() {
        return unchecked(in::readAllBytes);
    }

    /** Fails unless the other side resets, now or behind further bytes. */
    public void readUntilReset() {
        int next = nextByte();
        while (next >= 0) {
            next = nextByte();
        }
        if (next != RESET) {
            throw new AssertionError("no reset but " + next + " (-1: closed, -3: still open)");
        }
    }

    /** Fails unless the other side closes, or resets, without a further byte. */
    public void expectClosed() {
        int next = nextByte();
        if (next != CLOSED && next != RESET) {
            throw new AssertionError(next == SILENT ? "still open" : "a further byte: " + next + " (expected: closed)");
        }
    }

    /** Fails unless the other side resets without a further byte. */
    public void expectReset() {
        int next = nextByte();
        if (next != RESET) {
            throw new AssertionError("no reset but " + next + " (-1: closed, -3: still open)");
        }
    }

    /** Fails if a byte or the close comes within this time. */
    public void expectSilence(Duration during) {
        within(during);
        int next = nextByte();
        within(Duration.ofSeconds(10));
        if (next != SILENT) {
            throw new AssertionError("not silent: " + next + " (-1: closed, -2: reset)");
        }
    }

    private static final int CLOSED = -1;
    private static final int RESET = -2;
    private static final int SILENT = -3;

    private int nextByte() {
        try {
            return in.read();
        } catch (SocketTimeoutException e) {
            return SILENT;
        } catch (SocketException e) {
            return RESET;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends FIN and goes on reading. */
    public RawClient finish() {
        return unchecked(() -> {
            socket.shutdownOutput();
            return this;
        });
    }

    /** Closes before its time: what {@link #close} does, within a try-with-resources. */
    public void hangUp() {
        close();
    }

    /** Closes with RST. */
    public void reset() {
        unchecked(() -> {
            socket.setSoLinger(true, 0);
            socket.close();
            return this;
        });
    }

    public InetSocketAddress localAddress() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    @Override
    public void close() {
        unchecked(() -> {
            socket.close();
            return this;
        });
    }
}
