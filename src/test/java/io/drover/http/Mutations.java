package io.drover.http;

import io.drover.http.Messages.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Makes messages that are nearly right out of right ones: the same ones for the same seed. */
final class Mutations {
    private static final String[] FIELDS = {
        "Content-Length: 5",
        "Content-Length: 0",
        "Content-Length: 05",
        "Content-Length: +5",
        "Content-Length: 5, 5",
        "Content-Length : 5",
        "Content-Length: 3",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: Chunked",
        "Transfer-Encoding:chunked",
        "Transfer-Encoding: \u000bchunked",
        "Transfer-Encoding: \u000cchunked",
        "Transfer-Encoding: chunked\u00a0",
        "Transfer-Encoding: \tchunked\t",
        "Transfer-Encoding: chunked, xchunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\u0000: chunked",
        "Transfer_Encoding: chunked",
        "X: Y\rTransfer-Encoding: chunked",
        "X: Y\nTransfer-Encoding: chunked",
        "X: \u0000",
        "X: \u00ff\u00a0\u0080",
        "X:",
        "Host: h",
        "Host: g",
        "Connection: close",
        "Connection: Content-Length",
        "Upgrade: h2c",
        "Upgrade: websocket",
        "Sec-WebSocket-Accept: x",
        "Expect: 100-continue",
        " folded: x",
        "\tfolded",
        "no colon",
        ": no name",
        "A: b: c",
        "Trailer: X",
        "TE: trailers",
        "Content-Type: multipart/byteranges",
    };

    private static final String[] BODIES = {
        "hello",
        "5\r\nhello\r\n0\r\n\r\n",
        "05\r\nhello\r\n00\r\n\r\n",
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b\"\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\r\nb\"\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b;\\\"c\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0;x\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5;\nhello\r\n0\r\n\r\n",
        "5\rX\nhello\r\n0\r\n\r\n",
        "100000005\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "7fffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "_5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "5\r\nhello\r\n0\r\nContent-Length: 9\r\nHost: x\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
        "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
        "5\r\nhello\r\n0\r\n: y\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "a\r\n0\r\n\r\nGET /\r\n0\r\n\r\n",
        "0\r\n\r\n",
        "0\r\n",
        "",
    };

    private static final String[] REQUEST_LINES = {
        "POST / HTTP/1.1",
        "GET /api/tags?x=y HTTP/1.1",
        "POST http://h/api/chat HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "HEAD / HTTP/1.1",
        "PUT / HTTP/1.0",
        "CONNECT h:80 HTTP/1.1",
        "GET /\u000b HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET /a\"<>{}|\\^` HTTP/1.1",
        "M-SEARCH / HTTP/1.1",
        "\r\nGET / HTTP/1.1",
        "\u0000GET / HTTP/1.1",
        "get / http/1.1",
        "GET / HTTP/1.2",
    };

    private static final String[] STATUS_LINES = {
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 ",
        "HTTP/1.1 200",
        "HTTP/1.1 500 Internal Server Error",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 206 Partial \u00e4",
        "HTTP/1.1 100 Continue",
        "HTTP/1.1 103 Early Hints",
        "HTTP/1.1 205 Reset",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 0200 OK",
        "HTTP/2 200 OK",
    };

    private static final String[] SNIPPETS = {
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        ":",
        ";",
        ",",
        "\"",
        "\\",
        "0",
        "5",
        "a",
        "\u0000",
        "\u000b",
        "\u000c",
        "\u007f",
        "\u0085",
        "\u00a0",
        "\u00ff",
        "chunked",
        "\r\n\r\n",
        "\r\n ",
        "x",
        "_",
        "+",
        "-",
        "#",
        "?",
        "/",
        "*",
        "%",
    };

    private final SplittableRandom random;
    private final Kind kind;

    Mutations(Kind kind, long seed) {
        this.kind = kind;
        this.random = new SplittableRandom(seed);
    }

    byte[] next() {
        byte[] message = message().getBytes(StandardCharsets.ISO_8859_1);
        int changes = random.nextInt(4) - 1;
        for (int i = 0; i < changes; i++) {
            message = change(message);
        }
        return message;
    }

    private String message() {
        // Half of all heads are right, so that bodies are reached and small changes count.
        boolean right = random.nextBoolean();
        StringBuilder text = new StringBuilder();
        String[] lines = kind == Kind.REQUEST ? REQUEST_LINES : STATUS_LINES;
        text.append(right ? lines[random.nextInt(3)] : pick(lines)).append("\r\n");
        List<String> fields = new ArrayList<>();
        if (kind == Kind.REQUEST && (right || random.nextInt(4) > 0)) {
            fields.add("Host: h");
        }
        if (right && random.nextInt(8) > 0) {
            fields.add(random.nextInt(3) == 0 ? "Content-Length: 5" : "Transfer-Encoding: chunked");
        }
        int more = right ? 0 : random.nextInt(4);
        for (int i = 0; i < more; i++) {
            fields.add(random.nextInt(fields.size() + 1), pick(FIELDS));
        }
        fields.forEach(field -> text.append(field).append("\r\n"));
        return text.append("\r\n").append(pick(BODIES)).toString();
    }

    private byte[] change(byte[] message) {
        int at = random.nextInt(message.length + 1);
        int size = Math.min(message.length - at, 1 + random.nextInt(3));
        return switch (random.nextInt(5)) {
            case 0 -> splice(message, at, at, pick(SNIPPETS));
            case 1 -> splice(message, at, at + size, "");
            case 2 -> splice(message, at, Math.min(at + 1, message.length), pick(SNIPPETS));
            case 3 -> splice(message, at, Math.min(at + 1, message.length), String.valueOf((char) random.nextInt(256)));
            default -> splice(message, at, at, Messages.text(message).substring(at, at + size));
        };
    }

    private static byte[] splice(byte[] message, int from, int to, String with) {
        String text = Messages.text(message);
        return Messages.bytes(text.substring(0, from) + with + text.substring(to));
    }

    private String pick(String[] from) {
        return from[random.nextInt(from.length)];
    }
}
