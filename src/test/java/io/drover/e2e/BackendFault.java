package io.drover.e2e;

import io.drover.testing.RawBackend;

/** What a backend does wrong, and when: one row of the matrix. */
@SuppressWarnings("ImmutableEnumChecker") // scripts without state
enum BackendFault {
    FIN(When.AWAIT_HEAD, 502, "closed before the answer", RawBackend.Connection::close),
    RST(When.AWAIT_HEAD, 502, "reset before the answer", RawBackend.Connection::reset),
    STALL(When.AWAIT_HEAD, 504, "no answer in time", RawBackend.Connection::awaitClientClose),
    NO_HTTP(When.AWAIT_HEAD, 502, "malformed answer", says("SSH-2.0-OpenSSH\r\n\r\n")),
    TWO_LENGTHS(When.AWAIT_HEAD, 502, "malformed answer", says("HTTP/1.1 200 OK\r\n" + length(2) + length(3) + "\r\n")),
    LENGTH_AND_CHUNKED(
            When.AWAIT_HEAD, 502, "malformed answer", says("HTTP/1.1 200 OK\r\n" + length(2) + chunked() + "\r\n")),
    ENDLESS_HEAD(When.AWAIT_HEAD, 502, "malformed answer", says("HTTP/1.1 200 OK\r\nX: " + "x".repeat(40_000))),
    HALF_A_HEAD_FIN(When.AWAIT_HEAD, 502, "closed before the answer", c -> c.send("HTTP/1.1 200 O")),
    HALF_A_HEAD_RST(When.AWAIT_HEAD, 502, "reset before the answer", c -> {
        c.send("HTTP/1.1 200 O");
        c.reset();
    }),
    HALF_A_HEAD_STALL(When.AWAIT_HEAD, 504, "no answer in time", says("HTTP/1.1 200 O")),
    HINTS_FIN(When.AWAIT_HEAD, 502, "closed before the answer", c -> c.send("HTTP/1.1 103 Early Hints\r\n\r\n")),
    UPGRADE(When.AWAIT_HEAD, 502, "malformed answer", says("HTTP/1.1 101 Switching Protocols\r\n\r\n")),
    ENDLESS_HINTS(When.AWAIT_HEAD, 502, "malformed answer", says("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100))),

    HEAD_FIN(When.HELD, 200, "truncated answer", c -> c.send(chunkedHead())),
    HEAD_RST(When.HELD, 200, "truncated answer", c -> {
        c.send(chunkedHead());
        c.reset();
    }),
    HEAD_STALL(When.HELD, 200, "answer stalled", says(chunkedHead())),
    HALF_A_LINE_FIN(When.HELD, 200, "truncated answer", c -> c.send(chunkedHead() + "6\r\n{\"mode\r\n")),
    HALF_A_LINE_RST(When.HELD, 200, "truncated answer", c -> {
        c.send(chunkedHead() + "6\r\n{\"mode\r\n");
        c.reset();
    }),
    HALF_A_LINE_STALL(When.HELD, 200, "answer stalled", says(chunkedHead() + "6\r\n{\"mode\r\n")),
    HALF_A_LINE_BAD_CHUNK(When.HELD, 200, "malformed answer", says(chunkedHead() + "6\r\n{\"mode\r\nzz\r\n")),
    HALF_A_LINE_TRUNCATED(When.HELD, 200, "truncated answer", c -> c.send(chunkedHead() + "40\r\n{\"mode")),

    LINE_FIN(When.RELAY, 200, "truncated answer", c -> c.send(chunkedHead() + line())),
    LINE_RST(When.RELAY, 200, "truncated answer", c -> {
        c.send(chunkedHead() + line());
        c.hold();
        c.reset();
    }),
    LINE_STALL(When.RELAY, 200, "answer stalled", says(chunkedHead() + line())),
    LINE_BAD_CHUNK(When.RELAY, 200, "malformed answer", c -> {
        c.send(chunkedHead() + line());
        c.hold();
        c.send("zz\r\n");
        c.awaitClientClose();
    }),
    LINE_TRUNCATED(When.RELAY, 200, "truncated answer", c -> c.send(chunkedHead() + line() + "40\r\n{\"mode")),
    LINE_NO_CRLF(When.RELAY, 200, "malformed answer", c -> {
        c.send(chunkedHead() + "3\r\n{}\n");
        c.hold();
        c.send("\n\n0\r\n\r\n");
        c.awaitClientClose();
    }),
    MANY_LINES_FIN(When.RELAY, 200, "truncated answer", c -> c.send(chunkedHead() + line().repeat(500))),
    MANY_LINES_HALF_AN_END(When.RELAY, 200, "truncated answer", c -> c.send(chunkedHead() + line() + "0\r\n")),
    LENGTH_FIN(When.RELAY, 200, "truncated answer", c -> c.send("HTTP/1.1 200 OK\r\n" + length(9) + "\r\n{\"a\":1}\n")),
    CLOSE_DELIMITED_RST(When.RELAY, 200, "truncated answer", c -> {
        c.send("HTTP/1.1 200 OK\r\n\r\n{\"a\":1}\n");
        c.hold();
        c.reset();
    });

    /** How far the answer has come. */
    enum When {
        AWAIT_HEAD,
        /** Only as long as another backend is left: else a head is passed on at once. */
        HELD,
        RELAY
    }

    /** The backend's part of a fault, once the request was read. */
    interface Play {
        void on(RawBackend.Connection connection) throws Exception;
    }

    final When when;
    final int status;
    final String cause;
    final Play play;

    BackendFault(When when, int status, String cause, Play play) {
        this.when = when;
        this.status = status;
        this.cause = cause;
        this.play = play;
    }

    boolean isStall() {
        return name().endsWith("STALL");
    }

    /** Whether it leaves a stream of lines at the end of a line and of a chunk, where its client can be told. */
    boolean isTold() {
        return switch (this) {
            case LINE_FIN, LINE_RST, LINE_STALL, LINE_BAD_CHUNK, MANY_LINES_FIN, MANY_LINES_HALF_AN_END -> true;
            default -> false;
        };
    }

    /** Whether the request may go to another backend where its route allows that. */
    boolean isRetried() {
        return when != When.RELAY && !cause.equals("no answer in time");
    }

    private static Play says(String bytes) {
        return connection -> {
            connection.send(bytes);
            connection.awaitClientClose();
        };
    }

    private static String chunked() {
        return "Transfer-Encoding: chunked\r\n";
    }

    private static String chunkedHead() {
        return "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n" + chunked() + "\r\n";
    }

    private static String length(int bytes) {
        return "Content-Length: " + bytes + "\r\n";
    }

    private static String line() {
        return "8\r\n{\"a\":1}\n\r\n";
    }
}
