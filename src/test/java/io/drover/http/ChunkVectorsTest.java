package io.drover.http;

import io.drover.http.Messages.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies in the chunked coding that must be read, and ones that must not: the shapes that requests are smuggled with. */
class ChunkVectorsTest {
    private static final String REQUEST = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String RESPONSE = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void accepted(String wire, String body) {
        new Accepted(
                        wire,
                        REQUEST + wire,
                        "POST / 1.1 -> /",
                        List.of("Host=h", "Transfer-Encoding=chunked"),
                        "chunked",
                        body)
                .check(Kind.REQUEST);
        new Accepted(wire, RESPONSE + wire, "1.1 200 OK", List.of("Transfer-Encoding=chunked"), "chunked", body)
                .check(Kind.RESPONSE);
    }

    static Stream<String[]> accepted() {
        return Stream.of(
                pair("0\r\n\r\n", ""),
                pair("000\r\n\r\n", ""),
                pair("1\r\na\r\n0\r\n\r\n", "a"),
                pair("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
                pair("000000000000001\r\na\r\n0\r\n\r\n", "a"),
                pair("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
                pair("1;a=b\r\nx\r\n0\r\n\r\n", "x"),
                pair("1;a=b;c;d=\"\"\r\nx\r\n0;e\r\n\r\n", "x"),
                pair("1;a;b=c\r\nx\r\n0\r\n\r\n", "x"),
                pair("1;a=\"b;c=\\\"d\\\\\"\r\nx\r\n0\r\n\r\n", "x"),
                pair("1;a=\"\t ~\"\r\nx\r\n0;b\r\n\r\n", "x"),
                pair("0\r\nA: b\r\n\r\n", ""),
                pair("1\r\nx\r\n0\r\nA: b\r\nC:\r\nContent-Length: 7\r\n\r\n", "x"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void refused(Rejected vector) {
        new Rejected(vector.name(), vector.status(), REQUEST + vector.text()).check(Kind.REQUEST);
        new Rejected(vector.name(), vector.status(), RESPONSE + vector.text()).check(Kind.RESPONSE);
    }

    static Stream<Rejected> refused() {
        List<Rejected> all = new ArrayList<>();
        for (int c = 0; c < 256; c++) {
            String octet = String.valueOf((char) c);
            boolean hex = Octets.hexValue((byte) c) >= 0;
            if (!hex) {
                add(all, "octet " + c + " for a size", "‸" + octet + "1\r\na\r\n0\r\n\r\n");
                add(all, "octet " + c + " for a second size", "1\r\na\r\n‸" + octet + "1\r\na\r\n0\r\n\r\n");
                if (c != '\r' && c != ';') {
                    add(all, "octet " + c + " behind a size", "1‸" + octet + "\r\na\r\n0\r\n\r\n");
                    add(all, "octet " + c + " behind the last size", "0‸" + octet + "\r\n\r\n");
                }
            }
            if (c != '\n') {
                add(all, "octet " + c + " behind a size's CR", "1\r‸" + octet + "\na\r\n0\r\n\r\n");
                add(all, "octet " + c + " behind an extension's CR", "1;a\r‸" + octet + "\na\r\n0\r\n\r\n");
                add(all, "octet " + c + " behind the data's CR", "1\r\na\r‸" + octet + "\n0\r\n\r\n");
                add(all, "octet " + c + " behind the last size's CR", "0\r‸" + octet + "\n\r\n");
                add(all, "octet " + c + " behind the last CR", "0\r\n\r‸" + octet + "\n");
                add(all, "octet " + c + " behind a trailer's CR", "0\r\nA: b\r‸" + octet + "\n\r\n");
            }
            if (c != '\r') {
                add(all, "octet " + c + " behind the data", "1\r\na‸" + octet + "\r\n0\r\n\r\n");
            }
            boolean control = (c < 0x20 && c != '\t') || c == 0x7f;
            if (control && c != '\r') {
                add(all, "octet " + c + " in an extension", "1;a‸" + octet + "\r\na\r\n0\r\n\r\n");
                add(all, "octet " + c + " in a trailer's value", "0\r\nA: b‸" + octet + "\r\n\r\n");
            }
            if (control || c >= 0x80) {
                add(all, "octet " + c + " in a quoted string", "1;a=\"‸" + octet + "\"\r\na\r\n0\r\n\r\n");
                add(all, "octet " + c + " escaped", "1;a=\"\\‸" + octet + "\"\r\na\r\n0\r\n\r\n");
            }
            if (!Octets.isToken((byte) c)) {
                if (c != '\r') {
                    add(all, "octet " + c + " begins a trailer", "0\r\n‸" + octet + "A: b\r\n\r\n");
                }
                if (c != ':') {
                    add(all, "octet " + c + " in a trailer's name", "0\r\nA‸" + octet + ": b\r\n\r\n");
                }
            }
        }
        for (String size : List.of("0x1", "0X1", "1_0", "1 ", "1\t", "1h", "1-", "1+", "1.0", "1,", "1\"")) {
            int bad = 0;
            while (Octets.hexValue((byte) size.charAt(bad)) >= 0) {
                bad++;
            }
            add(all, "size " + size, size.substring(0, bad) + "‸" + size.substring(bad) + "\r\na\r\n0\r\n\r\n");
        }
        add(all, "16 digits", "000000000000000‸1\r\na\r\n0\r\n\r\n");
        add(all, "2^64 + 1", "100000000000000‸01\r\na\r\n0\r\n\r\n");
        add(all, "16 digits of f", "fffffffffffffff‸f\r\na");
        add(all, "an empty size", "‸\r\na\r\n0\r\n\r\n");
        add(all, "an extension alone", "‸;a=b\r\n\r\n");
        add(all, "data longer than the size", "1\r\na‸b\r\n0\r\n\r\n");
        add(all, "data shorter than the size", "3\r\na\r\n‸0\r\n\r\n");
        add(all, "a quoted string across lines", "1;a=\"‸\r\nb\"\r\na\r\n0\r\n\r\n");
        add(all, "an unbalanced quote", "1;a=\"b‸\r\na\r\n0\r\n\r\n");
        add(all, "an escaped end of line", "1;a=\"\\‸\r\n\"\r\na\r\n0\r\n\r\n");
        add(all, "an extension ended by LF", "1;a‸\na\r\n0\r\n\r\n");
        add(all, "LF for CR LF behind the data", "1\r\na‸\n0\r\n\r\n");
        add(all, "two octets for CR LF", "1\r\na‸XX0\r\n\r\n");
        add(all, "an empty extension", "1;‸\r\na\r\n0\r\n\r\n");
        add(all, "an empty extension among others", "1;a;‸;b\r\na\r\n0\r\n\r\n");
        add(all, "an extension without name", "1;‸=b\r\na\r\n0\r\n\r\n");
        add(all, "an extension without value", "1;a=‸\r\na\r\n0\r\n\r\n");
        add(all, "a quote within a name", "1;a‸\"b\"\r\na\r\n0\r\n\r\n");
        add(all, "a quote within a value", "1;a=b‸\"c\"\r\na\r\n0\r\n\r\n");
        add(all, "a quote for a name", "1;‸\"a\"\r\na\r\n0\r\n\r\n");
        add(all, "octets behind a quoted string", "1;a=\"b\"‸c\r\na\r\n0\r\n\r\n");
        add(all, "two equals signs", "1;a=‸=b\r\na\r\n0\r\n\r\n");
        add(all, "white space before a semicolon", "1‸ ;a\r\na\r\n0\r\n\r\n");
        add(all, "white space behind a semicolon", "1;‸ a\r\na\r\n0\r\n\r\n");
        add(all, "white space before an equals sign", "1;a‸ =b\r\na\r\n0\r\n\r\n");
        add(all, "white space behind an equals sign", "1;a=‸ b\r\na\r\n0\r\n\r\n");
        add(all, "white space behind a value", "1;a=b‸ \r\na\r\n0\r\n\r\n");
        add(all, "a folded trailer", "0\r\nA: b\r\n‸ c\r\n\r\n");
        add(all, "a trailer without colon", "0\r\nA‸\r\n\r\n");
        add(all, "a trailer without name", "0\r\n‸: b\r\n\r\n");
        add(all, "a space before a trailer's colon", "0\r\nA‸ : b\r\n\r\n");
        return all.stream();
    }

    private static void add(List<Rejected> all, String name, String text) {
        all.add(new Rejected(name, 400, text));
    }

    private static String[] pair(String wire, String body) {
        return new String[] {wire, body};
    }
}
