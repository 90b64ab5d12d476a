package io.drover.bench;

import java.nio.charset.StandardCharsets;

/** Messages that are written as they stand. */
final class HttpText {
    /** Of a head that is read here: most bytes, most fields. */
    static final int MAX_HEAD = 32 * 1024;

    static final int MAX_FIELDS = 128;

    /** A request for a small answer; bench/wrk asks for the same. */
    static final byte[] SMALL_REQUEST = request(
            "POST", "/api/generate", "{\"model\":\"bench\",\"stream\":false,\"prompt\":\"Why is the sky blue?\"}");

    private HttpText() {}

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** {@code payload} as one chunk of a body (RFC 9112, 7.1). */
    static byte[] chunk(String payload) {
        return ascii(Integer.toHexString(payload.length()) + "\r\n" + payload + "\r\n");
    }

    /** A whole answer. */
    static byte[] response(String status, String body) {
        return ascii("HTTP/1.1 " + status
                + "\r\nContent-Type: application/json; charset=utf-8\r\nDate: Sat, 22 Aug 2026 01:48:22 GMT\r\n"
                + "Content-Length: " + body.length() + "\r\n\r\n" + body);
    }

    /** A whole request. */
    static byte[] request(String method, String path, String body) {
        return ascii(requestHead(method, path, body.length()) + body);
    }

    static String requestHead(String method, String path, long length) {
        return method + " " + path + " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: "
                + length + "\r\n\r\n";
    }

    /** Where {@code wanted} first stands in {@code bytes}; it must be there. */
    static int indexOf(byte[] bytes, byte wanted) {
        int i = 0;
        while (bytes[i] != wanted) {
            i++;
        }
        return i;
    }
}
