package io.drover.demo;

import io.netty.channel.EventLoop;
import java.util.PriorityQueue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is to be done when, on one event loop. One timer serves all streams of the loop: it wakes at the earliest due
 * time and does everything that is due, so ten thousand streams cost one timer and not ten thousand.
 */
final class Pacer implements Runnable {
    /** Returned by {@link Paced#onDue} by one that is finished. */
    static final long NEVER = Long.MAX_VALUE;

    // A loop cannot wake more precisely; what is due within this is done now.
    static final long GRAIN_NANOS = 500_000;
    private static final long THAW_POLL_NANOS = 5_000_000;

    /** Something that is called again and again at times of its own choice. */
    interface Paced {
        /**
         * Does what is due.
         *
         * @param now {@link System#nanoTime()}
         * @return when to call again, or {@link #NEVER}
         */
        long onDue(long now);
    }

    private static final class Entry implements Comparable<Entry> {
        final Paced paced;
        long due;

        Entry(Paced paced, long due) {
            this.paced = paced;
            this.due = due;
        }

        @Override
        public int compareTo(Entry other) {
            // nanoTime may wrap: compare differences.
            return Long.signum(due - other.due);
        }
    }

    private final EventLoop loop;
    private final BooleanSupplier frozen;
    private final PriorityQueue<Entry> entries = new PriorityQueue<>();
    private @Nullable Future<?> timer;
    private long wakeAt;

    Pacer(EventLoop loop, BooleanSupplier frozen) {
        this.loop = loop;
        this.frozen = frozen;
    }

    /** Calls {@code paced} at {@code due} (nanoTime), never from within this call. On the loop's thread only. */
    void add(Paced paced, long due) {
        assert loop.inEventLoop();
        if (due != NEVER) {
            entries.add(new Entry(paced, due));
            arm(due, System.nanoTime());
        }
    }

    @Override
    public void run() {
        timer = null;
        long now = System.nanoTime();
        if (frozen.getAsBoolean()) {
            arm(now + THAW_POLL_NANOS, now);
            return;
        }
        // Not more than were there at the start: who wants to be called at once waits for the loop's next turn.
        int turns = entries.size();
        for (Entry first = entries.peek(); first != null && turns > 0; first = entries.peek()) {
            if (first.due - now > GRAIN_NANOS) {
                break;
            }
            entries.remove();
            turns--;
            long next = first.paced.onDue(now);
            if (next != NEVER) {
                first.due = next;
                entries.add(first);
            }
        }
        Entry earliest = entries.peek();
        if (earliest != null) {
            arm(earliest.due, System.nanoTime());
        }
    }

    private void arm(long due, long now) {
        Future<?> armed = timer;
        if (armed != null) {
            if (due - wakeAt >= 0) {
                return;
            }
            // Left alone it would start a second chain of timers that never ends.
            armed.cancel(false);
        }
        wakeAt = due;
        timer = loop.schedule(this, Math.max(0, due - now), TimeUnit.NANOSECONDS);
    }
}
