package io.drover.backend;

/**
 * How many of a backend's last answers ended in order and yet without an end of their own, as when a runner dies and its
 * server does not say so. Some are normal: Ollama ends a text that repeats itself like that.
 *
 * <p>Any thread. The usual case takes no lock.
 */
final class Ends implements Culprit {
    /** How many answers are looked at. */
    static final int WINDOW = 20;

    private static final int ALL = (1 << WINDOW) - 1;

    /** A bit for each answer, the newest lowest: whether it lacked its end. */
    private volatile int unfinished;

    private volatile int seen;
    private volatile long lastNanos;

    /** Takes the next answer, and tells how many of the last lacked their end; 0 while there are too few. */
    int add(boolean finished, long nowNanos) {
        if (finished && unfinished == 0 && seen == WINDOW) {
            return 0;
        }
        synchronized (this) {
            unfinished = (unfinished << 1 | (finished ? 0 : 1)) & ALL;
            seen = Math.min(seen + 1, WINDOW);
            lastNanos = nowNanos;
            return seen == WINDOW ? Integer.bitCount(unfinished) : 0;
        }
    }

    @Override
    public long lastNanos() {
        return lastNanos;
    }

    @Override
    public synchronized void forget() {
        unfinished = 0;
        seen = 0;
    }
}
