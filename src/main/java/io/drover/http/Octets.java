package io.drover.http;

/** Classes of octets of RFC 9110 (5.5, 5.6.2) and RFC 9112 (3.2), one table look-up each. */
final class Octets {
    private static final byte TOKEN = 1;
    private static final byte FIELD_VALUE = 2;
    private static final byte TARGET = 4;
    private static final byte HOST = 8;

    private static final byte[] CLASSES = new byte[256];

    static {
        for (int c = 0; c < 256; c++) {
            boolean visible = c > 0x20 && c < 0x7f;
            boolean alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (alphanumeric || (c < 0x7f && "!#$%&'*+-.^_`|~".indexOf(c) >= 0)) {
                CLASSES[c] |= TOKEN;
            }
            // obs-text (0x80 and above) is opaque data that must pass (RFC 9110, 5.5).
            if (visible || c == ' ' || c == '\t' || c >= 0x80) {
                CLASSES[c] |= FIELD_VALUE;
            }
            // A fragment is never sent; a proxy that forwards one can be made to disagree with its rules
            // (CVE-2023-45539).
            if (visible && c != '#') {
                CLASSES[c] |= TARGET;
            }
            // reg-name, IPv4address and IP-literal of RFC 3986 (3.2.2); the port is checked apart.
            if (alphanumeric || (c < 0x7f && "-._~%!$&'()*+,;=:[]".indexOf(c) >= 0)) {
                CLASSES[c] |= HOST;
            }
        }
    }

    private Octets() {}

    static boolean isToken(byte b) {
        return (CLASSES[b & 0xff] & TOKEN) != 0;
    }

    static boolean isFieldValue(byte b) {
        return (CLASSES[b & 0xff] & FIELD_VALUE) != 0;
    }

    static boolean isTarget(byte b) {
        return (CLASSES[b & 0xff] & TARGET) != 0;
    }

    static boolean isHost(byte b) {
        return (CLASSES[b & 0xff] & HOST) != 0;
    }

    static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    /** Value of a hexadecimal digit, or -1. */
    static int hexValue(byte b) {
        if (b >= '0' && b <= '9') {
            return b - '0';
        }
        int lower = b | 0x20;
        return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    }

    static byte toLower(byte b) {
        return b >= 'A' && b <= 'Z' ? (byte) (b | 0x20) : b;
    }

    /** Whether the range equals {@code lowerCase} without regard to ASCII case. */
    static boolean equalsIgnoreCase(byte[] bytes, int from, int to, byte[] lowerCase) {
        if (to - from != lowerCase.length) {
            return false;
        }
        for (int i = 0; i < lowerCase.length; i++) {
            if (toLower(bytes[from + i]) != lowerCase[i]) {
                return false;
            }
        }
        return true;
    }
}
