package io.drover.backend;

/**
 * What a backend owes the requests of one event loop at one moment, and for how long it has been silent to them. Filled by
 * one thread, and no longer changed once it is handed over. Times are those of {@link System#nanoTime}.
 */
public final class Owed {
    static final long NOTHING = -1;

    private final long atNanos;
    private long streamNanos = NOTHING;
    private long waitNanos = NOTHING;
    private boolean patient;
    private long byteNanos = Long.MAX_VALUE;

    /** @param atNanos the moment */
    public Owed(long atNanos) {
        this.atNanos = atNanos;
    }

    /** A stream has begun that is read and has not ended. */
    public void onStream(long lastByteNanos) {
        streamNanos = Math.max(streamNanos, atNanos - lastByteNanos);
    }

    /** A request waits for the first byte of a stream, and its model is in memory. */
    public void onWait(long sentNanos) {
        waitNanos = Math.max(waitNanos, atNanos - sentNanos);
    }

    /** A request waits that may have to: for a model, or for a whole answer. Others may wait behind it. */
    public void onPatience() {
        patient = true;
    }

    /** A byte of an answer came at that time. */
    public void onByte(long nanos) {
        byteNanos = Math.min(byteNanos, atNanos - nanos);
    }

    long atNanos() {
        return atNanos;
    }

    /** Longest silence of a stream; {@link #NOTHING} if there is none. */
    long streamNanos() {
        return streamNanos;
    }

    /** Longest wait for a stream's first byte; {@link #NOTHING} if there is none. */
    long waitNanos() {
        return waitNanos;
    }

    boolean isPatient() {
        return patient;
    }

    /** How long ago the last byte came; the largest number if none did. */
    long byteNanos() {
        return byteNanos;
    }
}
