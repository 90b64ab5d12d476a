package io.drover.bench;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.HdrHistogram.Histogram;

/** A connection to Redis that asks one thing at a time, and waits for it (RESP2). One thread. */
final class RedisClient implements AutoCloseable {
    private static final int MILLIS = 2_000;

    private final Socket socket;
    private final InputStream in;

    private RedisClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    static RedisClient connect(int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), MILLIS);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(MILLIS);
        return new RedisClient(socket);
    }

    /** Asks, and waits. @return a status, a number or a value, as text; empty for what is not there */
    String ask(String... words) throws IOException {
        StringBuilder command = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            command.append('$')
                    .append(word.length())
                    .append("\r\n")
                    .append(word)
                    .append("\r\n");
        }
        socket.getOutputStream().write(HttpText.ascii(command.toString()));
        String line = line();
        if (line.startsWith("-")) {
            throw new IOException("Redis says " + line.substring(1) + " to " + words[0]);
        }
        int length = line.startsWith("$") ? Integer.parseInt(line.substring(1)) : -1;
        if (length < 0) {
            return line.startsWith("$") ? "" : line.substring(1);
        }
        String value = new String(in.readNBytes(length), StandardCharsets.ISO_8859_1);
        line();
        return value;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("Redis has closed the connection");
            }
            line.append((char) c);
        }
        return line.toString().strip();
    }

    /** How long it takes to get any one of the values that are there, asked for one after the other. */
    static Histogram roundTrips(int port, Duration time) throws IOException {
        Histogram histogram = Latencies.histogram();
        try (RedisClient client = connect(port)) {
            String key = client.ask("RANDOMKEY");
            long end = System.nanoTime() + time.toNanos();
            for (long now = System.nanoTime(); now < end; ) {
                client.ask("GET", key);
                long after = System.nanoTime();
                Latencies.record(histogram, after - now);
                now = after;
            }
        }
        return histogram;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
