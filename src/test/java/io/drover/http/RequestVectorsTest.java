package io.drover.http;

import static java.util.stream.Stream.concat;

import io.drover.http.Messages.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Heads of requests that must be read, and ones that must not, whatever the pieces they arrive in. */
class RequestVectorsTest {

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void accepted(Accepted vector) {
        vector.check(Kind.REQUEST);
    }

    static Stream<Accepted> accepted() {
        return Stream.of(
                get("a plain request", "/api/tags", "/api/tags"),
                get(
                        "a target of visible octets",
                        "/!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
                        "/!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
                get("a query", "/a?b=c?d", "/a?b=c?d"),
                get("two slashes", "//a//b", "//a//b"),
                get("an absolute target", "http://h/a?b", "/a?b"),
                get("an absolute target, scheme and host in capitals", "HTTP://H/a", "/a"),
                get("an absolute https target", "https://h/a", "/a"),
                get("an absolute target without path", "http://h", "/"),
                get("an absolute target with a query only", "http://h?q", "/?q"),
                request(
                        "a method of all token octets", "!#$%&'*+-.^_`|~09AZaz / HTTP/1.1\r\nHost: h\r\n\r\n",
                        "!#$%&'*+-.^_`|~09AZaz / 1.1 -> /", "Host=h"),
                request(
                        "a method in lower case is another method", "get / HTTP/1.1\r\nHost: h\r\n\r\n",
                        "get / 1.1 -> /", "Host=h"),
                request("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * 1.1 -> *", "Host=h"),
                request("one empty line before", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / 1.1 -> /", "Host=h"),
                request(
                        "two empty lines before",
                        "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
                        "GET / 1.1 -> /",
                        "Host=h"),
                request("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 -> /"),
                request("HTTP/1.0 with Host", "GET / HTTP/1.0\r\nHost: h\r\n\r\n", "GET / 1.0 -> /", "Host=h"),
                request(
                        "HTTP/1.0 with an absolute target and no Host",
                        "GET http://h:1/ HTTP/1.0\r\n\r\n",
                        "GET http://h:1/ 1.0 -> /"),
                request(
                        "white space around values",
                        "GET / HTTP/1.1\r\nHost:\t h \t\r\nA:b\r\nC: \t \r\nD:\r\n\r\n",
                        "GET / 1.1 -> /",
                        "Host=h",
                        "A=b",
                        "C=",
                        "D="),
                request(
                        "white space within a value",
                        "GET / HTTP/1.1\r\nHost: h\r\nA: b \t c\r\n\r\n",
                        "GET / 1.1 -> /",
                        "Host=h",
                        "A=b \t c"),
                request(
                        "obs-text in a value",
                        "GET / HTTP/1.1\r\nHost: h\r\nA: \u0080\u00ff\u00a0\u0085\r\n\r\n",
                        "GET / 1.1 -> /",
                        "Host=h",
                        "A=\u0080\u00ff\u00a0\u0085"),
                request(
                        "a name of all token octets",
                        "GET / HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~09AZaz: v\r\n\r\n",
                        "GET / 1.1 -> /",
                        "Host=h",
                        "!#$%&'*+-.^_`|~09AZaz=v"),
                request(
                        "colons and delimiters in a value",
                        "GET / HTTP/1.1\r\nHost: h\r\nA: :;,=\"()\r\n\r\n",
                        "GET / 1.1 -> /",
                        "Host=h",
                        "A=:;,=\"()"),
                request(
                        "repeated fields keep their order",
                        "GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\na: 2\r\n\r\n",
                        "GET / 1.1 -> /",
                        "A=1",
                        "Host=h",
                        "a=2"),
                post("a body", "Content-Length: 5", "hello", "5", "hello"),
                post("a body of none", "Content-Length: 0", "", "none", ""),
                post(
                        "leading zeros in Content-Length",
                        "Content-Length: 0000000000000000000000000005",
                        "hello",
                        "5",
                        "hello"),
                post("a name in another case", "cOnTeNt-LeNgTh: 5", "hello", "5", "hello"),
                post("a chunked body", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "chunked", "hello"),
                post(
                        "chunked in another case",
                        "transfer-encoding:\tCHUNKED ",
                        "5\r\nhello\r\n0\r\n\r\n",
                        "chunked",
                        "hello"));
    }

    @ParameterizedTest(name = "Host: {0}")
    @MethodSource
    void acceptedHosts(String host) {
        request(host, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", "GET / 1.1 -> /", "Host=" + host)
                .check(Kind.REQUEST);
        request(
                        host,
                        "GET http://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
                        "GET http://" + host + "/ 1.1 -> /",
                        "Host=" + host)
                .check(Kind.REQUEST);
    }

    static Stream<String> acceptedHosts() {
        return Stream.of(
                "h",
                "ollama.example.org",
                "h:11434",
                "h:0",
                "h:65535",
                "h:",
                "127.0.0.1:80",
                "127.0.0.1",
                "[::1]",
                "[::1]:11434",
                "[::ffff:127.0.0.1]",
                "a_b",
                "h%41",
                "%41:1",
                "1",
                "x--y.",
                "!$&'()*+,;=~");
    }

    @ParameterizedTest(name = "Host: {0}")
    @MethodSource
    void refusedHosts(String host) {
        new Rejected(host, 400, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r‸\n").check(Kind.REQUEST);
        // The rest cannot stand in a target at all, or ends the authority before its fault.
        if (host.chars().allMatch(c -> c > 0x20 && c < 0x7f && "#/?".indexOf(c) < 0)) {
            new Rejected(host, 400, "GET http://" + host + "/ HTTP/1.0\r\n\r‸\n").check(Kind.REQUEST);
        }
    }

    static Stream<String> refusedHosts() {
        return Stream.of(
                "",
                ":80",
                "h:65536",
                "h:999999",
                "h:00080000",
                "h:8a",
                "h:-1",
                "h:+1",
                "h:80:80",
                "::1",
                "[::1",
                "::1]",
                "[::1]x",
                "[::1]80",
                "[]",
                "[]:80",
                "[::1]]",
                "[[::1]]",
                "[::g]",
                "[fe80::1%25eth0]",
                "u@h",
                "u:p@h",
                "h h",
                "h,g h",
                "a/b",
                "a?b",
                "a#b",
                "a\\b",
                "h%",
                "h%4",
                "h%4g",
                "h\"",
                "<h>",
                "h^",
                "h|",
                "h{}",
                "h`",
                "\u00e4",
                "h\u00a0",
                "h\t:80");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void refused(Rejected vector) {
        vector.check(Kind.REQUEST);
    }

    static Stream<Rejected> refused() {
        return Stream.of(startLines(), versions(), fieldLines(), targets(), hosts(), lengths(), encodings())
                .reduce(Stream.empty(), (left, right) -> concat(left, right));
    }

    private static Stream<Rejected> startLines() {
        List<Rejected> all = new ArrayList<>();
        for (int c = 0; c < 256; c++) {
            byte b = (byte) c;
            String octet = String.valueOf((char) c);
            if (c != '\r') {
                boolean token = Octets.isToken(b);
                if (!token) {
                    all.add(new Rejected("octet " + c + " before the method", 400, "‸" + octet + "GET / HTTP/1.1\r\n"));
                }
                if (!token && c != ' ') {
                    all.add(new Rejected("octet " + c + " in the method", 400, "GE‸" + octet + "T / HTTP/1.1\r\n"));
                }
            }
            if ((c <= 0x20 || c >= 0x7f || c == '#')) {
                all.add(new Rejected("octet " + c + " begins the target", 400, "GET ‸" + octet + "/ HTTP/1.1\r\n"));
                if (c != ' ') {
                    all.add(new Rejected("octet " + c + " in the target", 400, "GET /a‸" + octet + "b HTTP/1.1\r\n"));
                }
            }
            if (c != '\r') {
                all.add(new Rejected("octet " + c + " behind the version", 400, "GET / HTTP/1.1‸" + octet + "\r\n"));
            }
            if (c != '\n') {
                all.add(new Rejected(
                        "octet " + c + " behind CR", 400, "GET / HTTP/1.1\r‸" + octet + "\nHost: h\r\n\r\n"));
            }
        }
        all.add(new Rejected("three empty lines before", 400, "\r\n\r\n‸\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        all.add(new Rejected("a bare CR before", 400, "\r‸GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        all.add(new Rejected("a bare LF before", 400, "‸\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        all.add(new Rejected("a TLS handshake", 400, "‸\u0016\u0003\u0001\u0002\0\u0001"));
        all.add(new Rejected("SOCKS 5", 400, "‸\u0005\u0001\0"));
        all.add(new Rejected("a PROXY protocol line", 400, "PROXY ‸\0"));
        all.add(new Rejected("no target", 400, "GET ‸ HTTP/1.1\r\n"));
        all.add(new Rejected("two spaces", 400, "GET ‸ / HTTP/1.1\r\n"));
        all.add(new Rejected("two spaces before the version", 400, "GET / ‸ HTTP/1.1\r\n"));
        all.add(new Rejected("HTTP/0.9", 400, "GET /‸\r\n"));
        all.add(new Rejected("no method", 400, "‸ / HTTP/1.1\r\n"));
        all.add(new Rejected("a line alone", 400, "GET‸\r\n\r\n"));
        return all.stream();
    }

    private static Stream<Rejected> versions() {
        return Stream.of(
                new Rejected("HTTP/2.0", 505, "GET / HTTP/‸2.0\r\n\r\n"),
                new Rejected("HTTP/0.9 by name", 505, "GET / HTTP/‸0.9\r\n\r\n"),
                new Rejected("HTTP/3", 505, "GET / HTTP/‸3\r\n\r\n"),
                new Rejected("HTTP/1.2", 400, "GET / HTTP/1.‸2\r\n\r\n"),
                new Rejected("HTTP/1.9", 400, "GET / HTTP/1.‸9\r\n\r\n"),
                new Rejected("HTTP/11.1", 400, "GET / HTTP/1‸1.1\r\n\r\n"),
                new Rejected("HTTP/1.10", 400, "GET / HTTP/1.1‸0\r\n\r\n"),
                new Rejected("HTTP/1,1", 400, "GET / HTTP/1‸,1\r\n\r\n"),
                new Rejected("HTTP/1.x", 400, "GET / HTTP/1.‸x\r\n\r\n"),
                new Rejected("HTTP/x", 400, "GET / HTTP/‸x.1\r\n\r\n"),
                new Rejected("HTTP/+1.1", 400, "GET / HTTP/‸+1.1\r\n\r\n"),
                new Rejected("HTTP/1", 400, "GET / HTTP/1‸\r\n\r\n"),
                new Rejected("HTTP", 400, "GET / HTTP‸\r\n\r\n"),
                new Rejected("http/1.1", 400, "GET / ‸http/1.1\r\n\r\n"),
                new Rejected("ICY", 400, "GET / ‸ICY/1.1\r\n\r\n"),
                new Rejected("HTTPS/1.1", 400, "GET / HTTP‸S/1.1\r\n\r\n"),
                new Rejected("HTTP /1.1", 400, "GET / HTTP‸ /1.1\r\n\r\n"),
                new Rejected("HTTP/ 1.1", 400, "GET / HTTP/‸ 1.1\r\n\r\n"),
                new Rejected("the preface of HTTP/2", 505, "PRI * HTTP/‸2.0\r\n\r\nSM\r\n\r\n"));
    }

    private static Stream<Rejected> fieldLines() {
        String start = "GET / HTTP/1.1\r\nHost: h\r\n";
        List<Rejected> all = new ArrayList<>();
        for (int c = 0; c < 256; c++) {
            byte b = (byte) c;
            String octet = String.valueOf((char) c);
            if (!Octets.isToken(b)) {
                if (c != '\r') {
                    all.add(new Rejected("octet " + c + " begins a name", 400, start + "‸" + octet + "A: b\r\n\r\n"));
                }
                if (c != ':') {
                    all.add(new Rejected("octet " + c + " in a name", 400, start + "A‸" + octet + "B: c\r\n\r\n"));
                    all.add(new Rejected(
                            "octet " + c + " before the colon", 400, start + "A‸" + octet + ": b\r\n\r\n"));
                }
            }
            if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
                all.add(new Rejected("octet " + c + " begins a value", 400, start + "A:‸" + octet + "b\r\n\r\n"));
                all.add(new Rejected("octet " + c + " in a value", 400, start + "A: b‸" + octet + "c\r\n\r\n"));
                all.add(new Rejected("octet " + c + " ends a value", 400, start + "A: b ‸" + octet + "\r\n\r\n"));
            }
            if (c != '\n') {
                all.add(new Rejected("octet " + c + " behind a value's CR", 400, start + "A: b\r‸" + octet + "\n\r\n"));
                all.add(new Rejected("octet " + c + " behind the last CR", 400, start + "\r‸" + octet + "\n"));
            }
        }
        all.add(new Rejected("a folded value", 400, start + "A: b\r\n‸ c\r\n\r\n"));
        all.add(new Rejected("a folded value, by tab", 400, start + "A: b\r\n‸\tc\r\n\r\n"));
        all.add(new Rejected("a folded empty value", 400, start + "A:\r\n‸ b\r\n\r\n"));
        all.add(new Rejected("white space before the first field", 400, "GET / HTTP/1.1\r\n‸ Host: h\r\n\r\n"));
        all.add(new Rejected("an empty name", 400, start + "‸: b\r\n\r\n"));
        all.add(new Rejected("a line without colon", 400, start + "AB‸\r\n\r\n"));
        all.add(new Rejected("a line of white space", 400, start + "‸ \r\n\r\n"));
        all.add(new Rejected("a head ended by LF", 400, start + "‸\n"));
        all.add(new Rejected("a head ended by LF CR LF", 400, start + "A: b‸\n\r\n"));
        return all.stream();
    }

    private static Stream<Rejected> targets() {
        return Stream.of("GET", "POST", "OPTIONS").flatMap(method -> Stream.of(
                        "a",
                        "api/tags",
                        "**",
                        "*/",
                        "?a",
                        "h:80",
                        "http:/h/",
                        "http:///a",
                        "http://",
                        "http://?a",
                        "http://:80/",
                        "http://u@h/",
                        "http://g/",
                        "http://h:81/",
                        "ftp://h/",
                        "httpx://h/",
                        "http:h",
                        "http://h\\/",
                        "http:\\\\h\\",
                        "https://",
                        ".",
                        "../etc/passwd",
                        "%2f",
                        "ws://h/",
                        "file:///etc/passwd",
                        ";//")
                .map(target -> new Rejected(
                        method + " " + target, 400, method + " " + target + " HTTP/1.1\r\nHost: h\r\n\r‸\n")));
    }

    private static Stream<Rejected> hosts() {
        return Stream.of(
                new Rejected("no Host", 400, "GET / HTTP/1.1\r\nA: b\r\n\r‸\n"),
                new Rejected("no field at all", 400, "GET / HTTP/1.1\r\n\r‸\n"),
                new Rejected("two Hosts", 400, "GET / HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r‸\n"),
                new Rejected("the same Host twice", 400, "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nhost: h\r\n\r‸\n"),
                new Rejected("two Hosts in HTTP/1.0", 400, "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r‸\n"),
                new Rejected("an absolute target does not replace Host", 400, "GET http://h/ HTTP/1.1\r\n\r‸\n"),
                new Rejected("GET *", 400, "GET * HTTP/1.1\r\nHost: h\r\n\r‸\n"),
                new Rejected("another port", 400, "GET http://h:1/ HTTP/1.1\r\nHost: h:2\r\n\r‸\n"));
    }

    private static Stream<Rejected> lengths() {
        Stream<Rejected> values = Stream.of(
                        "",
                        "+5",
                        "-5",
                        "-0",
                        "0x5",
                        "5;",
                        "5,5",
                        "5, 5",
                        "5 5",
                        "5.0",
                        "5e0",
                        "a",
                        "5a",
                        "\"5\"",
                        "'5'",
                        "1_0",
                        "9999999999999999999",
                        "1000000000000000000",
                        "18446744073709551621",
                        "4294967296000000000000005",
                        "\u0660",
                        "\u00b2",
                        "5\u00a0",
                        "5\u0085")
                .map(value -> new Rejected(
                        "Content-Length: " + value,
                        400,
                        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + value + "\r\n\r‸\nhello"));
        Stream<Rejected> repeated = Stream.of("POST", "GET", "HEAD")
                .flatMap(
                        method -> Stream.of(
                                new Rejected(
                                        "two Content-Lengths, " + method,
                                        400,
                                        method
                                                + " / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r‸\nhello"),
                                new Rejected(
                                        "the same Content-Length twice, " + method,
                                        400,
                                        method
                                                + " / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nA: b\r\ncontent-length: 5\r\n\r‸\nhello")));
        return concat(values, repeated);
    }

    private static Stream<Rejected> encodings() {
        String start = "POST / HTTP/1.1\r\nHost: h\r\n";
        String end = "\r\n\r‸\n0\r\n\r\n";
        Stream<Rejected> values = Stream.of(
                        "",
                        "identity",
                        "gzip",
                        "gzip, chunked",
                        "chunked, gzip",
                        "chunked, chunked",
                        "chunked,",
                        ",chunked",
                        ", chunked",
                        "chunked ,",
                        "xchunked",
                        "chunkedx",
                        "chunked, xchunked",
                        "chunke",
                        "\"chunked\"",
                        "'chunked'",
                        "chunked;",
                        "chunked;q=1",
                        "chunked;a=b",
                        "chunked chunked",
                        "chunked\u00a0",
                        "\u00a0chunked",
                        "\u0085chunked",
                        "chunked\u0080",
                        "x chunked",
                        "chunked\tx",
                        "c hunked",
                        "trailers",
                        "deflate",
                        "compress")
                .map(value ->
                        new Rejected("Transfer-Encoding: " + value, 400, start + "Transfer-Encoding: " + value + end));
        Stream<Rejected> control = IntStream.of(0, 1, 0x0b, 0x0c, 0x1f, 0x7f)
                .boxed()
                .flatMap(c -> Stream.of(
                        new Rejected(
                                "Transfer-Encoding with octet " + c + " before",
                                400,
                                start + "Transfer-Encoding:‸" + (char) (int) c + "chunked\r\n\r\n0\r\n\r\n"),
                        new Rejected(
                                "Transfer-Encoding with octet " + c + " behind",
                                400,
                                start + "Transfer-Encoding: chunked‸" + (char) (int) c + "\r\n\r\n0\r\n\r\n"),
                        new Rejected(
                                "octet " + c + " behind the name Transfer-Encoding",
                                400,
                                start + "Transfer-Encoding‸" + (char) (int) c + ": chunked\r\n\r\n0\r\n\r\n")));
        Stream<Rejected> combined = Stream.of(
                new Rejected("CL.TE", 400, start + "Content-Length: 5\r\nTransfer-Encoding: chunked" + end),
                new Rejected("TE.CL", 400, start + "Transfer-Encoding: chunked\r\nContent-Length: 5" + end),
                new Rejected("TE.CL of 0", 400, start + "Transfer-Encoding: chunked\r\nContent-Length: 0" + end),
                new Rejected(
                        "TE with a broken CL", 400, start + "Transfer-Encoding: chunked\r\nContent-Length: x" + end),
                new Rejected("TE.TE", 400, start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + end),
                new Rejected(
                        "TE.TE, identity first",
                        400,
                        start + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked" + end),
                new Rejected(
                        "TE.TE, identity last",
                        400,
                        start + "Transfer-Encoding: chunked\r\nA: b\r\nTransfer-encoding: identity" + end),
                new Rejected("a folded TE", 400, start + "Transfer-Encoding:\r\n‸ chunked\r\n\r\n0\r\n\r\n"),
                new Rejected("a folded list", 400, start + "Transfer-Encoding: chunked,\r\n‸\tgzip\r\n\r\n0\r\n\r\n"),
                new Rejected("TE in HTTP/1.0", 400, "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked" + end),
                new Rejected(
                        "TE and CL in HTTP/1.0",
                        400,
                        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5" + end));
        return Stream.of(values, control, combined).reduce(Stream.empty(), (left, right) -> concat(left, right));
    }

    private static Accepted get(String name, String target, String originForm) {
        return request(
                name,
                "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET " + target + " 1.1 -> " + originForm,
                "Host=h");
    }

    private static Accepted request(String name, String text, String startLine, String... fields) {
        return new Accepted(name, text, startLine, List.of(fields), "none", "");
    }

    private static Accepted post(String name, String line, String wire, String framing, String body) {
        String[] parts = line.split(":", 2);
        return new Accepted(
                name,
                "POST /a HTTP/1.1\r\nHost: h\r\n" + line + "\r\n\r\n" + wire,
                "POST /a 1.1 -> /a",
                List.of("Host=h", parts[0] + "=" + parts[1].strip()),
                framing,
                body);
    }
}
