package io.drover.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Clients that send large bodies, one after the other, and wait for each one's answer. */
final class UploadLoad {
    private static final int CLIENTS = 2;
    private static final int READ_MILLIS = 30_000;
    private static final byte[] PIECE = HttpText.ascii("x".repeat(256 * 1024));

    private final int port;
    private final byte[] head;
    private final byte[] opening;
    private final long length;

    private UploadLoad(int port, byte[] head, byte[] opening, long length) {
        this.port = port;
        this.head = head;
        this.opening = opening;
        this.length = length;
    }

    /** Prompts of {@code length} bytes. */
    static UploadLoad prompts(int port, long length) {
        byte[] opening = HttpText.ascii("{\"model\":\"bench\",\"stream\":false,\"prompt\":\"");
        return new UploadLoad(
                port, HttpText.ascii(HttpText.requestHead("POST", "/api/generate", length)), opening, length);
    }

    /** Blobs of {@code length} bytes. */
    static UploadLoad blobs(int port, long length) {
        String path = "/api/blobs/sha256:" + "0123456789abcdef".repeat(4);
        return new UploadLoad(port, HttpText.ascii(HttpText.requestHead("POST", path, length)), new byte[0], length);
    }

    /**
     * Sends until {@code time} is over and the last one is answered.
     *
     * @return bytes sent, those of heads not counted
     * @throws IOException when a body was not answered with a status of 2xx
     */
    long run(Duration time) throws IOException {
        long end = System.nanoTime() + time.toNanos();
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            List<Future<Long>> sent = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                sent.add(clients.submit((Callable<Long>) () -> client(end)));
            }
            return sent.stream().mapToLong(Futures::get).sum();
        } finally {
            clients.shutdown();
        }
    }

    private long client(long end) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(READ_MILLIS);
            long sent = 0;
            do {
                send(socket.getOutputStream());
                readAnswer(socket.getInputStream());
                sent += length;
            } while (System.nanoTime() < end);
            return sent;
        }
    }

    private void send(OutputStream out) throws IOException {
        out.write(head);
        out.write(opening);
        // The last two bytes end the JSON of a prompt; to a blob they are bytes as any others.
        long left = length - opening.length - 2;
        while (left > 0) {
            int piece = (int) Math.min(PIECE.length, left);
            out.write(PIECE, 0, piece);
            left -= piece;
        }
        out.write(HttpText.ascii("\"}"));
    }

    private static void readAnswer(InputStream in) throws IOException {
        byte[] buffer = new byte[16 * 1024];
        int read = 0;
        while (true) {
            int more = in.read(buffer, read, buffer.length - read);
            if (more < 0) {
                throw new EOFException("the connection ended before the answer to an upload");
            }
            read += more;
            String text = new String(buffer, 0, read, StandardCharsets.US_ASCII);
            int body = text.indexOf("\r\n\r\n");
            if (body >= 0 && read >= body + 4 + contentLength(text)) {
                if (!text.startsWith("HTTP/1.1 2")) {
                    throw new IOException(
                            "answer to an upload: " + text.lines().findFirst().orElse(""));
                }
                return;
            }
        }
    }

    private static int contentLength(String head) throws IOException {
        return head.lines()
                .filter(line -> line.regionMatches(true, 0, "content-length:", 0, 15))
                .findFirst()
                .map(line -> Integer.parseInt(line.substring(15).trim()))
                .orElseThrow(() -> new IOException("an answer without Content-Length: " + head));
    }
}
