package io.drover.admission;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A text from elsewhere, a file or an address, that is looked at again and again on a thread of its own. While looking
 * fails, or finds what cannot be used, the last good one stays in force; each failure is logged once, and its end.
 */
final class LiveText implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveText.class);

    /** Where the text is; its {@code toString} is for people. */
    interface Source {
        /** @return empty if it is as it was at the last look */
        Optional<String> look() throws IOException;
    }

    /** What becomes of a text. */
    interface Use {
        /** @throws IOException if it cannot be used, and has changed nothing; the message says why */
        void accept(String text) throws IOException;
    }

    private final Source source;
    private final Use use;
    private final long regularNanos;
    private final long leastNanos;
    private final ScheduledExecutorService thread;

    // Of the one look that may be under way.
    private String lastText = "";
    private String mistake = "";
    private String complaint = "";

    // Guarded by this.
    private boolean looked;
    private boolean failed;
    private long lastNanos;
    private int accepted;
    private @Nullable CompletableFuture<Boolean> underWay;

    /**
     * @param regular how often it is looked at
     * @param least how long after a look the next may come, when something is missed or has failed
     */
    LiveText(Source source, Use use, Duration regular, Duration least, String threadName) {
        this(source, use, regular, least, Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, threadName);
            thread.setDaemon(true);
            return thread;
        }));
    }

    /** @param thread where looks are taken, one at a time; from now on this one's */
    LiveText(Source source, Use use, Duration regular, Duration least, ScheduledExecutorService thread) {
        this.source = source;
        this.use = use;
        this.regularNanos = regular.toNanos();
        this.leastNanos = least.toNanos();
        this.thread = thread;
    }

    /** Looks for the first time, on the calling thread, before {@link #start}; what it finds has to be good. */
    void require() throws IOException {
        boolean isNew = false;
        try {
            claim(System.nanoTime(), leastNanos);
            isNew = accept();
        } catch (IOException useless) {
            throw new IOException(source + ": " + useless.getMessage(), useless);
        } finally {
            release(isNew);
        }
    }

    /** Looks from now on. */
    void start() {
        thread.scheduleWithFixedDelay(() -> tick(System.nanoTime()), 0, leastNanos, TimeUnit.NANOSECONDS);
    }

    /** Looks if it is time to. */
    void tick(long nowNanos) {
        if (claim(nowNanos, age())) {
            look();
        }
    }

    private synchronized long age() {
        return failed ? leastNanos : regularNanos;
    }

    /** How many different texts have been accepted. */
    synchronized int accepted() {
        return accepted;
    }

    /**
     * Whether there is a newer text than the {@code seen}th, looking for one unless the last look is too recent. Never
     * fails.
     */
    CompletionStage<Boolean> newerThan(int seen, long nowNanos) {
        CompletableFuture<Boolean> look;
        synchronized (this) {
            if (accepted != seen) {
                return CompletableFuture.completedFuture(true);
            }
            boolean isMine = claim(nowNanos, leastNanos);
            look = underWay;
            if (look == null) {
                return CompletableFuture.completedFuture(false);
            }
            if (!isMine) {
                return look;
            }
        }
        try {
            thread.execute(this::look);
        } catch (RejectedExecutionException closed) {
            release(false);
        }
        return look;
    }

    /** Whether it is time, and nobody else is at it; who gets true has to look. */
    private synchronized boolean claim(long nowNanos, long ageNanos) {
        if (underWay != null || (looked && nowNanos - lastNanos < ageNanos)) {
            return false;
        }
        looked = true;
        lastNanos = nowNanos;
        underWay = new CompletableFuture<>();
        return true;
    }

    private void look() {
        boolean isNew = false;
        String wrong = "";
        try {
            isNew = accept();
        } catch (IOException useless) {
            wrong = String.valueOf(useless.getMessage());
        } catch (RuntimeException | Error fault) {
            // It would end the looks for good, and who waits for this one would wait for ever.
            LOG.error("{} cannot be used by a fault of ours", source, fault);
            wrong = fault.toString();
        }
        if (!thread.isShutdown()) {
            tell(wrong);
        }
        synchronized (this) {
            failed = !wrong.isEmpty();
        }
        release(isNew);
    }

    /** @return whether it is another text than before */
    private boolean accept() throws IOException {
        Optional<String> text = source.look();
        if (text.isEmpty()) {
            if (!mistake.isEmpty()) {
                throw new IOException(mistake); // It is still there.
            }
            return false;
        }
        mistake = "";
        if (text.get().equals(lastText)) {
            return false;
        }
        try {
            use.accept(text.get());
        } catch (IOException useless) {
            mistake = String.valueOf(useless.getMessage());
            throw useless;
        }
        lastText = text.get();
        synchronized (this) {
            accepted++;
        }
        return true;
    }

    private void tell(String wrong) {
        if (!wrong.isEmpty() && !wrong.equals(complaint)) {
            LOG.warn("{}: {}; what it held before stays in force", source, wrong);
        } else if (wrong.isEmpty() && !complaint.isEmpty()) {
            LOG.info("{} is in use again", source);
        }
        complaint = wrong;
    }

    private void release(boolean isNew) {
        CompletableFuture<Boolean> done;
        synchronized (this) {
            done = underWay;
            underWay = null;
        }
        if (done != null) {
            done.complete(isNew);
        }
    }

    /** Looks no more. Does not wait for a look under way, whose outcome may still be used. */
    @Override
    public void close() {
        thread.shutdownNow();
        release(false);
    }
}
