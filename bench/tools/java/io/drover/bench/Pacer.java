package io.drover.bench;

import io.netty.channel.EventLoop;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Sends the tokens of one loop's streams when each is due, whatever happened to the one before. */
final class Pacer implements Runnable {
    /** Something that is to be done again and again. */
    interface Paced {
        /** When next, by {@link System#nanoTime()}. */
        long due();

        /** Does it; false: never again. */
        boolean run(long now);
    }

    /** So many in a row, then what has arrived is read. */
    private static final int BATCH = 16;

    private final EventLoop loop;
    private final PriorityQueue<Paced> queue = new PriorityQueue<>(Comparator.comparingLong(Paced::due));
    private Histogram lateness = Latencies.histogram();
    private long armed = Long.MAX_VALUE;

    Pacer(EventLoop loop) {
        this.loop = loop;
    }

    EventLoop loop() {
        return loop;
    }

    void add(Paced paced) {
        queue.add(paced);
        arm(System.nanoTime());
    }

    @Override
    public void run() {
        armed = Long.MAX_VALUE;
        long now = System.nanoTime();
        for (int i = 0; i < BATCH; i++) {
            Paced next = queue.peek();
            if (next == null || next.due() > now) {
                break;
            }
            queue.remove();
            Latencies.record(lateness, now - next.due());
            if (next.run(now)) {
                queue.add(next);
            }
            now = System.nanoTime();
        }
        arm(now);
    }

    private void arm(long now) {
        Paced next = queue.peek();
        if (next == null || armed <= next.due()) {
            return;
        }
        armed = next.due();
        if (armed <= now) {
            loop.execute(this);
        } else {
            loop.schedule(this, armed - now, TimeUnit.NANOSECONDS);
        }
    }

    Histogram takeLateness() {
        Histogram taken = lateness;
        lateness = Latencies.histogram();
        return taken;
    }
}
