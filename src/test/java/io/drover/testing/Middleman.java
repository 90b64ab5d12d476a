package io.drover.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Stands between Drover and a Redis: passes everything on, or makes answers late, other than they are, or none. */
public final class Middleman implements AutoCloseable {
    private static final long LOOK_NANOS = 1_000_000;
    private static final byte[] END = new byte[0];

    private final ServerSocket listener;
    private final int redisPort;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Queue<String> commands = new ConcurrentLinkedQueue<>();

    private volatile long delayNanos;
    private volatile boolean holding;
    private volatile @Nullable String answer;
    private volatile @Nullable String stopped;
    private volatile long stoppedCommands;
    private volatile boolean closed;

    private record Late(byte[] bytes, long atNanos) {}

    private Middleman(int redisPort) throws IOException {
        this.redisPort = redisPort;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** In front of this one, passing everything on. */
    public static Middleman before(Redis redis) {
        try {
            Middleman started = new Middleman(redis.port());
            started.background("accept", started::accept);
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String uri() {
        return "redis://127.0.0.1:" + listener.getLocalPort();
    }

    /** Everything goes on at once; so does what was held or stopped. */
    public void pass() {
        answer = null;
        stopped = null;
        holding = false;
        delayNanos = 0;
    }

    /** Answers come so much later. */
    public void delay(Duration by) {
        delayNanos = by.toNanos();
    }

    /** No answer comes. */
    public void hold() {
        holding = true;
    }

    /** Commands do not reach Redis: each is answered with this text instead, as it stands. */
    public void answer(String text) {
        answer = text;
    }

    /** A command with this text in it does not reach Redis, nor what follows on its connection. */
    public void stop(String text) {
        stopped = text;
    }

    /** How many connections {@link #stop} holds up. */
    public long stopped() {
        return stoppedCommands;
    }

    /** How many commands have come with this text in them. */
    public long count(String text) {
        return commands.stream().filter(command -> command.contains(text)).count();
    }

    private void background(String name, IoTask task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException ended) {
                        // One of the two has closed, or the test has.
                    }
                },
                "middleman-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    private interface IoTask {
        void run() throws IOException;
    }

    private void accept() throws IOException {
        while (!closed) {
            Socket client = listener.accept();
            background("connection", () -> connect(client));
        }
    }

    private void connect(Socket client) throws IOException {
        sockets.add(client);
        Socket redis;
        try {
            redis = new Socket(InetAddress.getLoopbackAddress(), redisPort);
        } catch (IOException away) {
            client.close();
            throw away;
        }
        sockets.add(redis);
        BlockingQueue<Late> late = new LinkedBlockingQueue<>();
        background("commands", () -> closing(client, redis, () -> pumpCommands(client, redis, late)));
        background("redis", () -> closing(client, redis, () -> pumpAnswers(redis, late)));
        background("answers", () -> closing(client, redis, () -> tell(client, late)));
    }

    private static void closing(Socket client, Socket redis, IoTask task) throws IOException {
        try (client;
                redis) {
            task.run();
        }
    }

    private void pumpCommands(Socket client, Socket redis, Queue<Late> late) throws IOException {
        InputStream in = new BufferedInputStream(client.getInputStream());
        OutputStream out = redis.getOutputStream();
        try {
            while (true) {
                byte[] command = readCommand(in);
                String text = new String(command, StandardCharsets.ISO_8859_1);
                commands.add(text);
                awaitStart(text);
                String own = answer;
                if (own == null) {
                    out.write(command);
                } else {
                    late.add(new Late(own.getBytes(StandardCharsets.ISO_8859_1), System.nanoTime()));
                }
            }
        } finally {
            late.add(new Late(END, System.nanoTime()));
        }
    }

    private void awaitStart(String command) {
        String text = stopped;
        if (text != null && command.contains(text)) {
            synchronized (this) {
                stoppedCommands++;
            }
            while (stopped != null && !closed) {
                LockSupport.parkNanos(LOOK_NANOS);
            }
            synchronized (this) {
                stoppedCommands--;
            }
        }
    }

    private static byte[] readCommand(InputStream in) throws IOException {
        ByteArrayOutputStream command = new ByteArrayOutputStream();
        int words = number(in, command);
        for (int i = 0; i < words; i++) {
            int length = number(in, command);
            command.write(in.readNBytes(length + 2));
        }
        return command.toByteArray();
    }

    /** Reads a line such as {@code *3}. */
    private static int number(InputStream in, ByteArrayOutputStream copy) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException();
            }
            copy.write(c);
            line.append((char) c);
        }
        copy.write('\n');
        return Integer.parseInt(line.substring(1).strip());
    }

    private static void pumpAnswers(Socket redis, Queue<Late> late) throws IOException {
        byte[] buffer = new byte[64 * 1024];
        InputStream in = redis.getInputStream();
        try {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                late.add(new Late(Arrays.copyOf(buffer, read), System.nanoTime()));
            }
        } finally {
            late.add(new Late(END, System.nanoTime()));
        }
    }

    private void tell(Socket client, BlockingQueue<Late> late) throws IOException {
        OutputStream out = client.getOutputStream();
        try {
            for (Late next = late.take(); next.bytes().length > 0; next = late.take()) {
                while (!closed && (holding || System.nanoTime() - next.atNanos() < delayNanos)) {
                    LockSupport.parkNanos(LOOK_NANOS);
                }
                out.write(next.bytes());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            listener.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
