package io.drover.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A backend on a plain server socket that plays a script on every connection: exact bytes, exact ends. One thread per
 * connection; {@link #close} ends all and fails if a script did.
 */
public final class RawBackend implements AutoCloseable {
    /** What happens on one connection; the connection is closed when it returns. */
    public interface Script {
        void play(Connection connection) throws Exception;
    }

    /**
     * A request as it came.
     *
     * @param body without its framing
     */
    public record Request(String startLine, List<String> fields, String body) {
        /** All values of a field, its name in any case. */
        public List<String> all(String name) {
            return new RawMessage.Head(startLine, fields).all(name);
        }

        /** The first value of a field, empty if it is absent. */
        public String header(String name) {
            return all(name).stream().findFirst().orElse("");
        }
    }

    private final ServerSocket server;
    private final @Nullable SSLContext tls;
    private final Script script;
    private final AtomicInteger accepted = new AtomicInteger();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private volatile boolean closing;

    private RawBackend(@Nullable SSLContext tls, Script script) throws IOException {
        this.tls = tls;
        this.server = new ServerSocket(0, 512, InetAddress.getLoopbackAddress());
        this.script = script;
    }

    public static RawBackend start(Script script) throws IOException {
        return start(null, script);
    }

    /** Speaks TLS where {@code tls} is given; a client that will not have its certificate plays no script. */
    public static RawBackend start(@Nullable SSLContext tls, Script script) throws IOException {
        RawBackend backend = new RawBackend(tls, script);
        backend.spawn("raw-backend", backend::accept);
        return backend;
    }

    /** Answers every request on every connection with these bytes. */
    public static RawBackend answering(String response) throws IOException {
        return start(connection -> {
            while (connection.hasMore()) {
                connection.readRequest();
                connection.send(response);
            }
        });
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
    }

    public URI url() {
        return URI.create((tls == null ? "http" : "https") + "://127.0.0.1:" + server.getLocalPort());
    }

    public int connectionsAccepted() {
        return accepted.get();
    }

    /** All requests that scripts have read, in order of their reading. */
    public List<Request> requests() {
        return List.copyOf(requests);
    }

    private void accept() {
        while (!closing) {
            try {
                Socket socket = server.accept();
                open.add(socket);
                int number = accepted.incrementAndGet();
                spawn("raw-backend-" + number, () -> play(socket, number));
            } catch (IOException e) {
                if (!closing) {
                    failures.add(e);
                }
                return;
            }
        }
    }

    private void play(Socket socket, int number) {
        try (socket) {
            tell(socket, number);
        } catch (IOException e) {
            failures.add(e);
        } finally {
            open.remove(socket);
        }
    }

    /** Plays the script; that it failed is known before the client can see the close. */
    private void tell(Socket socket, int number) {
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(10_000);
            SSLContext context = tls;
            if (context == null) {
                script.play(new Connection(socket, socket, number));
                return;
            }
            SSLSocket secured = (SSLSocket) context.getSocketFactory().createSocket(socket, null, true);
            if (shakeHands(secured)) {
                script.play(new Connection(socket, secured, number));
                secured.close();
            }
        } catch (Throwable e) {
            if (!closing) {
                failures.add(e);
            }
        }
    }

    private static boolean shakeHands(SSLSocket socket) {
        try {
            socket.startHandshake();
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    private void spawn(String name, Runnable run) {
        Thread thread = new Thread(run, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Stops listening and ends all connections; fails if a script failed before. */
    @Override
    public void close() throws IOException {
        closing = true;
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
        if (!failures.isEmpty()) {
            AssertionError error = new AssertionError("a backend's script failed");
            failures.forEach(error::addSuppressed);
            throw error;
        }
    }

    /** The script's end of one connection. For the script's thread only. */
    public final class Connection {
        private final Socket raw;
        private final Socket socket;
        private final int number;
        private final InputStream in;
        private final RawMessage messages;

        private Connection(Socket raw, Socket socket, int number) throws IOException {
            this.raw = raw;
            this.socket = socket;
            this.number = number;
            this.in = new BufferedInputStream(socket.getInputStream());
            this.messages = new RawMessage(in);
        }

        /** Which connection this is, from 1. */
        public int number() {
            return number;
        }

        /** Waits for a byte; false if the client closed instead. */
        public boolean hasMore() throws IOException {
            in.mark(1);
            try {
                if (in.read() < 0) {
                    return false;
                }
            } catch (SocketException e) {
                return false;
            }
            in.reset();
            return true;
        }

        /** Reads a head and the body it announces. */
        public Request readRequest() throws IOException {
            RawMessage.Head head = messages.readHead();
            String length = head.first("Content-Length").orElse("0");
            byte[] body = head.isChunked() ? messages.readChunked() : messages.readExactly(Integer.parseInt(length));
            return record(head, body);
        }

        /** Reads a head and leaves its body. */
        public Request readHead() throws IOException {
            return record(messages.readHead(), new byte[0]);
        }

        private Request record(RawMessage.Head head, byte[] body) {
            Request request = new Request(head.startLine(), head.fields(), new String(body, StandardCharsets.UTF_8));
            requests.add(request);
            return request;
        }

        public byte[] readExactly(int length) throws IOException {
            return messages.readExactly(length);
        }

        /** Sends characters as bytes (ISO 8859-1), in one write. */
        public void send(String text) throws IOException {
            send(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        public void send(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        }

        /** Sends the same bytes again and again until the client closes; tells how often it took them. */
        public int sendUntilClosed(byte[] bytes, int most) {
            for (int i = 0; i < most; i++) {
                try {
                    send(bytes);
                } catch (IOException e) {
                    return i;
                }
            }
            return most;
        }

        /** Sends one chunk. */
        public void sendChunk(String data) throws IOException {
            send(Integer.toHexString(data.length()) + "\r\n" + data + "\r\n");
        }

        /** Sends a 200 with this body and its length. */
        public void answer(String body) throws IOException {
            send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n"
                    + body);
        }

        /** Waits until a test opens the gate; at most ten seconds. */
        public void await(CountDownLatch gate) throws InterruptedException {
            if (!gate.await(10, TimeUnit.SECONDS)) {
                throw new AssertionError("the gate stayed shut for 10 s");
            }
        }

        /** Reads on until the client closes or resets; what it sends is dropped. */
        public void awaitClientClose() throws IOException {
            try {
                in.transferTo(OutputStream.nullOutputStream());
            } catch (SocketException e) {
                return;
            }
        }

        /** Everything that comes until the client closes or resets, as ISO 8859-1. */
        public String readUntilClose() throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try {
                in.transferTo(bytes);
            } catch (SocketException e) {
                return bytes.toString(StandardCharsets.ISO_8859_1);
            }
            return bytes.toString(StandardCharsets.ISO_8859_1);
        }

        /** Gives what was sent the time to be read before a reset destroys it: until the client is silent for 50 ms. */
        public void hold() throws IOException {
            socket.setSoTimeout(50);
            try {
                in.transferTo(OutputStream.nullOutputStream());
            } catch (SocketTimeoutException e) {
                socket.setSoTimeout(10_000);
            }
        }

        /** Sends FIN and goes on reading. */
        public void finish() throws IOException {
            socket.shutdownOutput();
        }

        public void close() throws IOException {
            socket.close();
        }

        /** Sends FIN as if there were no TLS. */
        public void breakOff() throws IOException {
            raw.shutdownOutput();
        }

        /** Closes with RST. */
        public void reset() throws IOException {
            raw.setSoLinger(true, 0);
            raw.close();
        }
    }
}
