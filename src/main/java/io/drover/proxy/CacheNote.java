package io.drover.proxy;

import io.drover.cache.CachedAnswer;
import io.drover.http.HeadWriter;
import java.util.Locale;

/**
 * What the client is told of the cache's part in its answer.
 *
 * @param ageSeconds of what was kept; negative where nothing was
 * @param similarity of the question that was answered before; {@code NaN} where it is the same one
 */
record CacheNote(CacheStatus status, long ageSeconds, double similarity) {
    static final CacheNote BYPASS = of(CacheStatus.BYPASS);
    static final CacheNote MISS = of(CacheStatus.MISS);
    static final CacheNote COALESCED = of(CacheStatus.COALESCED);

    private static final byte[] AGE = HeadWriter.ascii("Age: ");

    private static CacheNote of(CacheStatus status) {
        return new CacheNote(status, -1, Double.NaN);
    }

    static CacheNote of(CacheStatus status, CachedAnswer answer, long wallMillis) {
        return new CacheNote(status, answer.ageSeconds(wallMillis), answer.similarity());
    }

    /** Whether the answer is not one that a backend computed for this client. */
    boolean isServed() {
        return status != CacheStatus.MISS && status != CacheStatus.BYPASS;
    }

    void writeTo(HeadWriter writer) {
        writer.raw(status.line());
        if (ageSeconds >= 0) {
            writer.field(AGE, ageSeconds);
        }
        if (!Double.isNaN(similarity)) {
            writer.field("X-Cache-Similarity", String.format(Locale.ROOT, "%.3f", similarity));
        }
    }
}
