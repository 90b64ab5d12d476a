package io.drover.admission;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What one key has used up of a budget at all replicas: what the store said last, and what was used up here since. That
 * is reported at once, one report at a time, each again until it is counted, and never twice.
 *
 * <p>While the store is away what is used up here counts as often as there were replicas. For any thread.
 */
final class SharedAccount implements Account {
    private static final long NANOS_PER_MICRO = 1_000;

    /** Late reports still find it. */
    private static final long KEPT_MILLIS = TimeUnit.DAYS.toMillis(1);

    private final Term term;
    private final Replicas replicas;
    private final String key;

    // Guarded by this.
    private boolean known;
    private long tokens;
    private long gpuNanos;
    private long newTokens;
    private long newGpuNanos;
    private boolean sending;
    private long sentTokens;
    private long sentGpuNanos;
    private long sentNanos;
    private long report;

    /** Whether the report of that number has no answer yet, however often it was sent; it may be empty. */
    private boolean open;

    private long epoch = -1;
    private long answeredNanos;

    SharedAccount(Term term, Replicas replicas, String budget, String key) {
        this.term = term;
        this.replicas = replicas;
        this.key = "drover:budget:" + budget + ":" + term.first() + ":" + key;
    }

    @Override
    public Term term() {
        return term;
    }

    @Override
    public synchronized boolean isKnown(long nowNanos) {
        if (known || !replicas.isUp()) {
            return true;
        }
        return isOverdueThoughAsked(nowNanos);
    }

    /** Other replicas may have taken back estimates since, and who is refused reports nothing. */
    @Override
    public synchronized boolean isCertain(long nowNanos) {
        if (!replicas.isUp()) {
            return true;
        }
        boolean recent = nowNanos - answeredNanos <= replicas.recentNanos();
        if (known && epoch == replicas.epoch() && recent) {
            return true;
        }
        return isOverdueThoughAsked(nowNanos);
    }

    /** Asks the store, if it is not asked already; whether it has had time enough to answer. */
    private boolean isOverdueThoughAsked(long nowNanos) {
        send(nowNanos);
        return sending && nowNanos - sentNanos > replicas.patienceNanos();
    }

    @Override
    public synchronized long tokens() {
        return tokens + (sentTokens + newTokens) * weight();
    }

    @Override
    public synchronized long gpuNanos() {
        return gpuNanos + (sentGpuNanos + newGpuNanos) * weight();
    }

    private int weight() {
        return replicas.standing().weight();
    }

    @Override
    public synchronized void add(long moreTokens, long moreGpuNanos) {
        newTokens += moreTokens;
        newGpuNanos += moreGpuNanos;
        if (replicas.isUp()) {
            send(replicas.nanoTime());
        } else {
            replicas.owe(this);
        }
    }

    /** Reports what is not counted yet. */
    synchronized void report(long nowNanos) {
        send(nowNanos);
    }

    /** What was sent last and not answered is sent again as it was: the store knows it by its number. */
    private void send(long nowNanos) {
        if (sending) {
            return;
        }
        if (!open) {
            open = true;
            report++;
            sentTokens = newTokens;
            // The store counts microseconds: what is less waits.
            sentGpuNanos = newGpuNanos - newGpuNanos % NANOS_PER_MICRO;
            newTokens = 0;
            newGpuNanos -= sentGpuNanos;
        }
        sending = true;
        sentNanos = nowNanos;
        long sentIn = replicas.epoch();
        List<String> arguments = List.of(
                replicas.name(),
                Long.toString(report),
                Long.toString(sentTokens),
                Long.toString(sentGpuNanos / NANOS_PER_MICRO),
                Long.toString(tokens),
                Long.toString(gpuNanos / NANOS_PER_MICRO),
                Long.toString(term.untilMillis() + KEPT_MILLIS));
        replicas.store()
                .run(Script.SPEND, key, arguments)
                .whenComplete((answer, failure) -> onAnswer(sentIn, answer, failure));
    }

    private void onAnswer(long sentIn, @Nullable List<Long> answer, @Nullable Throwable failure) {
        if (answer == null && sentIn == replicas.epoch()) {
            replicas.onSilence(failure);
        }
        synchronized (this) {
            sending = false;
            if (answer == null) {
                replicas.owe(this);
                return;
            }
            known = true;
            open = false;
            epoch = sentIn;
            answeredNanos = replicas.nanoTime();
            tokens = answer.get(0);
            gpuNanos = answer.get(1) * NANOS_PER_MICRO;
            sentTokens = 0;
            sentGpuNanos = 0;
            if (newTokens != 0 || newGpuNanos >= NANOS_PER_MICRO) {
                send(replicas.nanoTime());
            }
        }
    }
}
