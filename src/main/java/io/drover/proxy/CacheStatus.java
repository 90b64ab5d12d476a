package io.drover.proxy;

import io.drover.http.HeadWriter;
import java.util.Locale;

/** What the cache had to do with an answer, as {@code X-Cache} and the access log tell it. */
enum CacheStatus {
    /** It was kept. */
    HIT,
    /** It was not, and a backend was asked. */
    MISS,
    /** It was not looked up. */
    BYPASS,
    /** It is another request's, which was under way. */
    COALESCED,
    /** It was kept, has expired, and stands in for one that no backend could give. */
    STALE;

    @SuppressWarnings("ImmutableEnumChecker") // never written after construction
    private final byte[] line = HeadWriter.line("X-Cache", name());

    private final String word = name().toLowerCase(Locale.ROOT);

    /** As a header line. */
    byte[] line() {
        return line;
    }

    /** As in the access log. */
    String word() {
        return word;
    }
}
