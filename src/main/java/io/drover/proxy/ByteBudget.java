package io.drover.proxy;

import java.util.concurrent.atomic.AtomicLong;

/** A number of bytes that all event loops share and none may exceed. */
final class ByteBudget {
    private final long limit;
    private final AtomicLong used = new AtomicLong();

    ByteBudget(long limit) {
        this.limit = limit;
    }

    /** Takes {@code bytes} if they are to be had; exact under contention. */
    boolean tryTake(long bytes) {
        if (used.addAndGet(bytes) > limit) {
            used.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    /** Takes {@code bytes} whether they are to be had or not, and tells whether the limit holds. */
    boolean take(long bytes) {
        return used.addAndGet(bytes) <= limit;
    }

    void giveBack(long bytes) {
        used.addAndGet(-bytes);
    }

    boolean isHalfUsed() {
        return used.get() > limit / 2;
    }

    boolean isExceeded() {
        return used.get() > limit;
    }

    long used() {
        return used.get();
    }
}
