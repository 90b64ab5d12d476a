package io.drover.cache;

import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.random.RandomGenerator;

/** Makes the values that a replay inserts, each of a width that is known before. */
final class FreshValues {
    static final int TIME_WIDTH = "2026-08-22T01:48:22.123456789Z".length();
    static final int SECONDS_WIDTH = "1787363302".length();

    /** Of ten digits each: 2001 and 2286. A clock outside of them is wrong, and must not change a width. */
    private static final long FIRST_SECOND = 1_000_000_000L;

    private static final long LAST_SECOND = 9_999_999_999L;

    private static final String DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

    private FreshValues() {}

    private static long seconds(long wallMillis) {
        return Math.max(FIRST_SECOND, Math.min(LAST_SECOND, Math.floorDiv(wallMillis, 1000)));
    }

    /** {@code 2026-08-22T01:48:22.123456789Z}. The last digit is never zero: Go would leave it out. */
    static byte[] time(long wallMillis, RandomGenerator random) {
        LocalDateTime at = LocalDateTime.ofEpochSecond(seconds(wallMillis), 0, ZoneOffset.UTC);
        byte[] text = new byte[TIME_WIDTH];
        digits(text, 0, 4, at.getYear());
        text[4] = '-';
        digits(text, 5, 2, at.getMonthValue());
        text[7] = '-';
        digits(text, 8, 2, at.getDayOfMonth());
        text[10] = 'T';
        digits(text, 11, 2, at.getHour());
        text[13] = ':';
        digits(text, 14, 2, at.getMinute());
        text[16] = ':';
        digits(text, 17, 2, at.getSecond());
        text[19] = '.';
        digits(text, 20, 3, Math.floorMod(wallMillis, 1000));
        digits(text, 23, 5, random.nextInt(100_000));
        digits(text, 28, 1, random.nextInt(1, 10));
        text[29] = 'Z';
        return text;
    }

    /** Ten digits. */
    static byte[] seconds10(long wallMillis) {
        byte[] text = new byte[SECONDS_WIDTH];
        digits(text, 0, SECONDS_WIDTH, seconds(wallMillis));
        return text;
    }

    private static void digits(byte[] text, int from, int count, long value) {
        long rest = value;
        for (int i = from + count - 1; i >= from; i--) {
            text[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    /**
     * An id of the same shape: digits for digits, hexadecimal for hexadecimal, letters and digits for anything else that
     * has them.
     *
     * @param pattern of ASCII
     */
    static byte[] id(byte[] pattern, RandomGenerator random) {
        byte[] id = pattern.clone();
        boolean decimal = isOfRadix(pattern, 10);
        String letters = DIGITS.substring(0, decimal ? 10 : isOfRadix(pattern, 16) ? 16 : DIGITS.length());
        for (int i = 0; i < id.length; i++) {
            if (Character.isLetterOrDigit(id[i])) {
                id[i] = (byte) letters.charAt(random.nextInt(letters.length()));
            }
        }
        if (decimal && id[0] == '0') {
            id[0] = (byte) ('1' + random.nextInt(9));
        }
        return id;
    }

    private static boolean isOfRadix(byte[] pattern, int radix) {
        for (byte b : pattern) {
            if (Character.isLetterOrDigit(b) && Character.digit(b, radix) < 0) {
                return false;
            }
        }
        return true;
    }

    /** What stands in an id's place while it is kept: numbers are as long as most that Ollama gives. */
    static byte[] idPattern(String prefix, String id) {
        StringBuilder pattern = new StringBuilder(id);
        // rand.Intn(999999) for responses, rand.Intn(999) for completions.
        int usual = prefix.equals("resp_") ? 6 : 3;
        if (id.chars().allMatch(c -> c >= '0' && c <= '9')) {
            while (pattern.length() < usual) {
                pattern.append('0');
            }
        }
        return pattern.toString().getBytes(StandardCharsets.UTF_8);
    }
}
