package io.drover.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Builds the heads that leave Drover, from parsed parts only: what came in is never forwarded as framing. The one place
 * where header fields are dropped and added.
 *
 * <p>One per event loop; a head is built in one go between a {@code start} and {@link #end}.
 */
public final class HeadWriter {
    private static final byte[] VERSION_LINE_END = ascii(" HTTP/1.1\r\n");
    private static final byte[] VERSION = ascii("HTTP/1.1 ");
    private static final byte[] CRLF = ascii("\r\n");
    private static final byte[] COLON = ascii(": ");
    private static final byte[] CONTENT_LENGTH = ascii("Content-Length: ");
    private static final byte[] CHUNKED = ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] CONNECTION_CLOSE = ascii("Connection: close\r\n");
    private static final byte[] CONNECTION_KEEP_ALIVE = ascii("Connection: keep-alive\r\n");

    private static final boolean[] DROPPED_FROM_REQUEST = new boolean[Field.values().length];
    private static final boolean[] DROPPED_FROM_RESPONSE = new boolean[Field.values().length];
    private static final boolean[] DROPPED_FROM_LIMITED_RESPONSE = new boolean[Field.values().length];
    private static final boolean[] DROPPED_FROM_CACHED_RESPONSE = new boolean[Field.values().length];
    private static final boolean[] DROPPED_FROM_BOTH = new boolean[Field.values().length];

    static {
        for (Field field : Field.values()) {
            boolean everywhere = field.isHopByHop() || field.isCors();
            DROPPED_FROM_REQUEST[field.ordinal()] = everywhere
                    || switch (field) {
                        case HOST, CONTENT_LENGTH, EXPECT, AUTHORIZATION, COOKIE, X_API_KEY -> true;
                        case FORWARDED, X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST, X_FORWARDED_PORT -> true;
                        case X_REAL_IP, X_REQUEST_ID, X_DROVER_BACKEND -> true;
                        default -> false;
                    };
            DROPPED_FROM_RESPONSE[field.ordinal()] = everywhere
                    || switch (field) {
                        case CONTENT_LENGTH, X_REQUEST_ID, X_DROVER_BACKEND -> true;
                        default -> false;
                    };
            DROPPED_FROM_LIMITED_RESPONSE[field.ordinal()] =
                    DROPPED_FROM_RESPONSE[field.ordinal()] || field.isRateLimit();
            DROPPED_FROM_CACHED_RESPONSE[field.ordinal()] =
                    DROPPED_FROM_RESPONSE[field.ordinal()] || field == Field.X_CACHE;
            DROPPED_FROM_BOTH[field.ordinal()] =
                    DROPPED_FROM_LIMITED_RESPONSE[field.ordinal()] || field == Field.X_CACHE;
        }
    }

    private byte[] scratch = new byte[2048];
    private int length;

    /** The bytes of ASCII text. */
    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A complete header line, for values known beforehand. */
    public static byte[] line(String name, String value) {
        return (name + ": " + value + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Starts a request with the method and the origin form of the target of {@code head}. */
    public void startRequest(MessageHead head) {
        length = 0;
        put(head.bytes(), head.methodStart(), head.methodLength());
        put((byte) ' ');
        if (head.pathStart() == head.pathEnd()) {
            put((byte) '/');
        }
        put(head.bytes(), head.pathStart(), head.targetEnd() - head.pathStart());
        raw(VERSION_LINE_END);
    }

    /** Starts a response with the status and reason of {@code head}. */
    public void startResponse(MessageHead head) {
        startStatus(head.status());
        put(head.bytes(), head.reasonStart(), head.reasonEnd() - head.reasonStart());
        raw(CRLF);
    }

    /** Starts a response of our own. */
    public void startResponse(int status) {
        startStatus(status);
        raw(ascii(HttpResponseStatus.valueOf(status).reasonPhrase()));
        raw(CRLF);
    }

    private void startStatus(int status) {
        length = 0;
        raw(VERSION);
        number(status);
        put((byte) ' ');
    }

    /** Adds the end-to-end fields of a request that a backend may see. */
    public void passRequestFields(MessageHead head) {
        pass(head, DROPPED_FROM_REQUEST);
    }

    /**
     * Adds the end-to-end fields of a response that a client may see.
     *
     * @param limited whether the response tells of a limit of ours, and so of none that a backend tells of
     * @param cached whether it tells what our cache had to do with it
     */
    public void passResponseFields(MessageHead head, boolean limited, boolean cached) {
        if (limited) {
            pass(head, cached ? DROPPED_FROM_BOTH : DROPPED_FROM_LIMITED_RESPONSE);
        } else {
            pass(head, cached ? DROPPED_FROM_CACHED_RESPONSE : DROPPED_FROM_RESPONSE);
        }
    }

    private void pass(MessageHead head, boolean[] dropped) {
        boolean nominates = head.nominatesFields();
        byte[] bytes = head.bytes();
        for (int i = 0; i < head.fieldCount(); i++) {
            Field field = head.field(i);
            if ((field != null && dropped[field.ordinal()]) || (nominates && head.connectionNominates(i))) {
                continue;
            }
            int name = head.nameStart(i);
            int value = head.valueStart(i);
            put(bytes, name, head.nameEnd(i) - name);
            raw(COLON);
            put(bytes, value, head.valueEnd(i) - value);
            raw(CRLF);
        }
    }

    /** Adds bytes as they are: one or more complete lines. */
    public void raw(byte[] lines) {
        put(lines, 0, lines.length);
    }

    /** Adds a field; the value's characters must be valid in a field value and below 0x100. */
    public void field(String name, String value) {
        text(name);
        raw(COLON);
        text(value);
        raw(CRLF);
    }

    /**
     * Adds a field whose value is a whole number.
     *
     * @param start the line up to the number: name, colon, blank
     * @param value from 0
     */
    public void field(byte[] start, long value) {
        raw(start);
        number(value);
        raw(CRLF);
    }

    public void contentLength(long value) {
        field(CONTENT_LENGTH, value);
    }

    public void chunked() {
        raw(CHUNKED);
    }

    public void connectionClose() {
        raw(CONNECTION_CLOSE);
    }

    public void connectionKeepAlive() {
        raw(CONNECTION_KEEP_ALIVE);
    }

    /** Ends the head. The caller owns the buffer, which has room for {@code extra} more bytes. */
    public ByteBuf end(ByteBufAllocator allocator, int extra) {
        raw(CRLF);
        return allocator.ioBuffer(length + extra).writeBytes(scratch, 0, length);
    }

    @SuppressWarnings("deprecation") // the one method that takes the low bytes of a String without an encoder
    private void text(String value) {
        ensure(value.length());
        value.getBytes(0, value.length(), scratch, length);
        length += value.length();
    }

    private void number(long value) {
        ensure(20);
        int digits = 1;
        for (long rest = value / 10; rest != 0; rest /= 10) {
            digits++;
        }
        long rest = value;
        for (int at = length + digits - 1; at >= length; at--) {
            scratch[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += digits;
    }

    private void put(byte b) {
        ensure(1);
        scratch[length++] = b;
    }

    private void put(byte[] bytes, int from, int size) {
        ensure(size);
        System.arraycopy(bytes, from, scratch, length, size);
        length += size;
    }

    private void ensure(int size) {
        if (scratch.length - length < size) {
            scratch = Arrays.copyOf(scratch, Math.max(2 * scratch.length, length + size));
        }
    }
}
