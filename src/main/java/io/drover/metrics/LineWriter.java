package io.drover.metrics;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.MpscArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A log's bounded queue and the daemon thread that formats and writes what is in it, in batches. What does not fit, or
 * cannot be written, is lost: it is counted, and the log itself says so with a line as soon as it can. Slow or full disks
 * never slow a request.
 */
final class LineWriter<T> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LineWriter.class);

    /** Enough for a system call to be worth it, little enough to be written at once. */
    static final int WRITE_BYTES = 64 * 1024;

    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(2);

    private final String name;
    private final LineSink sink;
    private final MpscArrayQueue<T> queue;
    private final Losses losses;
    private final LongAdder lost = new LongAdder();
    private final Thread thread;

    private volatile boolean parked;
    private volatile boolean reopening;
    private volatile boolean closing;

    // The writer's own.
    private final JsonLines<T> lines;
    private long lostTold;
    private boolean failureTold;

    /** Who counts lost lines. Called from event loops too, so it must not block. */
    interface Losses {
        void onLost(long lines);

        /** The log says how many were lost. On the writer's thread. */
        default void onTold(long lines) {}
    }

    /**
     * Starts its thread.
     *
     * @param name of the log, such as {@code access log}
     * @param sink closed by this
     * @param capacity most records waiting
     */
    LineWriter(String name, LineSink sink, LineFormat<T> format, int capacity, Losses losses) {
        this.name = name;
        this.sink = sink;
        this.lines = new JsonLines<>(format);
        this.queue = new MpscArrayQueue<>(capacity);
        this.losses = losses;
        this.thread = new Thread(this::run, "drover-" + name.replace(' ', '-'));
        this.thread.setDaemon(true);
        this.thread.start();
    }

    /** Hands a record to the writer, or counts it as lost; whether it was taken. Any thread; never blocks. */
    boolean offer(T record) {
        if (closing || !queue.offer(record)) {
            lose(1);
            return false;
        }
        wake();
        return true;
    }

    /** Opens the sink anew, after what was offered before. Any thread; returns before it is done. */
    void reopen() {
        reopening = true;
        wake();
    }

    /** Writes what is waiting, for two seconds at most, and ends. Blocks meanwhile: not for event loops. */
    @Override
    public void close() {
        closing = true;
        wake();
        try {
            thread.join(DRAIN_LIMIT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.warn(
                    "{}: still writing after {} s; about {} lines are lost",
                    name,
                    DRAIN_LIMIT.toSeconds(),
                    queue.size());
        }
    }

    /** The writer says that it parks before it looks once more whether it may, so one of the two sees the other. */
    private void wake() {
        if (parked) {
            parked = false;
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        while (true) {
            // Read before the queue: what was offered before close() is still written.
            boolean last = closing;
            T record = queue.poll();
            if (record != null) {
                add(record);
                if (lines.size() >= WRITE_BYTES) {
                    write();
                }
                continue;
            }
            write();
            if (last) {
                end();
                return;
            }
            if (reopening) {
                reopening = false;
                openAgain();
            }
            park();
        }
    }

    /**
     * No wake-up is lost: {@code isEmpty} compares the queue's indices, and a producer moves its index by a CAS before
     * it reads {@code parked}; so either the producer sees the flag or this sees the index.
     */
    private void park() {
        parked = true;
        if (queue.isEmpty() && !closing && !reopening) {
            LockSupport.park(this);
        }
        parked = false;
    }

    private void add(T record) {
        try {
            lines.add(record);
        } catch (RuntimeException | Error e) {
            failed("a record could not be formatted", e);
            lose(1);
        }
    }

    private void write() {
        long lostNow = lost.sum();
        if (lines.size() == 0 && lostNow == lostTold) {
            return;
        }
        try {
            if (lostNow > lostTold) {
                lines.addLost(lostNow - lostTold);
            }
            sink.write(lines.bytes());
            if (lostNow > lostTold) {
                losses.onTold(lostNow - lostTold);
                lostTold = lostNow;
            }
        } catch (IOException | RuntimeException | Error e) {
            // Whatever it is, such as a heap that is full for a moment: without this thread nothing is logged any more.
            failed("cannot be written", e);
            lose(lines.records());
        } finally {
            lines.clear();
        }
    }

    private void openAgain() {
        try {
            sink.reopen();
            failureTold = false;
        } catch (IOException | RuntimeException | Error e) {
            failed("cannot be opened again", e);
        }
    }

    private void end() {
        long untold = lost.sum() - lostTold;
        if (untold > 0) {
            LOG.warn("{}: at the end {} lines are lost that it could not tell of", name, untold);
        }
        try {
            sink.close();
        } catch (IOException e) {
            failed("cannot be closed", e);
        }
    }

    private void lose(long count) {
        if (count > 0) {
            lost.add(count);
            losses.onLost(count);
        }
    }

    /** Told once, not per line: a full disk would fill the other log as well. */
    private void failed(String what, Throwable e) {
        if (!failureTold) {
            failureTold = true;
            LOG.warn("{}: {}; lost lines are counted from here on without a further word", name, what, e);
        }
    }
}
