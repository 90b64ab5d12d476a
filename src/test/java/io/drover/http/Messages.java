package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads one message the way a connection does: head, target rules, framing, body; in whatever pieces. What comes out is
 * a value, so that two readings can be compared.
 */
final class Messages {
    static final int MAX_HEAD = 32 * 1024;
    static final int MAX_FIELDS = 128;

    /** Octets before and behind each piece in its buffer: an index that is not the buffer's own would hit them. */
    private static final byte[] GARBAGE = {'\n', 0, ' ', '\r', '\n', '7'};

    private Messages() {}

    enum Kind {
        REQUEST,
        RESPONSE,
        RESPONSE_TO_HEAD
    }

    /**
     * What became of a message.
     *
     * @param error 0, or the status it was refused with
     * @param complete whether its end was found
     * @param consumed octets that belong to it, where it is complete
     */
    record Reading(
            int error,
            @Nullable String why,
            boolean complete,
            int consumed,
            @Nullable String startLine,
            List<String> fields,
            @Nullable BodyFraming framing,
            String body) {

        boolean isAccepted() {
            return error == 0 && complete;
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    static Reading read(Kind kind, byte[] message, int... cuts) {
        return readWithin(MAX_HEAD, MAX_FIELDS, kind, message, cuts);
    }

    /** @param cuts ascending positions between which the pieces lie */
    static Reading readWithin(int maxHead, int maxFields, Kind kind, byte[] message, int... cuts) {
        Reader reader = new Reader(kind, maxHead, maxFields);
        int from = 0;
        for (int i = 0; i <= cuts.length && !reader.isOver(); i++) {
            int to = i == cuts.length ? message.length : cuts[i];
            ByteBuf piece = Unpooled.buffer(to - from + 2 * GARBAGE.length)
                    .writeBytes(GARBAGE)
                    .writeBytes(message, from, to - from)
                    .writeBytes(GARBAGE);
            piece.setIndex(GARBAGE.length, GARBAGE.length + to - from);
            reader.read(piece);
            assertThat(piece.refCnt()).isEqualTo(1);
            piece.release();
            assertThat(piece.refCnt()).isZero();
            from = to;
        }
        return reader.reading();
    }

    static Reading byteByByte(Kind kind, byte[] message) {
        int[] cuts = new int[Math.max(0, message.length - 1)];
        for (int i = 0; i < cuts.length; i++) {
            cuts[i] = i + 1;
        }
        return read(kind, message, cuts);
    }

    /** Reads whole, byte by byte and split in two at every point; all must agree. */
    static Reading readEveryWay(Kind kind, byte[] message) {
        Reading whole = read(kind, message);
        assertThat(byteByByte(kind, message)).as("byte by byte").isEqualTo(whole);
        for (int cut = 0; cut <= message.length; cut++) {
            assertThat(read(kind, message, cut)).as("split at %d", cut).isEqualTo(whole);
        }
        return whole;
    }

    private static final class Reader implements ChunkedFraming.Payload {
        private final Kind kind;
        private final HeadParser parser;
        private final MessageHead head = new MessageHead();
        private final ChunkedFraming chunks;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private @Nullable BodyFraming framing;
        private long remaining;
        private int consumed;
        private boolean complete;
        private @Nullable BadMessageException error;

        Reader(Kind kind, int maxHead, int maxFields) {
            this.kind = kind;
            this.parser = kind == Kind.REQUEST
                    ? HeadParser.ofRequests(maxHead, maxFields)
                    : HeadParser.ofResponses(maxHead, maxFields);
            this.chunks = new ChunkedFraming(maxHead);
            parser.reset(head);
            chunks.reset(false);
        }

        boolean isOver() {
            return error != null || complete;
        }

        void read(ByteBuf piece) {
            int start = piece.readerIndex();
            try {
                if (framing == null && !head(piece)) {
                    return;
                }
                body(piece);
            } catch (BadMessageException e) {
                error = e;
            } finally {
                consumed += piece.readerIndex() - start;
            }
        }

        private boolean head(ByteBuf piece) throws BadMessageException {
            if (!parser.parse(piece, head)) {
                assertThat(piece.isReadable())
                        .as("an incomplete head leaves bytes")
                        .isFalse();
                return false;
            }
            BodyFraming chosen;
            if (kind == Kind.REQUEST) {
                RequestTarget.check(head);
                chosen = BodyFraming.ofRequest(head);
            } else if (head.status() < 200) {
                chosen = BodyFraming.NONE;
            } else {
                chosen = BodyFraming.ofResponse(head, kind == Kind.RESPONSE_TO_HEAD);
            }
            framing = chosen;
            remaining = chosen.length();
            complete = chosen.isNone();
            return true;
        }

        private void body(ByteBuf piece) throws BadMessageException {
            int from = piece.readerIndex();
            switch (Objects.requireNonNull(framing).kind()) {
                case NONE -> {}
                case LENGTH -> {
                    int size = (int) Math.min(remaining, piece.readableBytes());
                    onPayload(piece, from, from + size);
                    remaining -= size;
                    piece.skipBytes(size);
                    complete = remaining == 0;
                }
                case CHUNKED -> {
                    piece.readerIndex(chunks.scan(piece, this));
                    complete = chunks.isDone();
                }
                case UNTIL_CLOSE -> {
                    onPayload(piece, from, piece.writerIndex());
                    piece.skipBytes(piece.readableBytes());
                }
            }
        }

        @Override
        public void onPayload(ByteBuf buf, int from, int to) {
            assertThat(from).isBetween(buf.readerIndex(), to);
            assertThat(to).isLessThanOrEqualTo(buf.writerIndex());
            byte[] copy = new byte[to - from];
            buf.getBytes(from, copy);
            body.writeBytes(copy);
        }

        Reading reading() {
            BadMessageException e = error;
            if (e != null) {
                return new Reading(e.status(), e.getMessage(), false, 0, null, List.of(), null, "");
            }
            boolean untilClose = framing != null && framing.kind() == BodyFraming.Kind.UNTIL_CLOSE;
            return new Reading(
                    0,
                    null,
                    complete || untilClose,
                    consumed,
                    framing == null ? null : startLine(),
                    framing == null ? List.of() : fields(),
                    framing,
                    text(body.toByteArray()));
        }

        private String startLine() {
            return kind == Kind.REQUEST
                    ? head.method() + " " + head.text(head.targetStart(), head.targetEnd()) + " 1."
                            + head.minorVersion() + " -> " + head.originForm()
                    : "1." + head.minorVersion() + " " + head.status() + " "
                            + head.text(head.reasonStart(), head.reasonEnd());
        }

        private List<String> fields() {
            List<String> fields = new ArrayList<>();
            for (int i = 0; i < head.fieldCount(); i++) {
                String name = head.text(head.nameStart(i), head.nameEnd(i));
                Field field = head.field(i);
                assertThat(field == null || field.text().equalsIgnoreCase(name)).isTrue();
                assertThat(field == null).isEqualTo(isUnknown(name));
                fields.add(name + "=" + head.text(head.valueStart(i), head.valueEnd(i)));
            }
            return fields;
        }

        private static boolean isUnknown(String name) {
            for (Field field : Field.values()) {
                if (field.text().toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT))) {
                    return false;
                }
            }
            return true;
        }
    }
}
