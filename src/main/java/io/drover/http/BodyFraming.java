package io.drover.http;

import java.nio.charset.StandardCharsets;

/**
 * How the end of a message's body is found (RFC 9112, 6). Chosen once per message, here and nowhere else.
 *
 * @param length bytes of the body for {@link Kind#LENGTH}, else 0
 */
public record BodyFraming(Kind kind, long length) {

    /** The four ways a body ends. */
    public enum Kind {
        /** There is none. */
        NONE,
        /** After a known number of bytes, at least one. */
        LENGTH,
        /** With the last chunk. */
        CHUNKED,
        /** With the connection; responses only. */
        UNTIL_CLOSE
    }

    public static final BodyFraming NONE = new BodyFraming(Kind.NONE, 0);
    public static final BodyFraming CHUNKED = new BodyFraming(Kind.CHUNKED, 0);
    public static final BodyFraming UNTIL_CLOSE = new BodyFraming(Kind.UNTIL_CLOSE, 0);

    private static final byte[] CHUNKED_TOKEN = "chunked".getBytes(StandardCharsets.US_ASCII);

    /** 18 digits fit a long whatever they are; leading zeros are not counted (RFC 9110, 8.6 allows them). */
    private static final int MAX_LENGTH_DIGITS = 18;

    /** Whether there is no body. */
    public boolean isNone() {
        return kind == Kind.NONE;
    }

    /** A body of {@code length} bytes. */
    public static BodyFraming ofLength(long length) {
        return length == 0 ? NONE : new BodyFraming(Kind.LENGTH, length);
    }

    /** Framing of a request; anything that two parsers might read differently is refused (RFC 9112, 6.1 and 6.3). */
    public static BodyFraming ofRequest(MessageHead head) throws BadMessageException {
        if (hasChunked(head)) {
            return CHUNKED;
        }
        long length = contentLength(head);
        return length <= 0 ? NONE : ofLength(length);
    }

    /**
     * Framing of a final response.
     *
     * @param toHead whether it answers a HEAD request, so that it has no body whatever it announces
     */
    public static BodyFraming ofResponse(MessageHead head, boolean toHead) throws BadMessageException {
        boolean chunked = hasChunked(head);
        long length = contentLength(head);
        if (toHead || head.status() == 204 || head.status() == 304) {
            return NONE;
        }
        if (chunked) {
            return CHUNKED;
        }
        return length < 0 ? UNTIL_CLOSE : ofLength(length);
    }

    /** Value of Content-Length, or -1 where there is none. */
    public static long contentLength(MessageHead head) throws BadMessageException {
        int i = head.indexOf(Field.CONTENT_LENGTH, 0);
        if (i < 0) {
            return -1;
        }
        if (head.indexOf(Field.CONTENT_LENGTH, i + 1) >= 0) {
            throw BadMessageException.badRequest("more than one Content-Length");
        }
        byte[] bytes = head.bytes();
        int from = head.valueStart(i);
        int to = head.valueEnd(i);
        long value = 0;
        int significant = 0;
        for (int at = from; at < to; at++) {
            if (!Octets.isDigit(bytes[at])) {
                throw badLength(head, i);
            }
            if ((significant > 0 || bytes[at] != '0') && ++significant > MAX_LENGTH_DIGITS) {
                throw badLength(head, i);
            }
            value = value * 10 + (bytes[at] - '0');
        }
        if (from == to) {
            throw badLength(head, i);
        }
        return value;
    }

    /** Value of Content-Length in a head whose framing was found valid before, or -1. */
    public static long contentLengthOrNone(MessageHead head) {
        try {
            return contentLength(head);
        } catch (BadMessageException e) {
            throw new IllegalStateException("framing was not checked", e);
        }
    }

    private static boolean hasChunked(MessageHead head) throws BadMessageException {
        int i = head.indexOf(Field.TRANSFER_ENCODING, 0);
        if (i < 0) {
            return false;
        }
        if (head.minorVersion() == 0) {
            throw BadMessageException.badRequest("Transfer-Encoding in an HTTP/1.0 message");
        }
        if (head.indexOf(Field.TRANSFER_ENCODING, i + 1) >= 0 || !head.valueIs(i, CHUNKED_TOKEN)) {
            throw BadMessageException.badRequest("Transfer-Encoding other than exactly \"chunked\"");
        }
        if (head.has(Field.CONTENT_LENGTH)) {
            throw BadMessageException.badRequest("both Transfer-Encoding and Content-Length");
        }
        return true;
    }

    private static BadMessageException badLength(MessageHead head, int i) {
        String value = head.text(head.valueStart(i), Math.min(head.valueEnd(i), head.valueStart(i) + 32));
        return BadMessageException.badRequest("Content-Length \"" + value + "\" (expected: up to 18 digits)");
    }
}
