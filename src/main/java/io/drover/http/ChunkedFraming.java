package io.drover.http;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Follows the chunked coding (RFC 9112, 7.1) of one body through whatever pieces it arrives in, and tells which bytes
 * are payload and which are proven, that is: known to be valid framing however the body goes on.
 *
 * <p>Sizes are longs of at most 15 hexadecimal digits, so nothing wraps. Chunk extensions and trailer fields are
 * checked and bounded, but never worth passing on. Allocates nothing. Belongs to one event loop.
 */
public final class ChunkedFraming {
    /** Takes the payload of a body, piece by piece. */
    public interface Payload {
        /** Bytes {@code from} to {@code to} of {@code buf} are payload; the buffer stays the caller's. */
        void onPayload(ByteBuf buf, int from, int to);
    }

    private static final int MAX_SIZE_DIGITS = 15;

    private enum State {
        SIZE,
        EXTENSION_START,
        EXTENSION_NAME,
        EXTENSION_VALUE_START,
        EXTENSION_VALUE,
        EXTENSION_QUOTED,
        EXTENSION_ESCAPED,
        EXTENSION_QUOTED_END,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILER_START,
        TRAILER_NAME,
        TRAILER_VALUE,
        TRAILER_LF,
        END_LF,
        DONE
    }

    private final int maxExtraBytes;

    private State state = State.SIZE;
    private long remaining;
    private int digits;
    private int extraBytes;
    private boolean trailer;
    private boolean passThrough;
    private int proven;

    /** @param maxExtraBytes most bytes of extensions and trailers together, over the whole body */
    public ChunkedFraming(int maxExtraBytes) {
        this.maxExtraBytes = maxExtraBytes;
    }

    /**
     * Prepares for the next body.
     *
     * @param passThrough whether the caller forwards proven bytes as they are; then a scan ends early, behind the
     *     semicolon, at the first chunk extension, and the rest of the body can no longer pass as it is
     */
    public void reset(boolean passThrough) {
        this.passThrough = passThrough;
        state = State.SIZE;
        remaining = 0;
        digits = 0;
        extraBytes = 0;
        trailer = false;
    }

    /** Whether the body has ended, its last CRLF included. */
    public boolean isDone() {
        return state == State.DONE;
    }

    /** Whether the proven bytes end between two chunks, so that a chunk of someone else's could follow them. */
    public boolean isAtBoundary() {
        return switch (state) {
            case DATA, DATA_CR, DATA_LF, DONE -> false;
            // What was seen of a size line, or of the body's end, is not proven yet.
            default -> true;
        };
    }

    /** Whether proven bytes may still be forwarded as they are: asked for, and no chunk extension seen. */
    public boolean isPassThrough() {
        return passThrough;
    }

    /** Whether a trailer field was seen. */
    public boolean hasTrailer() {
        return trailer;
    }

    /**
     * End of the proven bytes of the last scanned buffer, an absolute index: all before it may be forwarded as they
     * are. An unfinished size line, an unfinished CRLF, and everything from the last chunk's size line on stay unproven
     * until they are complete; a last chunk with trailer fields never becomes proven.
     */
    public int proven() {
        return proven;
    }

    /**
     * Scans the readable bytes of {@code buf} without consuming them.
     *
     * @return index of the first byte not looked at: the one behind the body where it ended in this buffer, the one
     *     behind a first extension when passing through, else the buffer's writer index
     */
    public int scan(ByteBuf buf, Payload payload) throws BadMessageException {
        int at = buf.readerIndex();
        int end = buf.writerIndex();
        proven = at;
        while (at < end && state != State.DONE) {
            if (state == State.DATA) {
                int size = (int) Math.min(remaining, end - at);
                payload.onPayload(buf, at, at + size);
                at += size;
                proven = at;
                remaining -= size;
                if (remaining == 0) {
                    state = State.DATA_CR;
                }
            } else {
                octet(buf.getByte(at++));
                if (state == State.DATA || (state == State.DONE && !trailer) || (state == State.SIZE && digits == 0)) {
                    proven = at;
                } else if (passThrough && state == State.EXTENSION_START) {
                    passThrough = false;
                    return at;
                }
            }
        }
        return at;
    }

    private void octet(byte b) throws BadMessageException {
        switch (state) {
            case SIZE -> size(b);
            case EXTENSION_START,
                    EXTENSION_NAME,
                    EXTENSION_VALUE_START,
                    EXTENSION_VALUE,
                    EXTENSION_QUOTED,
                    EXTENSION_ESCAPED,
                    EXTENSION_QUOTED_END -> extension(b);
            case SIZE_LF -> {
                expect(b, '\n', "a chunk's size line");
                state = remaining == 0 ? State.TRAILER_START : State.DATA;
                digits = 0;
            }
            case DATA_CR -> {
                expect(b, '\r', "a chunk's data");
                state = State.DATA_LF;
            }
            case DATA_LF -> {
                expect(b, '\n', "a chunk's data");
                state = State.SIZE;
            }
            case TRAILER_START -> trailerStart(b);
            case TRAILER_NAME -> trailerName(b);
            case TRAILER_VALUE -> trailerValue(b);
            case TRAILER_LF -> {
                expect(b, '\n', "a trailer field");
                state = State.TRAILER_START;
            }
            case END_LF -> {
                expect(b, '\n', "the last chunk");
                state = State.DONE;
            }
            case DATA, DONE -> throw new IllegalStateException("no framing octet due in " + state);
        }
    }

    private void size(byte b) throws BadMessageException {
        int value = Octets.hexValue(b);
        if (value >= 0) {
            if (++digits > MAX_SIZE_DIGITS) {
                throw BadMessageException.badRequest("a chunk size of more than " + MAX_SIZE_DIGITS + " digits");
            }
            remaining = remaining << 4 | value;
        } else if (digits == 0) {
            throw BadMessageException.badRequest("a chunk without a size");
        } else if (b == '\r') {
            state = State.SIZE_LF;
        } else if (b == ';') {
            state = State.EXTENSION_START;
        } else {
            throw BadMessageException.badRequest("a chunk size that is no hexadecimal number");
        }
    }

    /**
     * The exact grammar of RFC 9112, 7.1.1, without its optional white space and octets beyond
     * ASCII: where a quoted string begins and whether
     * it may hold the end of a line is what parsers disagree about (CVE-2026-33870).
     */
    private void extension(byte b) throws BadMessageException {
        countExtra();
        State next =
                switch (state) {
                    case EXTENSION_START -> word(b, State.EXTENSION_NAME);
                    case EXTENSION_NAME -> b == '=' ? State.EXTENSION_VALUE_START : wordOrEnd(b);
                    case EXTENSION_VALUE_START -> b == '"' ? State.EXTENSION_QUOTED : word(b, State.EXTENSION_VALUE);
                    case EXTENSION_VALUE -> wordOrEnd(b);
                    case EXTENSION_QUOTED -> quoted(b);
                    case EXTENSION_ESCAPED -> quotable(b);
                    default -> extensionEnd(b);
                };
        if (next == null) {
            throw BadMessageException.badRequest("a malformed chunk extension");
        }
        state = next;
    }

    private static @Nullable State word(byte b, State then) {
        return Octets.isToken(b) ? then : null;
    }

    private @Nullable State wordOrEnd(byte b) {
        return Octets.isToken(b) ? state : extensionEnd(b);
    }

    private static @Nullable State quoted(byte b) {
        if (b == '"') {
            return State.EXTENSION_QUOTED_END;
        }
        if (b == '\\') {
            return State.EXTENSION_ESCAPED;
        }
        return quotable(b);
    }

    private static @Nullable State quotable(byte b) {
        return b > 0 && Octets.isFieldValue(b) ? State.EXTENSION_QUOTED : null;
    }

    private static @Nullable State extensionEnd(byte b) {
        return switch (b) {
            case ';' -> State.EXTENSION_START;
            case '\r' -> State.SIZE_LF;
            default -> null;
        };
    }

    private void trailerStart(byte b) throws BadMessageException {
        if (b == '\r') {
            state = State.END_LF;
        } else if (Octets.isToken(b)) {
            trailer = true;
            countExtra();
            state = State.TRAILER_NAME;
        } else {
            throw BadMessageException.badRequest("a malformed trailer field");
        }
    }

    private void trailerName(byte b) throws BadMessageException {
        countExtra();
        if (b == ':') {
            state = State.TRAILER_VALUE;
        } else if (!Octets.isToken(b)) {
            throw BadMessageException.badRequest("a malformed trailer field");
        }
    }

    private void trailerValue(byte b) throws BadMessageException {
        countExtra();
        if (b == '\r') {
            state = State.TRAILER_LF;
        } else if (!Octets.isFieldValue(b)) {
            throw BadMessageException.badRequest("a malformed trailer field");
        }
    }

    private void countExtra() throws BadMessageException {
        if (++extraBytes > maxExtraBytes) {
            throw new BadMessageException(
                    431, "chunk extensions and trailers of more than " + maxExtraBytes + " bytes");
        }
    }

    private static void expect(byte b, char expected, String after) throws BadMessageException {
        if (b != expected) {
            throw BadMessageException.badRequest("no CRLF after " + after);
        }
    }
}
