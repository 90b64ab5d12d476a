package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.http.Messages.Kind;
import io.drover.http.Messages.Reading;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads, fields and chunk decorations at their limits and one beyond; parsers and heads that serve many messages. */
class LimitsTest {
    private static final String START = "GET / HTTP/1.1\r\nHost: h\r\n";

    @Test
    void aHeadOfExactlyTheLimitIsReadAndOneOctetMoreIs431AtThatOctet() {
        byte[] head = Messages.bytes(START + "A: bcd\r\n\r\n");
        for (int cut = 0; cut <= head.length; cut++) {
            assertThat(Messages.readWithin(head.length, 10, Kind.REQUEST, head, cut)
                            .isAccepted())
                    .isTrue();
            assertThat(Messages.readWithin(head.length - 1, 10, Kind.REQUEST, head, cut)
                            .error())
                    .isEqualTo(431);
        }
        for (int limit = 1; limit < head.length; limit++) {
            byte[] within = Arrays.copyOf(head, limit);
            assertThat(Messages.readWithin(limit, 10, Kind.REQUEST, within).error())
                    .isZero();
            byte[] beyond = Arrays.copyOf(head, limit + 1);
            assertThat(Messages.readWithin(limit, 10, Kind.REQUEST, beyond).error())
                    .isEqualTo(431);
        }
    }

    @Test
    void bytesBehindTheHeadDoNotCountAgainstItsLimit() {
        byte[] head = Messages.bytes("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000\r\n\r\n");
        byte[] message = Arrays.copyOf(head, head.length + 4000);
        assertThat(Messages.readWithin(head.length, 2, Kind.REQUEST, message).isAccepted())
                .isTrue();
    }

    @Test
    void aHeadOf32KbIsReadWhateverTheSizeOfItsPieces() {
        byte[] head = Messages.bytes(START + "A: " + "x".repeat(Messages.MAX_HEAD - START.length() - 7) + "\r\n\r\n");
        assertThat(head).hasSize(Messages.MAX_HEAD);
        Reading whole = Messages.read(Kind.REQUEST, head);
        assertThat(whole.isAccepted()).isTrue();
        assertThat(Messages.byteByByte(Kind.REQUEST, head)).isEqualTo(whole);
        for (int size : new int[] {2, 3, 7, 1023, 1024, 1025, 4096, 32767}) {
            int[] cuts = new int[(head.length - 1) / size];
            for (int i = 0; i < cuts.length; i++) {
                cuts[i] = (i + 1) * size;
            }
            assertThat(Messages.read(Kind.REQUEST, head, cuts)).isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"REQUEST", "RESPONSE"})
    void oneFieldTooManyIs431AtItsEnd(Kind kind) {
        String start = kind == Kind.REQUEST ? "GET / HTTP/1.1\r\nHost: h\r\n" : "HTTP/1.1 204 x\r\nHost: h\r\n";
        String most = start + "A: b\r\n".repeat(Messages.MAX_FIELDS - 1);
        assertThat(Messages.readEveryWay(kind, Messages.bytes(most + "\r\n")).isAccepted())
                .isTrue();
        new Rejected("129 fields", 431, most + "C: d\r‸\n\r\n").check(kind);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1;", "0\r\n"})
    void chunkDecorationsOverTheLimitAre431(String start) throws BadMessageException {
        ChunkedFraming framing = new ChunkedFraming(10);
        framing.reset(false);
        ByteBuf first =
                Unpooled.copiedBuffer(Messages.bytes(start + "aaaaaaaaaa".substring(0, start.length() == 2 ? 9 : 10)));
        ByteBuf second = Unpooled.copiedBuffer(Messages.bytes("aa"));
        framing.scan(first, (buf, from, to) -> {});
        assertThatThrownBy(() -> framing.scan(second, (buf, from, to) -> {}))
                .isInstanceOfSatisfying(
                        BadMessageException.class, e -> assertThat(e.status()).isEqualTo(431));
        first.release();
        second.release();
        assertThat(first.refCnt() + second.refCnt()).isZero();
    }

    @Test
    void manySmallExtensionsAddUp() {
        byte[] message = Messages.bytes("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "1;aaaaaaaaaa\r\nx\r\n".repeat(Messages.MAX_HEAD / 10));
        assertThat(Messages.read(Kind.REQUEST, message).error()).isEqualTo(431);
        assertThat(Messages.byteByByte(Kind.REQUEST, message).error()).isEqualTo(431);
    }

    @Test
    void oneParserAndOneHeadReadManyMessagesInARowAndNothingIsLeftOfTheOneBefore() throws BadMessageException {
        HeadParser parser = HeadParser.ofRequests(Messages.MAX_HEAD, Messages.MAX_FIELDS);
        MessageHead head = new MessageHead();
        String large = "POST /large?x HTTP/1.0\r\nContent-Length: 5\r\nA: " + "x".repeat(20_000) + "\r\n"
                + "B: c\r\n".repeat(100) + "\r\n";
        String small = "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
        ByteBuf in = Unpooled.copiedBuffer(Messages.bytes(small + large + small + small + large + small));
        for (int i = 0; i < 6; i++) {
            boolean isLarge = i == 1 || i == 4;
            parser.reset(head);
            assertThat(parser.isStarted()).isFalse();
            assertThat(head.fieldCount()).isZero();
            assertThat(parser.parse(in, head)).isTrue();
            assertThat(head.method()).isEqualTo(isLarge ? "POST" : "GET");
            assertThat(head.minorVersion()).isEqualTo(isLarge ? 0 : 1);
            assertThat(head.fieldCount()).isEqualTo(isLarge ? 102 : 1);
            assertThat(head.has(Field.HOST)).isEqualTo(!isLarge);
            assertThat(head.has(Field.CONTENT_LENGTH)).isEqualTo(isLarge);
            assertThat(head.length()).isEqualTo(isLarge ? large.length() : small.length());
        }
        assertThat(in.isReadable()).isFalse();
        parser.reset(head);
        assertThat(head.bytes().length).isLessThanOrEqualTo(8 * 1024);
        in.release();
        assertThat(in.refCnt()).isZero();
    }

    @Test
    void emptyLinesDoNotStartAHead() throws BadMessageException {
        HeadParser parser = HeadParser.ofRequests(100, 10);
        MessageHead head = new MessageHead();
        parser.reset(head);
        ByteBuf in = Unpooled.copiedBuffer(Messages.bytes("\r\n\r\nG"));
        for (int i = 0; i < 5; i++) {
            assertThat(parser.isStarted()).isFalse();
            ByteBuf octet = in.readSlice(1);
            assertThat(parser.parse(octet, head)).isFalse();
        }
        assertThat(parser.isStarted()).isTrue();
        in.release();
        assertThat(in.refCnt()).isZero();
    }
}
