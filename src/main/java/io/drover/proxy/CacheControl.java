package io.drover.proxy;

import io.drover.http.Field;
import io.drover.http.MessageHead;
import java.util.Locale;

/**
 * What a client wants of the cache (RFC 9111, 5.2.1); directives that are not listed here change nothing.
 *
 * @param noCache the answer must be computed now; it may be kept
 * @param noStore nothing of it may be kept, and nothing is looked up
 * @param onlyIfCached the answer must not be computed
 * @param maxAgeSeconds how old an answer may be at most; {@link Long#MAX_VALUE}: as old as it is kept
 */
record CacheControl(boolean noCache, boolean noStore, boolean onlyIfCached, long maxAgeSeconds) {
    /** Of a client that says nothing. */
    static final CacheControl ANY = new CacheControl(false, false, false, Long.MAX_VALUE);

    /** More digits are more than anybody means. */
    private static final int MAX_DIGITS = 15;

    static CacheControl of(MessageHead head) {
        CacheControl all = ANY;
        for (int i = head.indexOf(Field.CACHE_CONTROL, 0); i >= 0; i = head.indexOf(Field.CACHE_CONTROL, i + 1)) {
            for (String directive :
                    head.text(head.valueStart(i), head.valueEnd(i)).split(",")) {
                all = all.with(directive.strip().toLowerCase(Locale.ROOT));
            }
        }
        return all;
    }

    private CacheControl with(String directive) {
        int equals = directive.indexOf('=');
        String name = equals < 0 ? directive : directive.substring(0, equals);
        return switch (name) {
            case "no-cache" -> new CacheControl(true, noStore, onlyIfCached, maxAgeSeconds);
            case "no-store" -> new CacheControl(noCache, true, onlyIfCached, maxAgeSeconds);
            case "only-if-cached" -> new CacheControl(noCache, noStore, true, maxAgeSeconds);
            case "max-age" ->
                new CacheControl(
                        noCache,
                        noStore,
                        onlyIfCached,
                        Math.min(maxAgeSeconds, seconds(directive.substring(equals + 1))));
            default -> this;
        };
    }

    /** Of one that cannot be read, the strictest meaning (RFC 9111, 4.2.1). */
    private static long seconds(String value) {
        String digits = value.replace("\"", "");
        boolean number = !digits.isEmpty() && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!number) {
            return 0;
        }
        return digits.length() > MAX_DIGITS ? Long.MAX_VALUE : Long.parseLong(digits);
    }
}
