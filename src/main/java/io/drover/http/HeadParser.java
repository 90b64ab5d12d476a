package io.drover.http;

import io.netty.buffer.ByteBuf;

/**
 * Parses the head of a request or a response, strictly and resumably: bytes may arrive in any pieces, and a violation
 * is reported at the byte that makes it, not when the head would have ended.
 *
 * <p>Stricter than RFC 9112 demands wherever leniency has been used to smuggle requests: no bare LF or CR, no folded
 * lines, no white space before a colon, exactly one space between the parts of the start line, no octets but visible
 * ASCII in the target. Netty's decoder accepts everything that is accepted here; a test holds that.
 *
 * <p>One parser serves one connection, one message after the other. Belongs to one event loop.
 */
public final class HeadParser {
    /** Empty lines tolerated before a request line (RFC 9112, 2.2), as CR and LF octets. */
    private static final int MAX_LEADING_OCTETS = 4;

    private static final int COPY_STEP = 1024;
    private static final byte[] VERSION_PREFIX = {'H', 'T', 'T', 'P', '/', '1', '.'};

    private enum State {
        START,
        START_LF,
        METHOD,
        TARGET,
        VERSION,
        REQUEST_CR,
        STATUS,
        STATUS_END,
        REASON,
        LINE_LF,
        NAME_START,
        NAME,
        VALUE_START,
        VALUE,
        VALUE_LF,
        END_LF,
        DONE
    }

    private final boolean request;
    private final int maxBytes;
    private final int maxFields;

    private State state = State.START;
    private int position;
    private int mark;
    private int nameStart;
    private int nameEnd;
    private int valueEnd;

    private HeadParser(boolean request, int maxBytes, int maxFields) {
        this.request = request;
        this.maxBytes = maxBytes;
        this.maxFields = maxFields;
    }

    /** A parser of requests that refuses heads over {@code maxBytes} or {@code maxFields} with 431. */
    public static HeadParser ofRequests(int maxBytes, int maxFields) {
        return new HeadParser(true, maxBytes, maxFields);
    }

    /** A parser of responses. */
    public static HeadParser ofResponses(int maxBytes, int maxFields) {
        return new HeadParser(false, maxBytes, maxFields);
    }

    /** Whether at least one octet of the current head was seen, empty lines before it not counted. */
    public boolean isStarted() {
        return state != State.START && state != State.START_LF;
    }

    /** Prepares for the next head. */
    public void reset(MessageHead head) {
        head.clear();
        state = State.START;
        position = 0;
    }

    /**
     * Goes on with the head in {@code head}, which must have been given to {@link #reset} before its first byte.
     * Consumes the head's bytes from {@code in} and none behind them.
     *
     * @return whether the head is complete
     */
    public boolean parse(ByteBuf in, MessageHead head) throws BadMessageException {
        while (in.isReadable()) {
            int room = maxBytes - head.length;
            if (room == 0) {
                throw new BadMessageException(431, "head longer than " + maxBytes + " bytes");
            }
            int step = Math.min(Math.min(in.readableBytes(), COPY_STEP), room);
            head.ensureCapacity(head.length + step);
            in.getBytes(in.readerIndex(), head.bytes, head.length, step);
            int before = head.length;
            head.length += step;
            run(head);
            if (state == State.DONE) {
                in.skipBytes(position - before);
                head.length = position;
                return true;
            }
            in.skipBytes(step);
        }
        return false;
    }

    private void run(MessageHead head) throws BadMessageException {
        byte[] bytes = head.bytes;
        int end = head.length;
        while (position < end && state != State.DONE) {
            switch (state) {
                case START, START_LF -> leading(bytes[position]);
                case METHOD -> method(head, bytes, end);
                case TARGET -> target(head, bytes, end);
                case VERSION -> version(head, bytes[position]);
                case REQUEST_CR -> expectCr(bytes[position], "the HTTP version");
                case STATUS -> status(head, bytes[position]);
                case STATUS_END -> statusEnd(head, bytes[position]);
                case REASON -> reason(head, bytes, end);
                case LINE_LF -> expectLf(bytes[position], State.NAME_START);
                case NAME_START -> nameStart(bytes[position]);
                case NAME -> name(bytes, end);
                case VALUE_START -> valueStart(bytes[position]);
                case VALUE -> value(head, bytes, end);
                case VALUE_LF -> {
                    expectLf(bytes[position], State.NAME_START);
                    endField(head);
                }
                case END_LF -> expectLf(bytes[position], State.DONE);
                case DONE -> throw new IllegalStateException("head is complete");
            }
        }
    }

    private void leading(byte b) throws BadMessageException {
        if (state == State.START_LF) {
            expectLf(b, State.START);
            return;
        }
        if (request && b == '\r' && position < MAX_LEADING_OCTETS) {
            state = State.START_LF;
            position++;
            return;
        }
        mark = position;
        state = request ? State.METHOD : State.VERSION;
    }

    private void method(MessageHead head, byte[] bytes, int end) throws BadMessageException {
        int i = position;
        while (i < end && Octets.isToken(bytes[i])) {
            i++;
        }
        position = i;
        if (i == end) {
            return;
        }
        if (bytes[i] != ' ' || i == mark) {
            // The commonest mistake: a TLS client on a plain port. Its first record starts with 0x16 0x03.
            boolean tls = bytes[mark] == 0x16;
            throw BadMessageException.badRequest(
                    tls ? "a TLS handshake on a port that speaks plain HTTP" : unexpected(bytes[i], "the method"));
        }
        head.methodStart = mark;
        head.methodEnd = i;
        head.targetStart = i + 1;
        position = i + 1;
        state = State.TARGET;
    }

    private void target(MessageHead head, byte[] bytes, int end) throws BadMessageException {
        int i = position;
        while (i < end && Octets.isTarget(bytes[i])) {
            i++;
        }
        position = i;
        if (i == end) {
            return;
        }
        if (bytes[i] != ' ' || i == head.targetStart) {
            throw BadMessageException.badRequest(unexpected(bytes[i], "the request target"));
        }
        head.targetEnd = i;
        position = i + 1;
        mark = position;
        state = State.VERSION;
    }

    private void version(MessageHead head, byte b) throws BadMessageException {
        int at = position - mark;
        if (at < VERSION_PREFIX.length) {
            if (b != VERSION_PREFIX[at]) {
                // Everything up to the major version was right: another version, not another protocol.
                boolean otherVersion = at == 5 && Octets.isDigit(b);
                throw new BadMessageException(
                        otherVersion && request ? 505 : 400,
                        otherVersion
                                ? "only HTTP/1.0 and HTTP/1.1 are spoken here"
                                : unexpected(b, "the HTTP version"));
            }
        } else if (b != '0' && b != '1') {
            throw BadMessageException.badRequest(unexpected(b, "the HTTP version"));
        } else {
            head.minorVersion = b - '0';
            state = request ? State.REQUEST_CR : State.STATUS;
            mark = position + 1;
        }
        position++;
    }

    private void status(MessageHead head, byte b) throws BadMessageException {
        int at = position - mark;
        if (at == 0 ? b != ' ' : !Octets.isDigit(b)) {
            throw BadMessageException.badRequest(unexpected(b, "the status code"));
        }
        if (at > 0) {
            head.status = head.status * 10 + (b - '0');
        }
        position++;
        if (at == 3) {
            if (head.status < 100 || head.status > 599) {
                throw BadMessageException.badRequest("status code " + head.status + " (expected: 100 to 599)");
            }
            state = State.STATUS_END;
        }
    }

    private void statusEnd(MessageHead head, byte b) throws BadMessageException {
        head.reasonStart = position + 1;
        if (b == ' ') {
            position++;
            state = State.REASON;
        } else {
            // RFC 9112 (4) wants the space even before an absent phrase; many servers leave it out.
            head.reasonStart = position;
            head.reasonEnd = position;
            expectCr(b, "the status code");
        }
    }

    private void reason(MessageHead head, byte[] bytes, int end) throws BadMessageException {
        int i = position;
        while (i < end && Octets.isFieldValue(bytes[i])) {
            i++;
        }
        position = i;
        if (i < end) {
            head.reasonEnd = i;
            expectCr(bytes[i], "the reason phrase");
        }
    }

    private void nameStart(byte b) throws BadMessageException {
        if (b == '\r') {
            state = State.END_LF;
            position++;
        } else if (b == ' ' || b == '\t') {
            throw BadMessageException.badRequest("a header line that starts with white space (obsolete line folding)");
        } else {
            nameStart = position;
            state = State.NAME;
        }
    }

    private void name(byte[] bytes, int end) throws BadMessageException {
        int i = position;
        while (i < end && Octets.isToken(bytes[i])) {
            i++;
        }
        position = i;
        if (i == end) {
            return;
        }
        if (bytes[i] != ':' || i == nameStart) {
            throw BadMessageException.badRequest(unexpected(bytes[i], "a header field's name"));
        }
        nameEnd = i;
        position = i + 1;
        state = State.VALUE_START;
    }

    private void valueStart(byte b) {
        if (b == ' ' || b == '\t') {
            position++;
        } else {
            mark = position;
            state = State.VALUE;
        }
    }

    private void value(MessageHead head, byte[] bytes, int end) throws BadMessageException {
        int i = position;
        while (i < end && Octets.isFieldValue(bytes[i])) {
            i++;
        }
        position = i;
        if (i == end) {
            return;
        }
        if (bytes[i] != '\r') {
            throw BadMessageException.badRequest(unexpected(bytes[i], "the value of " + head.text(nameStart, nameEnd)));
        }
        int last = i;
        while (last > mark && (bytes[last - 1] == ' ' || bytes[last - 1] == '\t')) {
            last--;
        }
        valueEnd = last;
        position = i + 1;
        state = State.VALUE_LF;
    }

    private void endField(MessageHead head) throws BadMessageException {
        if (head.fieldCount() == maxFields) {
            throw new BadMessageException(431, "more than " + maxFields + " header fields");
        }
        head.addField(nameStart, nameEnd, mark, valueEnd);
    }

    private void expectCr(byte b, String after) throws BadMessageException {
        if (b != '\r') {
            throw BadMessageException.badRequest(unexpected(b, after));
        }
        state = State.LINE_LF;
        position++;
    }

    private void expectLf(byte b, State next) throws BadMessageException {
        if (b != '\n') {
            throw BadMessageException.badRequest("a CR that no LF follows");
        }
        state = next;
        position++;
    }

    private static String unexpected(byte b, String where) {
        return b == '\n'
                ? "a bare LF in or after " + where
                : String.format("unexpected octet 0x%02x in or after %s", b & 0xff, where);
    }
}
