package io.drover.cache;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.Writer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * What a key is the digest of: JSON values written so that two of them are the same bytes only if they say the same.
 * The members of an object stand in the order of their names where their own order is free. Long texts stand by their
 * digests, so that an image takes 37 bytes here.
 *
 * <p>Texts are written by UTF-16 unit, as UTF-8 would if it knew no surrogates: a lone one stays what it is.
 *
 * <p>Used by one thread, again and again: {@link #clear} between requests.
 */
final class Transcript {
    /** In UTF-16 units. */
    private static final int LONGEST_TEXT = 4096;
    /** A digit is worth 3.3 bits of a double's 53: numbers that are no longer than this are equal if their doubles are. */
    private static final int EXACT_DIGITS = 15;
    /** More than this is not kept between requests, in bytes. */
    private static final int KEPT = 64 << 10;

    private static final int BYTES_OF_UNIT = 3;
    private static final Comparator<Member> BY_NAME = Comparator.comparing(Member::name);

    private final MessageDigest sha256 = sha256();
    private final Writer longText = new LongText();
    private final byte[] piece = new byte[BYTES_OF_UNIT * 2048];
    private final List<Member> members = new ArrayList<>();
    private byte[] bytes = new byte[KEPT];
    private byte[] sorted = new byte[KEPT];
    private int length;

    /** One member of an object whose order is free; of no length if it is left out. */
    private record Member(String name, int start, int end) {}

    private final class LongText extends Writer {
        @Override
        public void write(char[] units, int from, int count) {
            int step = piece.length / BYTES_OF_UNIT;
            for (int at = 0; at < count; at += step) {
                int end = put(units, from + at, Math.min(step, count - at), piece, 0);
                sha256.update(piece, 0, end);
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }

    /** Forgets everything. */
    void clear() {
        length = 0;
        members.clear();
        sha256.reset();
        if (bytes.length > KEPT) {
            bytes = new byte[KEPT];
        }
        if (sorted.length > KEPT) {
            sorted = new byte[KEPT];
        }
    }

    /** The key of what was written. */
    CacheKey key() {
        sha256.update(bytes, 0, length);
        return CacheKey.of(sha256.digest());
    }

    /** Begins an object whose order is free; the number is what {@link #close} wants. */
    int open() {
        tag('(');
        return members.size();
    }

    /** Begins a member of it; the number is what {@link #end} wants. */
    int begin(String name) {
        int start = length;
        text(name);
        return start;
    }

    /** Ends a member; one that is left out counts only as a name. */
    void end(String name, int start, boolean leftOut) {
        if (leftOut) {
            length = start;
        }
        members.add(new Member(name, start, length));
    }

    /** Ends the object; returns false if a name stood there twice. */
    boolean close(int first) {
        boolean distinct = true;
        List<Member> own = members.subList(first, members.size());
        if (!own.isEmpty()) {
            int from = own.get(0).start();
            own.sort(BY_NAME);
            distinct = rewrite(own, from);
            own.clear();
        }
        tag(')');
        return distinct;
    }

    private boolean rewrite(List<Member> own, int from) {
        if (sorted.length < length - from) {
            sorted = new byte[length - from];
        }
        boolean distinct = true;
        int to = 0;
        String before = null;
        for (Member member : own) {
            int count = member.end() - member.start();
            System.arraycopy(bytes, member.start(), sorted, to, count);
            to += count;
            distinct &= !member.name().equals(before);
            before = member.name();
        }
        System.arraycopy(sorted, 0, bytes, from, to);
        return distinct;
    }

    /** A mark that no value begins with, or that of an array. */
    void tag(char mark) {
        room(1);
        bytes[length++] = (byte) mark;
    }

    void text(String text) {
        room(1 + Integer.BYTES + BYTES_OF_UNIT * text.length());
        head('"', text.length());
        for (int i = 0; i < text.length(); i++) {
            length = put(text.charAt(i), bytes, length);
        }
    }

    /** A number whose value counts, however it is spelled, if that is sure to be the same to every reader. */
    void number(JsonParser json) throws IOException {
        double value = json.getTextLength() <= EXACT_DIGITS ? json.getDoubleValue() : Double.NaN;
        if (!Double.isFinite(value)) {
            token(json);
            return;
        }
        room(1 + Long.BYTES);
        tag('=');
        long bits = Double.doubleToLongBits(value);
        for (int shift = Long.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
            bytes[length++] = (byte) (bits >>> shift);
        }
    }

    /** The token where the parser is, as it is spelled if it is a number. */
    void token(JsonParser json) throws IOException {
        JsonToken token = json.currentToken();
        switch (token) {
            case FIELD_NAME -> text(json.currentName());
            case VALUE_STRING -> string(json);
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> units('#', json);
            default -> tag(token.asString().charAt(0));
        }
    }

    private void string(JsonParser json) throws IOException {
        int count = json.getTextLength();
        if (count <= LONGEST_TEXT) {
            units('"', json);
            return;
        }
        json.getText(longText);
        byte[] digest = sha256.digest();
        room(1 + Integer.BYTES + digest.length);
        head('@', count);
        System.arraycopy(digest, 0, bytes, length, digest.length);
        length += digest.length;
    }

    private void units(char mark, JsonParser json) throws IOException {
        int count = json.getTextLength();
        room(1 + Integer.BYTES + BYTES_OF_UNIT * count);
        head(mark, count);
        length = put(json.getTextCharacters(), json.getTextOffset(), count, bytes, length);
    }

    private void head(char mark, int count) {
        bytes[length++] = (byte) mark;
        for (int shift = Integer.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
            bytes[length++] = (byte) (count >>> shift);
        }
    }

    private void room(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(length + more, bytes.length + bytes.length / 2));
        }
    }

    private static int put(char[] units, int from, int count, byte[] to, int at) {
        int end = at;
        for (int i = from; i < from + count; i++) {
            end = put(units[i], to, end);
        }
        return end;
    }

    private static int put(char unit, byte[] to, int at) {
        if (unit < 0x80) {
            to[at] = (byte) unit;
            return at + 1;
        } else if (unit < 0x800) {
            to[at] = (byte) (0xc0 | (unit >> 6));
            to[at + 1] = (byte) (0x80 | (unit & 0x3f));
            return at + 2;
        }
        to[at] = (byte) (0xe0 | (unit >> 12));
        to[at + 1] = (byte) (0x80 | ((unit >> 6) & 0x3f));
        to[at + 2] = (byte) (0x80 | (unit & 0x3f));
        return at + BYTES_OF_UNIT;
    }
}
