package io.drover.http;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The head of one message: a copy of its bytes and the offsets of its parts. Reused from message to message on one
 * connection, so nothing in it outlives the exchange: what must live longer is copied out.
 *
 * <p>Belongs to one event loop.
 */
public final class MessageHead {
    /** The connection option that ends a connection behind the message. */
    public static final byte[] CLOSE = "close".getBytes(StandardCharsets.US_ASCII);

    /** The connection option that lets an HTTP/1.0 connection live on. */
    public static final byte[] KEEP_ALIVE = "keep-alive".getBytes(StandardCharsets.US_ASCII);

    private static final int INITIAL_BYTES = 1024;
    private static final int INITIAL_FIELDS = 24;
    private static final int OFFSETS_PER_FIELD = 4;

    byte[] bytes = new byte[INITIAL_BYTES];
    int length;

    int methodStart;
    int methodEnd;
    int targetStart;
    int targetEnd;
    int pathStart;
    int pathEnd;
    int secretStart;
    int secretEnd;
    int minorVersion;
    int status;
    int reasonStart;
    int reasonEnd;

    private int fieldCount;
    private int[] offsets = new int[INITIAL_FIELDS * OFFSETS_PER_FIELD];
    private @Nullable Field[] fields = new Field[INITIAL_FIELDS];

    /** Forgets everything, keeping the memory. */
    void clear() {
        length = 0;
        fieldCount = 0;
        methodEnd = 0;
        secretEnd = 0;
        status = 0;
        // A rare head of many kilobytes must not stay with every idle connection.
        if (bytes.length > 8 * INITIAL_BYTES) {
            bytes = new byte[INITIAL_BYTES];
        }
    }

    void ensureCapacity(int capacity) {
        if (bytes.length < capacity) {
            bytes = Arrays.copyOf(bytes, Math.max(capacity, 2 * bytes.length));
        }
    }

    void addField(int nameStart, int nameEnd, int valueStart, int valueEnd) {
        int at = fieldCount * OFFSETS_PER_FIELD;
        if (at == offsets.length) {
            offsets = Arrays.copyOf(offsets, 2 * offsets.length);
            fields = Arrays.copyOf(fields, 2 * fields.length);
        }
        offsets[at] = nameStart;
        offsets[at + 1] = nameEnd;
        offsets[at + 2] = valueStart;
        offsets[at + 3] = valueEnd;
        fields[fieldCount++] = Field.find(bytes, nameStart, nameEnd);
    }

    /** The bytes of the head as they came; valid from 0 to {@link #length()}. Read only. */
    public byte[] bytes() {
        return bytes;
    }

    public int length() {
        return length;
    }

    public int methodStart() {
        return methodStart;
    }

    public int methodLength() {
        return methodEnd - methodStart;
    }

    public boolean isMethod(String method) {
        int size = methodEnd - methodStart;
        if (size != method.length()) {
            return false;
        }
        for (int i = 0; i < size; i++) {
            if (bytes[methodStart + i] != method.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    public String method() {
        return new String(bytes, methodStart, methodEnd - methodStart, StandardCharsets.US_ASCII);
    }

    /** Start of the request target as sent, in whichever form. */
    public int targetStart() {
        return targetStart;
    }

    public int targetEnd() {
        return targetEnd;
    }

    /** Start of the target's path once {@link RequestTarget#check} has passed; the path may be empty. */
    public int pathStart() {
        return pathStart;
    }

    /** End of the path, where the query begins or the target ends. */
    public int pathEnd() {
        return pathEnd;
    }

    /** Whether a secret stands before the path: see {@link RequestTarget#hide}. */
    public boolean hasSecret() {
        return secretEnd > 0;
    }

    public int secretStart() {
        return secretStart;
    }

    public int secretEnd() {
        return secretEnd;
    }

    /** The target as it came, stars in the place of a secret. Allocates. */
    public String target() {
        return hasSecret()
                ? text(targetStart, secretStart) + "***" + text(secretEnd, targetEnd)
                : text(targetStart, targetEnd);
    }

    /** Path and query in origin form. Allocates. */
    public String originForm() {
        String form = text(pathStart, targetEnd);
        return pathStart == pathEnd ? "/" + form : form;
    }

    /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
    public int minorVersion() {
        return minorVersion;
    }

    public int status() {
        return status;
    }

    public int reasonStart() {
        return reasonStart;
    }

    public int reasonEnd() {
        return reasonEnd;
    }

    public int fieldCount() {
        return fieldCount;
    }

    /** Which field this is, or null for one that has no meaning to a proxy. */
    public @Nullable Field field(int i) {
        return fields[i];
    }

    public int nameStart(int i) {
        return offsets[i * OFFSETS_PER_FIELD];
    }

    public int nameEnd(int i) {
        return offsets[i * OFFSETS_PER_FIELD + 1];
    }

    public int valueStart(int i) {
        return offsets[i * OFFSETS_PER_FIELD + 2];
    }

    /** End of the value, white space around it excluded. */
    public int valueEnd(int i) {
        return offsets[i * OFFSETS_PER_FIELD + 3];
    }

    /** Position of the first field of this name at or after {@code from}, or -1. */
    public int indexOf(Field field, int from) {
        for (int i = from; i < fieldCount; i++) {
            if (fields[i] == field) {
                return i;
            }
        }
        return -1;
    }

    public boolean has(Field field) {
        return indexOf(field, 0) >= 0;
    }

    /** Value of the first field of this name as ISO-8859-1 text, or null. Allocates. */
    public @Nullable String value(Field field) {
        int i = indexOf(field, 0);
        return i < 0 ? null : text(valueStart(i), valueEnd(i));
    }

    /** A range of the head as ISO-8859-1 text: each byte one character. Allocates. */
    public String text(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /** Whether a range of the head is this lower-case word, whatever its case. */
    public boolean textIs(int from, int to, byte[] lowerCase) {
        return Octets.equalsIgnoreCase(bytes, from, to, lowerCase);
    }

    /** Whether the value of field {@code i} is this lower-case word, whatever its case. */
    public boolean valueIs(int i, byte[] lowerCase) {
        return Octets.equalsIgnoreCase(bytes, valueStart(i), valueEnd(i), lowerCase);
    }

    /** Whether the (first) Content-Type is this lower-case media type, whatever its parameters. */
    public boolean isOfType(byte[] mediaType) {
        int i = indexOf(Field.CONTENT_TYPE, 0);
        if (i < 0) {
            return false;
        }
        int end = valueStart(i);
        while (end < valueEnd(i) && bytes[end] != ';' && !isBlank(bytes[end])) {
            end++;
        }
        return Octets.equalsIgnoreCase(bytes, valueStart(i), end, mediaType);
    }

    /** Whether any Connection field lists this lower-case token. */
    public boolean connectionLists(byte[] lowerCaseToken) {
        for (int i = indexOf(Field.CONNECTION, 0); i >= 0; i = indexOf(Field.CONNECTION, i + 1)) {
            if (listContains(valueStart(i), valueEnd(i), lowerCaseToken, 0, lowerCaseToken.length)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a Connection field lists anything but a plain close or keep-alive. */
    boolean nominatesFields() {
        for (int i = indexOf(Field.CONNECTION, 0); i >= 0; i = indexOf(Field.CONNECTION, i + 1)) {
            if (!valueIs(i, CLOSE) && !valueIs(i, KEEP_ALIVE)) {
                return true;
            }
        }
        return false;
    }

    /** Whether any Connection field lists the name of field {@code i}, which makes it hop-by-hop (RFC 9110, 7.6.1). */
    public boolean connectionNominates(int i) {
        for (int c = indexOf(Field.CONNECTION, 0); c >= 0; c = indexOf(Field.CONNECTION, c + 1)) {
            if (listContains(valueStart(c), valueEnd(c), bytes, nameStart(i), nameEnd(i))) {
                return true;
            }
        }
        return false;
    }

    private boolean listContains(int from, int to, byte[] token, int tokenFrom, int tokenTo) {
        int start = from;
        for (int i = from; i <= to; i++) {
            if (i == to || bytes[i] == ',') {
                if (elementEquals(start, i, token, tokenFrom, tokenTo)) {
                    return true;
                }
                start = i + 1;
            }
        }
        return false;
    }

    private boolean elementEquals(int from, int to, byte[] token, int tokenFrom, int tokenTo) {
        int start = from;
        int end = to;
        while (start < end && isBlank(bytes[start])) {
            start++;
        }
        while (end > start && isBlank(bytes[end - 1])) {
            end--;
        }
        if (end - start != tokenTo - tokenFrom) {
            return false;
        }
        for (int i = start; i < end; i++) {
            if (Octets.toLower(bytes[i]) != Octets.toLower(token[tokenFrom + i - start])) {
                return false;
            }
        }
        return true;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }
}
