package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A relay that passes chunks on as they came, on the word of {@link ChunkedFraming#proven}: nothing but proven octets
 * goes out, all of them do, and never one that a reader could take for an end that is none.
 */
class ChunkedRelayTest {
    private static final int STREAMS = 3_000;

    /** A size line of 15 digits and the end of a body: all that can stay unproven of a body without decorations. */
    private static final int MOST_UNPROVEN = 15 + 2 + 1;

    /** A body and where its parts lie. */
    private record Stream(String wire, String payload, List<Integer> boundaries, int decoratedAt) {

        int lastChunk() {
            return boundaries.get(boundaries.size() - 1);
        }
    }

    private enum Decoration {
        NONE {
            @Override
            String of(SplittableRandom random) {
                return "";
            }
        },
        EXTENSION {
            @Override
            String of(SplittableRandom random) {
                return ";" + (random.nextBoolean() ? "a" : "name=\"; 0\\\"\"");
            }
        },
        TRAILER {
            @Override
            String of(SplittableRandom random) {
                return "A: b\r\n".repeat(1 + random.nextInt(3));
            }
        };

        abstract String of(SplittableRandom random);
    }

    /** Does what a relay may do; the rule is that of {@link ChunkedFraming#proven}. */
    private static final class Relay implements ChunkedFraming.Payload {
        private final ChunkedFraming framing = new ChunkedFraming(Messages.MAX_HEAD);
        private final StringBuilder forwarded = new StringBuilder();
        private final StringBuilder held = new StringBuilder();
        private final StringBuilder payload = new StringBuilder();

        Relay() {
            framing.reset(true);
        }

        void read(String wire) throws BadMessageException {
            ByteBuf buf =
                    Unpooled.buffer(wire.length() + 3).writeBytes(new byte[3]).writeBytes(Messages.bytes(wire));
            buf.readerIndex(3);
            try {
                boolean passing = framing.isPassThrough();
                int scanned = framing.scan(buf, this);
                assertThat(buf.readerIndex()).isEqualTo(3);
                if (!passing) {
                    assertThat(scanned).isEqualTo(buf.writerIndex());
                    return;
                }
                int proven = framing.proven();
                assertThat(proven).isBetween(3, scanned);
                if (proven > 3) {
                    forwarded.append(held).append(wire, 0, proven - 3);
                    held.setLength(0);
                }
                if (framing.isPassThrough()) {
                    held.append(wire, proven - 3, scanned - 3);
                } else {
                    buf.readerIndex(scanned);
                    framing.scan(buf, this);
                }
            } finally {
                buf.release();
            }
            assertThat(buf.refCnt()).isZero();
        }

        @Override
        public void onPayload(ByteBuf buf, int from, int to) {
            assertThat(to).isGreaterThan(from);
            payload.append(buf.toString(from, to - from, StandardCharsets.ISO_8859_1));
        }
    }

    @Test
    void aPlainBodyGoesOnAsItCame() throws BadMessageException {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < STREAMS; i++) {
            Stream stream = stream(random, Decoration.NONE);
            Relay relay = new Relay();
            int seen = 0;
            for (String piece : pieces(stream.wire, random)) {
                relay.read(piece);
                seen += piece.length();
                assertThat(relay.forwarded + relay.held.toString()).isEqualTo(stream.wire.substring(0, seen));
                assertThat(relay.held.length()).isLessThanOrEqualTo(MOST_UNPROVEN);
                assertThat(relay.framing.isDone()).isEqualTo(seen == stream.wire.length());
                assertThat(relay.framing.isAtBoundary())
                        .isEqualTo(stream.boundaries.contains(relay.forwarded.length()));
            }
            assertThat(relay.forwarded.toString()).isEqualTo(stream.wire);
            assertThat(relay.payload.toString()).isEqualTo(stream.payload);
            assertThat(relay.framing.isPassThrough()).isTrue();
            assertThat(relay.framing.hasTrailer()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Decoration.class,
            names = {"EXTENSION", "TRAILER"})
    void nothingFromTheFirstDecoratedChunkOnGoesOnAsItCame(Decoration decoration) throws BadMessageException {
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < STREAMS; i++) {
            Stream stream = stream(random, decoration);
            Relay relay = new Relay();
            for (String piece : pieces(stream.wire, random)) {
                assertThat(relay.framing.isDone()).isFalse();
                relay.read(piece);
            }
            assertThat(relay.framing.isDone()).isTrue();
            assertThat(relay.forwarded.toString()).isEqualTo(stream.wire.substring(0, stream.decoratedAt));
            assertThat(relay.payload.toString()).isEqualTo(stream.payload);
            assertThat(relay.framing.isPassThrough()).isEqualTo(decoration == Decoration.TRAILER);
            assertThat(relay.framing.hasTrailer()).isEqualTo(decoration == Decoration.TRAILER);
        }
    }

    @Test
    void aBodyCutShortIsNeverDoneAndItsEndNeverForwarded() throws BadMessageException {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 300; i++) {
            Decoration decoration = Decoration.values()[i % 3];
            Stream stream = stream(random, decoration);
            for (int length = 0; length < stream.wire.length(); length++) {
                String cut = stream.wire.substring(0, length);
                Relay relay = new Relay();
                for (String piece : pieces(cut, random)) {
                    relay.read(piece);
                }
                assertThat(relay.framing.isDone()).as(cut).isFalse();
                assertThat(cut).startsWith(relay.forwarded.toString());
                assertThat(relay.forwarded.length()).isLessThanOrEqualTo(stream.lastChunk());
                assertThat(stream.payload).startsWith(relay.payload.toString());
            }
        }
    }

    @Test
    void whatLiesBehindABodyIsNotLookedAt() throws BadMessageException {
        ChunkedFraming framing = new ChunkedFraming(100);
        for (boolean passThrough : new boolean[] {true, false}) {
            framing.reset(passThrough);
            ByteBuf buf = Unpooled.copiedBuffer(Messages.bytes("1\r\na\r\n0\r\n\r\n\0\0"));
            assertThat(framing.scan(buf, (in, from, to) -> {})).isEqualTo(buf.writerIndex() - 2);
            assertThat(framing.isDone()).isTrue();
            buf.release();
            assertThat(buf.refCnt()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"80000000", "100000000", "100000001", "7fffffffffffffff", "fffffffffffffff"})
    void aSizeBeyondAnIntIsThatSize(String size) {
        Relay relay = new Relay();
        String text = "\r\n0\r\n\r\n0\r\n\r\n";
        try {
            relay.read(size + "\r\n");
            relay.read(text);
        } catch (BadMessageException e) {
            assertThat(size).hasSizeGreaterThan(15);
            return;
        }
        assertThat(size).hasSizeLessThanOrEqualTo(15);
        assertThat(relay.framing.isDone()).isFalse();
        assertThat(relay.payload.toString()).isEqualTo(text);
    }

    private static Stream stream(SplittableRandom random, Decoration decoration) {
        StringBuilder wire = new StringBuilder();
        StringBuilder payload = new StringBuilder();
        List<Integer> boundaries = new ArrayList<>();
        int chunks = random.nextInt(6);
        int decorated = decoration == Decoration.EXTENSION ? random.nextInt(chunks + 1) : -1;
        int decoratedAt = -1;
        for (int i = 0; i < chunks; i++) {
            boundaries.add(wire.length());
            decoratedAt = i == decorated ? wire.length() : decoratedAt;
            String data = data(random);
            wire.append(size(data.length(), random)).append(i == decorated ? decoration.of(random) : "");
            // Further chunks may have extensions too.
            wire.append(decorated >= 0 && i > decorated && random.nextBoolean() ? Decoration.EXTENSION.of(random) : "");
            wire.append("\r\n").append(data).append("\r\n");
            payload.append(data);
        }
        boundaries.add(wire.length());
        decoratedAt = decorated == chunks || decoration == Decoration.TRAILER ? wire.length() : decoratedAt;
        wire.append(size(0, random))
                .append(decorated == chunks ? decoration.of(random) : "")
                .append("\r\n");
        wire.append(decoration == Decoration.TRAILER ? decoration.of(random) : "")
                .append("\r\n");
        return new Stream(wire.toString(), payload.toString(), boundaries, decoratedAt);
    }

    private static String size(int size, SplittableRandom random) {
        String digits = Integer.toHexString(size);
        digits = random.nextBoolean() ? digits.toUpperCase(Locale.ROOT) : digits;
        int zeros = random.nextInt(4) == 0 ? random.nextInt(16 - digits.length()) : 0;
        return "0".repeat(zeros) + digits;
    }

    /** Payload that looks like framing as often as not. */
    private static String data(SplittableRandom random) {
        return switch (random.nextInt(5)) {
            case 0 -> "\r\n0\r\n\r\n";
            case 1 -> "0\r\n\r\n".repeat(1 + random.nextInt(20));
            case 2 -> "\n";
            default -> "{\"response\":\"\u00e4\"}\n".repeat(1 + random.nextInt(random.nextInt(10) == 0 ? 50 : 3));
        };
    }

    private static List<String> pieces(String wire, SplittableRandom random) {
        int largest = 1 + random.nextInt(random.nextBoolean() ? 3 : 60);
        List<String> pieces = new ArrayList<>();
        for (int from = 0; from < wire.length(); ) {
            int to = Math.min(wire.length(), from + 1 + random.nextInt(largest));
            pieces.add(wire.substring(from, to));
            from = to;
        }
        return pieces;
    }
}
