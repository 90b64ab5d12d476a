package io.drover.metrics;

import io.drover.config.DroverConfig;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.jctools.queues.MpscArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line of JSON per finished exchange, to standard output or to the end of a file.
 *
 * <p>Event loops only put a record into a bounded queue; one daemon thread formats and writes. What does not fit, or
 * cannot be written, is lost: it is counted, and the log itself says so with a line {@code {"time":..,"dropped":n}}
 * as soon as it can. Slow or full disks never slow a request.
 *
 * <p>The fields, whose names are stable; one whose value is unknown is absent:
 *
 * <ul>
 *   <li>{@code time}: when the request's head was complete, ISO 8601, UTC, milliseconds
 *   <li>{@code request_id}, {@code client}, {@code method}, {@code path} (with the query), {@code endpoint} (the
 *       route), {@code model}
 *   <li>{@code status}: sent to the client; 499 if it left before
 *   <li>{@code backend}: the one that answered, or that was tried last; {@code attempts}: how many were tried
 *   <li>{@code request_bytes} of the body, {@code response_bytes} with the head
 *   <li>{@code prompt_tokens}, {@code generated_tokens}
 *   <li>{@code ttfb_ms}: from the head to the first byte of the answer's body; {@code duration_ms}: to the end
 *   <li>{@code unfinished}: true where the answer ended in order, but without its own end
 *   <li>only of a failure: {@code phase} in which it came, {@code side} that caused it, {@code cause}
 * </ul>
 */
public final class AccessLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AccessLog.class);

    /** Enough for a system call to be worth it, little enough to be written at once. */
    private static final int WRITE_BYTES = 64 * 1024;

    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(2);

    private final @Nullable Target target;
    private final MpscArrayQueue<AccessRecord> queue;
    private final LongConsumer dropped;
    private final LongAdder lost = new LongAdder();
    private final Thread thread;

    private volatile boolean parked;
    private volatile boolean reopening;
    private volatile boolean closing;

    // The writer's own.
    private final AccessLogLines lines = new AccessLogLines();
    private @Nullable OutputStream out;
    private long lostTold;
    private boolean cut;
    private boolean failureTold;

    /**
     * Opens the log and starts its thread.
     *
     * @param dropped told how many lines were lost; called from event loops too, so it must not block
     * @throws IOException if the file cannot be opened for appending
     */
    public static AccessLog open(DroverConfig.AccessLog config, LongConsumer dropped) throws IOException {
        Target target = null;
        if (config.enabled()) {
            target = config.file().<Target>map(file -> () -> append(file)).orElse(StandardOutput::new);
        }
        return open(target, config.queue(), dropped);
    }

    /** As {@link #open(DroverConfig.AccessLog, LongConsumer)}; a null target is a log that is switched off. */
    static AccessLog open(@Nullable Target target, int capacity, LongConsumer dropped) throws IOException {
        AccessLog log = new AccessLog(target, capacity, dropped);
        if (target != null) {
            log.thread.start();
        }
        return log;
    }

    private AccessLog(@Nullable Target target, int capacity, LongConsumer dropped) throws IOException {
        this.target = target;
        this.queue = new MpscArrayQueue<>(Math.max(capacity, 1));
        this.dropped = dropped;
        this.out = target == null ? null : target.open();
        this.thread = new Thread(this::run, "drover-access-log");
        this.thread.setDaemon(true);
    }

    /** Hands a record to the writer, or counts it as lost. Any thread; never blocks. */
    public void offer(AccessRecord record) {
        if (target == null) {
            return;
        }
        if (closing || !queue.offer(record)) {
            lose(1);
            return;
        }
        wake();
    }

    /** Opens the file anew by its name, after a log rotation moved it away. Any thread; returns before it is done. */
    public void reopen() {
        reopening = true;
        wake();
    }

    /** Writes what is waiting, for two seconds at most, and ends. Blocks meanwhile: not for event loops. */
    @Override
    public void close() {
        closing = true;
        if (target == null) {
            return;
        }
        wake();
        try {
            thread.join(DRAIN_LIMIT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.warn(
                    "access log: still writing after {} s; about {} lines are lost",
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
            AccessRecord record = queue.poll();
            if (record != null) {
                add(record);
                if (lines.size() >= WRITE_BYTES) {
                    write();
                }
                continue;
            }
            write();
            if (last) {
                closeOut();
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

    private void add(AccessRecord record) {
        try {
            lines.add(record);
        } catch (RuntimeException e) {
            failed("a record could not be formatted", e);
            lose(1);
        }
    }

    private void write() {
        long lostNow = lost.sum();
        if (lostNow > lostTold) {
            lines.addDropped(lostNow - lostTold);
        }
        OutputStream to = out;
        if (lines.size() == 0 || to == null) {
            return;
        }
        try {
            if (cut) {
                to.write('\n');
                cut = false;
            }
            lines.writeTo(to);
            to.flush();
            lostTold = lostNow;
        } catch (IOException e) {
            // Nobody knows how much of it was written.
            cut = true;
            failed("cannot be written", e);
            lose(lines.records());
        } finally {
            lines.clear();
        }
    }

    private void openAgain() {
        Target again = target;
        if (again == null) {
            return;
        }
        try {
            // In this order: a file that cannot be opened leaves the old one in use.
            OutputStream opened = again.open();
            closeOut();
            out = opened;
            cut = false;
            failureTold = false;
        } catch (IOException e) {
            failed("cannot be opened again", e);
        }
    }

    private void closeOut() {
        OutputStream open = out;
        out = null;
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (IOException e) {
            failed("cannot be closed", e);
        }
    }

    private void lose(long count) {
        if (count > 0) {
            lost.add(count);
            dropped.accept(count);
        }
    }

    /** Told once, not per line: a full disk would fill the other log as well. */
    private void failed(String what, Exception e) {
        if (!failureTold) {
            failureTold = true;
            LOG.warn("access log: {}; lost lines are counted from here on without a further word", what, e);
        }
    }

    private static OutputStream append(Path file) throws IOException {
        return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** Opens where lines go. */
    interface Target {
        OutputStream open() throws IOException;
    }

    /** The process's standard output, unbuffered, reporting errors as System.out does not, and never closed. */
    private static final class StandardOutput extends OutputStream {
        private final FileOutputStream descriptor = new FileOutputStream(FileDescriptor.out);

        @Override
        public void write(int b) throws IOException {
            descriptor.write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            descriptor.write(bytes, offset, length);
        }
    }
}
