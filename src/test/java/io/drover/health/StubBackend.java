package io.drover.health;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** A backend on a plain server socket: reads the head of each request and lets the script answer. */
final class StubBackend implements AutoCloseable {
    /** What it does with a connection whose request has been read; the stub closes the connection afterwards. */
    interface Script {
        void answer(Socket connection) throws IOException;
    }

    private final ServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger mostOpen = new AtomicInteger();
    private final AtomicInteger leftByPeer = new AtomicInteger();
    private volatile Script script;

    private StubBackend(int port, Script script) {
        this.script = script;
        try {
            server = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
        daemon(this::accept);
    }

    static StubBackend on(int port, Script script) {
        return new StubBackend(port, script);
    }

    static StubBackend answering(String text) {
        return new StubBackend(0, text(text));
    }

    /** Accepts, reads and says nothing until the peer leaves. */
    static StubBackend silent() {
        StubBackend stub = new StubBackend(0, connection -> {});
        stub.become(stub::awaitPeerLeaving);
        return stub;
    }

    static Script text(String text) {
        return connection -> connection.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** One byte at a time, for as long as the peer listens. */
    static Script drip(String start, String forEver, Duration gap) {
        return connection -> {
            text(start).answer(connection);
            while (true) {
                for (byte b : forEver.getBytes(StandardCharsets.US_ASCII)) {
                    LockSupport.parkNanos(gap.toNanos());
                    connection.getOutputStream().write(b);
                }
            }
        };
    }

    void become(Script next) {
        script = next;
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    List<String> requests() {
        return requests;
    }

    int mostOpenAtOnce() {
        return mostOpen.get();
    }

    int leftByPeer() {
        return leftByPeer.get();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket connection = server.accept();
                open.add(connection);
                mostOpen.accumulateAndGet(open.size(), Math::max);
                daemon(() -> serve(connection));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            requests.add(head(connection.getInputStream()));
            script.answer(connection);
        } catch (IOException left) {
            leftByPeer.incrementAndGet();
        } finally {
            open.remove(connection);
        }
    }

    private void awaitPeerLeaving(Socket connection) throws IOException {
        if (connection.getInputStream().read() < 0) {
            leftByPeer.incrementAndGet();
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int b = in.read();
            if (b < 0) {
                throw new IOException("end of input in the head");
            }
            head.append((char) b);
        }
        return head.toString();
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "stub-backend");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        try {
            server.close();
            for (Socket connection : open) {
                connection.close();
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
