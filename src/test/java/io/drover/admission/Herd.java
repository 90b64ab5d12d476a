package io.drover.admission;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;

/** A replica, its store and its clock, all moved by hand. */
final class Herd {
    static final long MILLI = 1_000_000;
    static final long SECOND = 1000 * MILLI;
    static final Duration LEASE = Duration.ofMillis(100);

    final HeldStore store = new HeldStore();
    final AtomicLong clock = new AtomicLong(-5000 * SECOND);
    final Replicas replicas;

    Herd() {
        // Nothing is done by itself: the test beats.
        ScheduledThreadPoolExecutor never = new ScheduledThreadPoolExecutor(1, new ThreadPoolExecutor.DiscardPolicy());
        never.shutdown();
        replicas = new Replicas(store, LEASE, never, clock::get);
    }

    /** One of which the store has told that there are so many. */
    static Herd of(int count) {
        Herd herd = new Herd();
        herd.beat(count);
        return herd;
    }

    void beat(int count) {
        replicas.start();
        store.answer(count);
    }

    void missBeat() {
        replicas.start();
        store.fail();
    }

    long now() {
        return clock.get();
    }

    void pass(long nanos) {
        clock.addAndGet(nanos);
    }
}
