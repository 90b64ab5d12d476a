package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.http.Messages.Kind;
import io.drover.http.Messages.Reading;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left of a head when it leaves: nothing of its framing, nothing meant for one hop, and every other octet. */
class HeadWriterTest {
    private static final Set<String> HOP_BY_HOP = Set.of(
            "connection",
            "keep-alive",
            "proxy-connection",
            "proxy-authenticate",
            "proxy-authentication-info",
            "proxy-authorization",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "http2-settings");

    private static final Set<String> CORS = Set.of(
            "origin",
            "access-control-request-method",
            "access-control-request-headers",
            "access-control-request-private-network",
            "access-control-allow-origin",
            "access-control-allow-methods",
            "access-control-allow-headers",
            "access-control-allow-credentials",
            "access-control-expose-headers",
            "access-control-max-age");

    private static final Set<String> OUR_OWN_IN_REQUESTS = Set.of(
            "host",
            "content-length",
            "expect",
            "authorization",
            "cookie",
            "x-api-key",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-real-ip",
            "x-request-id",
            "x-drover-backend");

    private static final Set<String> OUR_OWN_IN_RESPONSES =
            Set.of("content-length", "x-request-id", "x-drover-backend");

    private final HeadWriter writer = new HeadWriter();

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"REQUEST", "RESPONSE"})
    void eachKnownFieldIsDroppedOrPassed(Kind kind) {
        for (Field field : Field.values()) {
            if (field == Field.HOST || field == Field.CONTENT_LENGTH || field == Field.TRANSFER_ENCODING) {
                continue;
            }
            for (String name : List.of(field.text(), field.text().toUpperCase(Locale.ROOT))) {
                assertThat(pass(kind, "A: b", name + ": v", "C: d"))
                        .as(name)
                        .isEqualTo(isDropped(kind, name) ? List.of("A=b", "C=d") : List.of("A=b", name + "=v", "C=d"));
            }
        }
        assertThat(pass(kind, "Content-Length: 5")).isEmpty();
        assertThat(pass(kind, "Transfer-Encoding: chunked")).isEmpty();
        assertThat(pass(Kind.RESPONSE, "Host: h")).containsExactly("Host=h");
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"REQUEST", "RESPONSE"})
    void fieldsThatConnectionNominatesAreDropped(Kind kind) {
        assertThat(pass(kind, "X-A: 1", "Connection: x-a", "x-A: 2", "X-AB: 3", "X: 4"))
                .containsExactly("X-AB=3", "X=4");
        assertThat(pass(kind, "Connection: close, X-A ,\tX-B\t,,X-C", "X-A: 1", "X-B: 2", "X-C: 3", "X-D: 4"))
                .containsExactly("X-D=4");
        assertThat(pass(
                        kind,
                        "X-B: 1",
                        "Connection: close",
                        "Connection: X-A",
                        "Connection: keep-alive, X-B",
                        "X-A: 2"))
                .isEmpty();
        assertThat(pass(kind, "Connection: \"X-A\"", "X-A: 1", "Connection:", "Connection: ,"))
                .containsExactly("X-A=1");
        assertThat(pass(kind, "Connection: close", "Close: 1", "Keep: 2"))
                .as("close is an option, no name")
                .containsExactly("Close=1", "Keep=2");
        assertThat(pass(kind, "Connection: Content-Type, Accept", "Content-Type: a", "Accept: b"))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Host", "Content-Length", "Transfer-Encoding", "host, content-length, transfer-encoding, close"})
    void aNominationDoesNotDisturbOurHostAndFraming(String nominated) {
        MessageHead request = parse(
                Kind.REQUEST,
                "POST http://a/b HTTP/1.1\r\nHost: a\r\nConnection: " + nominated + "\r\nContent-Length: 5\r\n\r\n");
        writer.startRequest(request);
        writer.raw(HeadWriter.line("Host", "backend:11434"));
        writer.passRequestFields(request);
        writer.contentLength(5);
        assertThat(end(Kind.REQUEST, "hello"))
                .isEqualTo("POST /b HTTP/1.1\r\nHost: backend:11434\r\nContent-Length: 5\r\n\r\n");

        MessageHead response = parse(
                Kind.RESPONSE,
                "HTTP/1.1 200 OK\r\nConnection: " + nominated + "\r\nTransfer-Encoding: chunked\r\n\r\n");
        writer.startResponse(response);
        writer.passResponseFields(response, false, false);
        writer.chunked();
        assertThat(end(Kind.RESPONSE, "0\r\n\r\n")).isEqualTo("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    }

    @Test
    void valuesKeepTheirOctets() {
        StringBuilder octets = new StringBuilder("x");
        for (int c = 0x20; c < 0x100; c++) {
            octets.append(c == 0x7f ? '\t' : (char) c);
        }
        String value = octets + "x";
        assertThat(pass(Kind.REQUEST, "A: " + value, "B: \t" + value + " \t"))
                .containsExactly("A=" + value, "B=" + value);
        assertThat(pass(Kind.RESPONSE, "A:" + value, "B:", "C: ")).containsExactly("A=" + value, "B=", "C=");
        MessageHead response = parse(Kind.RESPONSE, "HTTP/1.1 599 " + value + "\r\n\r\n");
        writer.startResponse(response);
        writer.contentLength(0);
        assertThat(end(Kind.RESPONSE, "")).startsWith("HTTP/1.1 599 " + value + "\r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/a?b", "//a", "*", "http://h/a", "http://h", "HTTPS://H?x", "/http://g/"})
    void theTargetGoesOnInOriginForm(String target) {
        String method = target.equals("*") ? "OPTIONS" : "M-X";
        MessageHead request = parse(Kind.REQUEST, method + " " + target + " HTTP/1.0\r\nHost: h\r\n\r\n");
        writer.startRequest(request);
        writer.field("Host", "backend");
        String expected = target.replaceFirst("^(?i)https?://h", "").replaceFirst("^(?![/*])", "/");
        assertThat(end(Kind.REQUEST, "")).isEqualTo(method + " " + expected + " HTTP/1.1\r\nHost: backend\r\n\r\n");
        assertThat(request.originForm()).isEqualTo(expected);
    }

    @Test
    void whateverIsParsedIsWrittenSoThatTwoParsersReadTheSame() {
        rewriteAll(Kind.REQUEST, 11);
        rewriteAll(Kind.RESPONSE, 12);
    }

    private void rewriteAll(Kind kind, long seed) {
        Mutations mutations = new Mutations(kind, seed);
        SplittableRandom random = new SplittableRandom(seed);
        int rewritten = 0;
        for (int i = 0; i < 30_000; i++) {
            byte[] message = mutations.next();
            Reading reading = Messages.read(kind, message);
            if (reading.error() != 0 || reading.framing() == null) {
                continue;
            }
            rewritten++;
            MessageHead parsed = parse(kind, Messages.text(message));
            start(kind, parsed);
            List<String> expected = new ArrayList<>(kind == Kind.REQUEST ? List.of("Host=b") : List.of());
            expected.addAll(model(kind, reading.fields()));
            boolean chunked = random.nextBoolean();
            boolean bodiless = kind == Kind.RESPONSE && isBodiless(parsed.status());
            if (chunked && !bodiless) {
                writer.chunked();
                expected.add("Transfer-Encoding=chunked");
            } else if (!bodiless) {
                writer.contentLength(5);
                expected.add("Content-Length=5");
            }
            String body = bodiless ? "" : chunked ? "5\r\nhello\r\n0\r\n\r\n" : "hello";
            end(kind, body, expected);
        }
        assertThat(rewritten).isGreaterThan(5_000);
    }

    private static boolean isBodiless(int status) {
        return status < 200 || status == 204 || status == 304;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 9, 10, 99, 100, 4096, Integer.MAX_VALUE, 999_999_999_999_999_999L, Long.MAX_VALUE})
    void numbersAreWritten(long value) {
        writer.startResponse(200);
        writer.contentLength(value);
        ByteBuf out = writer.end(UnpooledByteBufAllocator.DEFAULT, 0);
        assertThat(out.toString(StandardCharsets.ISO_8859_1))
                .isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: " + value + "\r\n\r\n");
        release(out);
    }

    @Test
    void aNumberStandsBehindTheStartOfItsLine() {
        writer.startResponse(429);
        writer.field(HeadWriter.ascii("RateLimit-Reset: "), 60);
        writer.field(HeadWriter.ascii("Retry-After: "), 0);
        ByteBuf out = writer.end(UnpooledByteBufAllocator.DEFAULT, 0);
        assertThat(out.toString(StandardCharsets.ISO_8859_1))
                .isEqualTo("HTTP/1.1 429 Too Many Requests\r\nRateLimit-Reset: 60\r\nRetry-After: 0\r\n\r\n");
        release(out);
    }

    @Test
    void aResponseThatTellsOfOurLimitTellsOfNoOther() {
        String lines = String.join(
                "\r\n",
                "RateLimit-Limit: 1",
                "ratelimit-remaining: 2",
                "RATELIMIT-RESET: 3",
                "X-Request-Id: forged",
                "RateLimit-Policy: 4",
                "Retry-After: 5");
        MessageHead response = parse(Kind.RESPONSE, "HTTP/1.1 200 OK\r\n" + lines + "\r\n\r\n");
        writer.startResponse(response);
        writer.passResponseFields(response, true, false);
        writer.contentLength(0);
        assertThat(fields(end(Kind.RESPONSE, "")))
                .containsExactly("RateLimit-Policy=4", "Retry-After=5", "Content-Length=0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResponseThatTellsOfOurCacheTellsOfNoOther(boolean limited) {
        MessageHead response = parse(Kind.RESPONSE, "HTTP/1.1 200 OK\r\nx-cache: HIT from far\r\nAge: 5\r\n\r\n");
        writer.startResponse(response);
        writer.passResponseFields(response, limited, true);
        writer.contentLength(0);
        assertThat(fields(end(Kind.RESPONSE, ""))).containsExactly("Age=5", "Content-Length=0");
    }

    @Test
    void aWriterServesOneHeadAfterTheOtherWhateverTheirSize() {
        for (int size : new int[] {1, 40_000, 1, 3_000}) {
            writer.startResponse(500);
            writer.field("A", "\u00ff".repeat(size));
            writer.connectionClose();
            writer.connectionKeepAlive();
            ByteBuf out = writer.end(UnpooledByteBufAllocator.DEFAULT, 77);
            assertThat(out.writableBytes()).isGreaterThanOrEqualTo(77);
            assertThat(out.toString(StandardCharsets.ISO_8859_1))
                    .isEqualTo("HTTP/1.1 500 Internal Server Error\r\nA: " + "\u00ff".repeat(size)
                            + "\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n");
            release(out);
        }
    }

    @Test
    void sizeLinesAndEndsOfChunksAreThoseOfTheCoding() {
        for (int size : new int[] {1, 9, 10, 15, 16, 255, 256, 4096, 65_535, 65_536, Integer.MAX_VALUE}) {
            ByteBuf line = ChunkWriter.sizeLine(UnpooledByteBufAllocator.DEFAULT, size);
            assertThat(line.toString(StandardCharsets.ISO_8859_1)).isEqualTo(Integer.toHexString(size) + "\r\n");
            release(line);
        }
        for (int i = 0; i < 3; i++) {
            ByteBuf crlf = ChunkWriter.crlf();
            ByteBuf last = ChunkWriter.lastChunk();
            assertThat(crlf.readCharSequence(2, StandardCharsets.ISO_8859_1)).hasToString("\r\n");
            assertThat(last.readCharSequence(5, StandardCharsets.ISO_8859_1)).hasToString("0\r\n\r\n");
            crlf.release();
            last.release();
        }
    }

    private void start(Kind kind, MessageHead head) {
        if (kind == Kind.REQUEST) {
            writer.startRequest(head);
            writer.raw(HeadWriter.line("Host", "b"));
            writer.passRequestFields(head);
        } else {
            writer.startResponse(head);
            writer.passResponseFields(head, false, false);
        }
    }

    /** What a head with these lines passes on, as two parsers read it. */
    private List<String> pass(Kind kind, String... lines) {
        String start = kind == Kind.REQUEST ? "GET / HTTP/1.1\r\nHost: h\r\n" : "HTTP/1.1 200 OK\r\n";
        MessageHead parsed = parse(kind, start + String.join("\r\n", lines) + "\r\n\r\n");
        start(kind, parsed);
        writer.contentLength(0);
        List<String> passed = fields(end(kind, ""));
        if (kind == Kind.REQUEST) {
            assertThat(passed.remove(0)).isEqualTo("Host=b");
        }
        assertThat(passed.remove(passed.size() - 1)).isEqualTo("Content-Length=0");
        return passed;
    }

    private static List<String> fields(String head) {
        List<String> fields = new ArrayList<>();
        for (String line : head.substring(head.indexOf('\n') + 1).split("\r\n")) {
            fields.add(line.replaceFirst(": ", "="));
        }
        return fields;
    }

    /** The same in other words: by names in lower case. */
    private static List<String> model(Kind kind, List<String> fields) {
        List<String> nominated = new ArrayList<>();
        for (String field : fields) {
            if (name(field).equals("connection")) {
                for (String token : field.substring(field.indexOf('=') + 1).split(",")) {
                    nominated.add(token.replaceAll("^[ \t]+|[ \t]+$", "").toLowerCase(Locale.ROOT));
                }
            }
        }
        return fields.stream()
                .filter(field -> !isDropped(kind, name(field)) && !nominated.contains(name(field)))
                .toList();
    }

    private static String name(String field) {
        return field.substring(0, field.indexOf('=')).toLowerCase(Locale.ROOT);
    }

    private static boolean isDropped(Kind kind, String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return HOP_BY_HOP.contains(lower)
                || CORS.contains(lower)
                || (kind == Kind.REQUEST ? OUR_OWN_IN_REQUESTS : OUR_OWN_IN_RESPONSES).contains(lower);
    }

    private String end(Kind kind, String body) {
        ByteBuf out = writer.end(UnpooledByteBufAllocator.DEFAULT, body.length());
        String head = out.toString(StandardCharsets.ISO_8859_1);
        release(out);
        readTwice(kind, head, body);
        return head;
    }

    private void end(Kind kind, String body, List<String> expected) {
        String head = end(kind, body);
        Reading reading = Messages.read(kind, Messages.bytes(head + body));
        assertThat(reading.fields()).as(head).isEqualTo(expected);
        assertThat(head.split("\r\n", -1)).as("lines of %s", head).hasSize(expected.size() + 3);
    }

    private static void readTwice(Kind kind, String head, String body) {
        byte[] message = Messages.bytes(head + body);
        Reading ours = Messages.read(kind, message);
        assertThat(ours.isAccepted()).as("%s of %s", ours, head).isTrue();
        assertThat(ours.consumed()).isEqualTo(message.length);
        NettyReader netty = new NettyReader(kind);
        netty.read(message, 0, message.length);
        netty.end();
        assertThat(netty.failure()).as(head).isNull();
        assertThat(netty.isOneMessage()).as(head).isTrue();
        assertThat(netty.fields()).as(head).isEqualTo(ours.fields());
        assertThat(netty.body()).isEqualTo(ours.body());
    }

    private static MessageHead parse(Kind kind, String text) {
        MessageHead head = new MessageHead();
        HeadParser parser = kind == Kind.REQUEST
                ? HeadParser.ofRequests(Messages.MAX_HEAD, Messages.MAX_FIELDS)
                : HeadParser.ofResponses(Messages.MAX_HEAD, Messages.MAX_FIELDS);
        ByteBuf in = Unpooled.copiedBuffer(Messages.bytes(text));
        try {
            parser.reset(head);
            assertThat(parser.parse(in, head)).isTrue();
            if (kind == Kind.REQUEST) {
                RequestTarget.check(head);
            }
            return head;
        } catch (BadMessageException e) {
            throw new AssertionError(text, e);
        } finally {
            release(in);
        }
    }

    private static void release(ByteBuf buf) {
        assertThat(buf.release()).isTrue();
        assertThat(buf.refCnt()).isZero();
    }
}
