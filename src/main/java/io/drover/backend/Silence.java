package io.drover.backend;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * How long one backend has been silent while it owed bytes, put together from what the event loops tell once a second.
 * Any thread; no lock.
 */
final class Silence {
    /** Ends closer together are one: not every request need write what all loops read. */
    private static final long GRAIN_NANOS = 100_000_000;

    private final Map<Object, Owed> byLoop = new ConcurrentHashMap<>();
    private volatile boolean anyEnd;
    private volatile long endNanos;

    void onOwed(Object loop, @Nullable Owed owed) {
        if (owed == null) {
            byLoop.remove(loop);
        } else {
            byLoop.put(loop, owed);
        }
    }

    /** An answer has ended: its last byte came now. */
    void onBytes(long nowNanos) {
        if (!anyEnd || nowNanos - endNanos >= GRAIN_NANOS) {
            endNanos = nowNanos;
            anyEnd = true;
        }
    }

    /** Whether it has owed bytes for so long, and sent none in that time. */
    boolean lastsFor(long nanos) {
        Owed[] all = byLoop.values().toArray(new Owed[0]);
        if (all.length == 0) {
            return false;
        }
        // What came after the oldest report may not stand in it: only the time up to then is known.
        long at = all[0].atNanos();
        for (Owed one : all) {
            at = one.atNanos() - at < 0 ? one.atNanos() : at;
        }
        long stream = Owed.NOTHING;
        long wait = Owed.NOTHING;
        long lastByte = anyEnd ? at - endNanos : Long.MAX_VALUE;
        boolean patient = false;
        for (Owed one : all) {
            long later = one.atNanos() - at;
            stream = Math.max(stream, one.streamNanos() - later);
            wait = Math.max(wait, one.waitNanos() - later);
            lastByte = Math.min(lastByte, one.byteNanos() - later);
            patient |= one.isPatient();
        }
        long owed = patient ? stream : Math.max(stream, wait);
        return owed >= nanos && lastByte >= nanos;
    }

    /** Whether a byte came from it in that time. */
    boolean hasByteWithin(long nanos, long nowNanos) {
        if (anyEnd && nowNanos - endNanos < nanos) {
            return true;
        }
        for (Owed one : byLoop.values()) {
            if (one.byteNanos() < nanos - (nowNanos - one.atNanos())) {
                return true;
            }
        }
        return false;
    }
}
