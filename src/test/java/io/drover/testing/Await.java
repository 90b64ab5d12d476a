package io.drover.testing;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what another thread will do. */
public final class Await {
    private static final long STEP_NANOS = 2_000_000;

    private Await() {}

    /** Returns as soon as it is so, or fails after that time. */
    public static void until(String what, Duration atMost, BooleanSupplier isSo) {
        long start = System.nanoTime();
        while (!isSo.getAsBoolean()) {
            if (System.nanoTime() - start > atMost.toNanos()) {
                throw new AssertionError("not within " + atMost + ": " + what);
            }
            LockSupport.parkNanos(STEP_NANOS);
        }
    }
}
