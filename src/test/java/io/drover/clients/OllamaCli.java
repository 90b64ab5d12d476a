package io.drover.clients;

import io.drover.testing.RawClient;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What the {@code ollama} command sends, byte by byte as version 0.32.15 does: its paths joined onto that of
 * {@code OLLAMA_HOST}, all requests of a command on one connection. For one thread.
 */
final class OllamaCli implements AutoCloseable {
    private static final int PIECE = 32 * 1024;

    private final RawClient connection;
    private final String authority;
    private final String path;

    /** @param path of {@code OLLAMA_HOST}, such as {@code /key/SECRET}, or empty */
    OllamaCli(InetSocketAddress address, String path) {
        this.connection = RawClient.connect(address);
        this.authority = "127.0.0.1:" + address.getPort();
        this.path = path;
    }

    /** Asks whether somebody listens, as nearly every command does first. */
    RawClient.Head heartbeat() {
        return connection.send(head("HEAD", "/", "", "application/json")).readHead();
    }

    /** A question whose answer is read whole. */
    RawClient.Response ask(String method, String to, @Nullable String json) {
        return exchange(method, to, "application/json", json);
    }

    /** A question whose answer is read line by line. */
    RawClient.Response stream(String to, String json) {
        return exchange("POST", to, "application/x-ndjson", json);
    }

    private RawClient.Response exchange(String method, String to, String accept, @Nullable String json) {
        String framing = json == null ? "" : "Content-Length: " + json.length() + "\r\n";
        return connection
                .send(head(method, to, framing, accept) + (json == null ? "" : json))
                .readResponse();
    }

    /** Sends a file, in chunks since its reader does not tell the length. */
    RawClient.Response upload(String digest, byte[] file) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ascii(
                head("POST", "/api/blobs/sha256:" + digest, "Transfer-Encoding: chunked\r\n", "application/json")));
        for (int at = 0; at < file.length; at += PIECE) {
            int length = Math.min(PIECE, file.length - at);
            bytes.writeBytes(ascii(Integer.toHexString(length) + "\r\n"));
            bytes.write(file, at, length);
            bytes.writeBytes(ascii("\r\n"));
        }
        bytes.writeBytes(ascii("0\r\n\r\n"));
        return connection.send(bytes.toByteArray()).readResponse();
    }

    private String head(String method, String to, String framing, String accept) {
        return method + " " + path + to + " HTTP/1.1\r\n"
                + "Host: " + authority + "\r\n"
                + "User-Agent: ollama/0.32.15 (amd64 linux) Go/go1.26.0\r\n"
                + framing
                + "Accept: " + accept + "\r\n"
                + "Content-Type: application/json\r\n"
                + (method.equals("HEAD") ? "" : "Accept-Encoding: gzip\r\n")
                + "\r\n";
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void close() {
        connection.close();
    }
}
