package io.drover.bench;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Time that passes on the caller's thread while others are measured. */
final class Pause {
    private Pause() {}

    static void of(Duration time) {
        until(System.nanoTime() + time.toNanos());
    }

    static void until(long nanoTime) {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
