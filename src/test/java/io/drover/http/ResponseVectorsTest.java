package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.http.Messages.Kind;
import io.drover.http.Messages.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads of responses that must be read, and ones that must not, and how the end of their bodies is found. */
class ResponseVectorsTest {

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void accepted(Accepted vector) {
        vector.check(Kind.RESPONSE);
    }

    static Stream<Accepted> accepted() {
        return Stream.of(
                response(
                        "a length",
                        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                        "1.1 200 OK",
                        "2",
                        "hi",
                        "Content-Length=2"),
                response(
                        "no body",
                        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                        "1.1 200 OK",
                        "none",
                        "",
                        "Content-Length=0"),
                response(
                        "chunks",
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                        "1.1 200 OK",
                        "chunked",
                        "hi",
                        "Transfer-Encoding=chunked"),
                response(
                        "until the connection ends",
                        "HTTP/1.1 200 OK\r\n\r\nhi\r\n\r\n",
                        "1.1 200 OK",
                        "until close",
                        "hi\r\n\r\n"),
                response("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", "1.0 200 OK", "until close", "hi"),
                response(
                        "no reason",
                        "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
                        "1.1 404 ",
                        "none",
                        "",
                        "Content-Length=0"),
                response(
                        "no reason and no space",
                        "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
                        "1.1 404 ",
                        "none",
                        "",
                        "Content-Length=0"),
                response(
                        "a reason of many words",
                        "HTTP/1.1 418 I'm a  \ttea\u00fcpot\r\nContent-Length: 0\r\n\r\n",
                        "1.1 418 I'm a  \ttea\u00fcpot",
                        "none",
                        "",
                        "Content-Length=0"),
                response("204 has no body", "HTTP/1.1 204 No Content\r\n\r\n", "1.1 204 No Content", "none", ""),
                response(
                        "204 has no body whatever it says",
                        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
                        "1.1 204 No Content",
                        "none",
                        "",
                        "Content-Length=5"),
                response(
                        "304 has no body",
                        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                        "1.1 304 Not Modified",
                        "none",
                        "",
                        "Content-Length=5"),
                response(
                        "304 has no chunks",
                        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
                        "1.1 304 Not Modified",
                        "none",
                        "",
                        "Transfer-Encoding=chunked"),
                response("the lowest status", "HTTP/1.1 100 Continue\r\n\r\n", "1.1 100 Continue", "none", ""),
                response(
                        "the highest status",
                        "HTTP/1.1 599 x\r\nContent-Length: 0\r\n\r\n",
                        "1.1 599 x",
                        "none",
                        "",
                        "Content-Length=0"));
    }

    @Test
    void theAnswerToHeadHasNoBodyWhateverItSays() {
        for (String line : List.of("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "")) {
            byte[] message = Messages.bytes("HTTP/1.1 200 OK\r\n" + line + "\r\n");
            Reading reading = Messages.readEveryWay(Kind.RESPONSE_TO_HEAD, message);
            assertThat(reading.isAccepted()).isTrue();
            assertThat(reading.framing()).isEqualTo(BodyFraming.NONE);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void refused(Rejected vector) {
        vector.check(Kind.RESPONSE);
    }

    static Stream<Rejected> refused() {
        List<Rejected> all = new ArrayList<>();
        for (int c = 0; c < 256; c++) {
            String octet = String.valueOf((char) c);
            if (c != 'H') {
                all.add(new Rejected("octet " + c + " first", 400, "‸" + octet + "HTTP/1.1 200 OK\r\n\r\n"));
            }
            if (c != ' ') {
                all.add(new Rejected(
                        "octet " + c + " behind the version", 400, "HTTP/1.1‸" + octet + "200 OK\r\n\r\n"));
            }
            if (c != ' ' && c != '\r') {
                all.add(new Rejected(
                        "octet " + c + " behind the status", 400, "HTTP/1.1 200‸" + octet + " OK\r\n\r\n"));
            }
            if (c < '0' || c > '9') {
                all.add(new Rejected("octet " + c + " in the status", 400, "HTTP/1.1 20‸" + octet + "0 OK\r\n\r\n"));
            }
            if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
                all.add(new Rejected("octet " + c + " in the reason", 400, "HTTP/1.1 200 O‸" + octet + "K\r\n\r\n"));
            }
            if (c != '\n') {
                all.add(new Rejected(
                        "octet " + c + " behind CR", 400, "HTTP/1.1 200 OK\r‸" + octet + "\nA: b\r\n\r\n"));
            }
        }
        for (String status : List.of("000", "099", "600", "999")) {
            all.add(new Rejected(
                    "status " + status,
                    400,
                    "HTTP/1.1 " + status.substring(0, 2) + "‸" + status.substring(2) + " OK\r\n\r\n"));
        }
        all.add(new Rejected("a status of two digits", 400, "HTTP/1.1 20‸ OK\r\n\r\n"));
        all.add(new Rejected("a status of four digits", 400, "HTTP/1.1 200‸0 OK\r\n\r\n"));
        all.add(new Rejected("HTTP/2", 400, "HTTP/‸2 200 OK\r\n\r\n"));
        all.add(new Rejected("HTTP/1.2", 400, "HTTP/1.‸2 200 OK\r\n\r\n"));
        all.add(new Rejected("ICY", 400, "‸ICY 200 OK\r\n\r\n"));
        all.add(new Rejected("a request", 400, "‸GET / HTTP/1.1\r\n\r\n"));
        all.add(new Rejected("an empty line before", 400, "‸\r\nHTTP/1.1 200 OK\r\n\r\n"));
        all.add(new Rejected("a folded field", 400, "HTTP/1.1 200 OK\r\nA: b\r\n‸ c\r\n\r\n"));
        all.add(new Rejected("a space before the colon", 400, "HTTP/1.1 200 OK\r\nContent-Length‸ : 2\r\n\r\nhi"));
        all.add(new Rejected("a bare LF", 400, "HTTP/1.1 200 OK‸\nA: b\n\n"));
        return all.stream();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 1\r\nContent-Length: 1",
                "Content-Length: 1, 1",
                "Content-Length: -1",
                "Content-Length:",
                "Content-Length: 1000000000000000000",
                "Transfer-Encoding: chunked\r\nContent-Length: 1",
                "Transfer-Encoding: gzip, chunked",
                "Transfer-Encoding: chunked, xchunked",
                "Transfer-Encoding: identity",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"
            })
    void ambiguousFramingIsRefusedEvenWhereThereIsNoBody(String lines) {
        for (String status : List.of("200 OK", "204 No Content", "304 Not Modified", "500 x")) {
            Rejected vector = new Rejected(status, 400, "HTTP/1.1 " + status + "\r\n" + lines + "\r\n\r‸\n");
            vector.check(Kind.RESPONSE);
            vector.check(Kind.RESPONSE_TO_HEAD);
        }
    }

    @Test
    void chunksInHttp10AreRefused() {
        new Rejected("", 400, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r‸\n0\r\n\r\n").check(Kind.RESPONSE);
    }

    private static Accepted response(
            String name, String text, String startLine, String framing, String body, String... fields) {
        return new Accepted(name, text, startLine, List.of(fields), framing, body);
    }
}
