package io.drover.http;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Rules on a request's target and Host (RFC 9112, 3.2; RFC 9110, 4.2.1 and 7.2). */
public final class RequestTarget {
    private static final byte[] HTTP = "http://".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HTTPS = "https://".getBytes(StandardCharsets.US_ASCII);

    private RequestTarget() {}

    /**
     * Checks target and Host and notes where the path stands. An absolute target is taken apart, so that only its path
     * goes on.
     */
    public static void check(MessageHead head) throws BadMessageException {
        int host = host(head);
        byte[] bytes = head.bytes();
        int from = head.targetStart();
        int to = head.targetEnd();
        if (bytes[from] == '/') {
            setPath(head, from);
        } else if (startsWith(bytes, from, to, HTTP)) {
            absolute(head, from + HTTP.length, host);
        } else if (startsWith(bytes, from, to, HTTPS)) {
            absolute(head, from + HTTPS.length, host);
        } else if (to - from == 1 && bytes[from] == '*' && head.isMethod("OPTIONS")) {
            head.pathStart = from;
            head.pathEnd = to;
        } else {
            throw BadMessageException.badRequest("request target \"" + head.text(from, Math.min(to, from + 64))
                    + "\" (expected: a path such as /api/chat)");
        }
    }

    /**
     * Takes a secret out of the path of a head that was {@linkplain #check checked}: the segment behind {@code prefix}, if
     * the path begins with that. What follows is the path from then on.
     *
     * @param prefix ends with a slash
     */
    public static void hide(MessageHead head, byte[] prefix) {
        int from = head.pathStart;
        int secret = from + prefix.length;
        if (secret > head.pathEnd || !Arrays.equals(head.bytes, from, secret, prefix, 0, prefix.length)) {
            return;
        }
        int end = secret;
        while (end < head.pathEnd && head.bytes[end] != '/') {
            end++;
        }
        head.secretStart = secret;
        head.secretEnd = end;
        head.pathStart = end;
    }

    /** Position of the one valid Host field, or -1 where HTTP/1.0 leaves it out. */
    private static int host(MessageHead head) throws BadMessageException {
        int i = head.indexOf(Field.HOST, 0);
        if (i < 0) {
            if (head.minorVersion() == 0) {
                return -1;
            }
            throw BadMessageException.badRequest("no Host header field");
        }
        if (head.indexOf(Field.HOST, i + 1) >= 0) {
            throw BadMessageException.badRequest("more than one Host header field");
        }
        if (!isAuthority(head.bytes(), head.valueStart(i), head.valueEnd(i))) {
            throw BadMessageException.badRequest("Host header field is no valid host and port");
        }
        return i;
    }

    private static void absolute(MessageHead head, int authority, int host) throws BadMessageException {
        byte[] bytes = head.bytes();
        int end = authority;
        while (end < head.targetEnd() && bytes[end] != '/' && bytes[end] != '?') {
            end++;
        }
        if (!isAuthority(bytes, authority, end)) {
            throw BadMessageException.badRequest("the absolute request target holds no valid host and port");
        }
        // RFC 9112, 3.2.2 lets the target win over a different Host; two answers to "for whom" are one too many here.
        if (host >= 0 && !sameIgnoringCase(head, authority, end, host)) {
            throw BadMessageException.badRequest("the request target and Host name different hosts");
        }
        setPath(head, end);
    }

    private static void setPath(MessageHead head, int start) {
        byte[] bytes = head.bytes();
        int end = start;
        while (end < head.targetEnd() && bytes[end] != '?') {
            end++;
        }
        head.pathStart = start;
        head.pathEnd = end;
    }

    private static boolean sameIgnoringCase(MessageHead head, int from, int to, int hostField) {
        byte[] bytes = head.bytes();
        int other = head.valueStart(hostField);
        if (head.valueEnd(hostField) - other != to - from) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (Octets.toLower(bytes[i]) != Octets.toLower(bytes[other + i - from])) {
                return false;
            }
        }
        return true;
    }

    private static boolean startsWith(byte[] bytes, int from, int to, byte[] lowerCase) {
        return to - from > lowerCase.length && Octets.equalsIgnoreCase(bytes, from, from + lowerCase.length, lowerCase);
    }

    /** {@code host [":" port]} with a host that is not empty and no user (RFC 3986, 3.2). */
    private static boolean isAuthority(byte[] bytes, int from, int to) {
        if (from == to) {
            return false;
        }
        int port = to;
        while (port > from && Octets.isDigit(bytes[port - 1])) {
            port--;
        }
        boolean hasPort = port > from && bytes[port - 1] == ':';
        int hostEnd = hasPort ? port - 1 : to;
        if (hasPort && !isPort(bytes, port, to)) {
            return false;
        }
        if (hostEnd == from) {
            return false;
        }
        if (bytes[from] == '[') {
            return isIpLiteral(bytes, from, hostEnd);
        }
        for (int i = from; i < hostEnd; i++) {
            byte b = bytes[i];
            if (!Octets.isHost(b) || b == ':' || b == '[' || b == ']') {
                return false;
            }
            if (b == '%'
                    && (i + 2 >= hostEnd || Octets.hexValue(bytes[i + 1]) < 0 || Octets.hexValue(bytes[i + 2]) < 0)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isPort(byte[] bytes, int from, int to) {
        if (to - from > 5) {
            return false;
        }
        int port = 0;
        for (int i = from; i < to; i++) {
            port = port * 10 + (bytes[i] - '0');
        }
        return port <= 65_535;
    }

    private static boolean isIpLiteral(byte[] bytes, int from, int to) {
        if (to - from < 4 || bytes[to - 1] != ']') {
            return false;
        }
        for (int i = from + 1; i < to - 1; i++) {
            byte b = bytes[i];
            if (Octets.hexValue(b) < 0 && b != ':' && b != '.') {
                return false;
            }
        }
        return true;
    }
}
