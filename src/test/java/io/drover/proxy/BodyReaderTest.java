package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A body taken off the wire: where it ends, what it counts, when it is too large. */
class BodyReaderTest {
    private static final String BEHIND = "GET /next HTTP/1.1\r\n";

    private final StringBuilder payload = new StringBuilder();

    private BodyReader reader(BodyFraming framing, long limit) {
        ChunkedFraming chunks = new ChunkedFraming(100);
        chunks.reset(false);
        return new BodyReader(
                framing,
                limit,
                framing.kind() == BodyFraming.Kind.CHUNKED ? chunks : null,
                (buf, from, to) -> payload.append(buf.toString(from, to - from, StandardCharsets.US_ASCII)));
    }

    private void read(BodyReader reader, String wire, int size, String expectedRest) throws BadMessageException {
        ByteBuf in = Unpooled.copiedBuffer("??" + wire, StandardCharsets.US_ASCII);
        in.readerIndex(2);
        try {
            while (in.isReadable() && !reader.isComplete()) {
                ByteBuf piece = in.slice(in.readerIndex(), Math.min(size, in.readableBytes()));
                reader.read(piece);
                in.skipBytes(piece.readerIndex());
            }
            assertThat(in.toString(StandardCharsets.US_ASCII)).isEqualTo(expectedRest);
        } finally {
            in.release();
            assertThat(in.refCnt()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 6, 7, 1000})
    void aLengthEndsAtItsLastOctet(int size) throws BadMessageException {
        BodyReader reader = reader(BodyFraming.ofLength(6), 6);
        assertThat(reader.remaining()).isEqualTo(6);
        read(reader, "abcdef" + BEHIND, size, BEHIND);
        assertThat(payload).hasToString("abcdef");
        assertThat(reader.isComplete()).isTrue();
        assertThat(reader.remaining()).isZero();
        assertThat(reader.wireBytes()).isEqualTo(6);
        assertThat(reader.payloadBytes()).isEqualTo(6);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 6, 7, 1000})
    void chunksEndBehindTheLastOne(int size) throws BadMessageException {
        String wire = "3;a=b\r\nabc\r\n03\r\ndef\r\n0\r\nA: b\r\n\r\n";
        BodyReader reader = reader(BodyFraming.CHUNKED, 6);
        read(reader, wire + BEHIND, size, BEHIND);
        assertThat(payload).hasToString("abcdef");
        assertThat(reader.isComplete()).isTrue();
        assertThat(reader.remaining()).isZero();
        assertThat(reader.wireBytes()).isEqualTo(wire.length());
        assertThat(reader.payloadBytes()).isEqualTo(6);
    }

    @Test
    void noBodyIsComplete() {
        assertThat(reader(BodyFraming.NONE, 0).isComplete()).isTrue();
        assertThat(reader(BodyFraming.CHUNKED, 0).isComplete()).isFalse();
        assertThat(reader(BodyFraming.ofLength(1), 0).isComplete()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 1000})
    void oneOctetOverTheLimitIs413AndNothingBeyondTheLimitIsKept(int size) {
        for (BodyReader reader :
                new BodyReader[] {reader(BodyFraming.CHUNKED, 5), reader(BodyFraming.ofLength(6), 5)}) {
            payload.setLength(0);
            String wire = reader.remaining() > 0 ? "abcdef" : "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
            assertThatThrownBy(() -> read(reader, wire, size, ""))
                    .isInstanceOfSatisfying(BadMessageException.class, e -> assertThat(e.status())
                            .isEqualTo(413));
            assertThat(payload.length()).isLessThanOrEqualTo(5);
        }
    }

    @Test
    void aBrokenChunkIs400() {
        assertThatThrownBy(() -> read(reader(BodyFraming.CHUNKED, 5), "3\nabc", 2, ""))
                .isInstanceOfSatisfying(
                        BadMessageException.class, e -> assertThat(e.status()).isEqualTo(400));
    }
}
