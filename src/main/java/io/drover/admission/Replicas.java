package io.drover.admission;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replicas that share their limits in one {@link LimitStore}: how many there are, and whether the store answers. While
 * it does not, each goes on by itself and counts each unit as often as there were replicas, so that together they keep to
 * what is allowed. For a while after the store has come back each keeps to its share, since others may not have seen it yet
 * and what they take is counted nowhere.
 *
 * <p>The store is asked each second. Any thread; asking how it stands costs a volatile read.
 */
public final class Replicas implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

    private static final String KEY = "drover:replicas";
    private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Longer than it takes to ask again. */
    private static final long RECENT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** Without a word for so long, a replica counts no more. */
    private static final Duration GONE_AFTER = Duration.ofSeconds(5);

    /** Far above any herd of load balancers; bounds what a store full of rubbish can do. */
    private static final long MOST = 10_000;

    /** Most accounts whose reports wait for the store to come back. */
    private static final int MOST_OWING = 100_000;

    /**
     * How it stands.
     *
     * @param up whether the store answers
     * @param returning whether it does again, but not for long
     * @param count replicas, as it was told last, or before it went away; 0: never
     * @param sinceNanos since when {@code up} is what it is
     * @param epoch how often the store has come back
     */
    record Standing(boolean up, boolean returning, int count, long sinceNanos, int epoch) {
        /** How many units each unit counts as that the store does not count. */
        int weight() {
            return up ? 1 : Math.max(1, count);
        }
    }

    private final LimitStore store;
    private final long patienceNanos;
    private final ScheduledExecutorService executor;
    private final LongSupplier clock;
    private final String name = UUID.randomUUID().toString();
    private final Set<SharedAccount> owing = ConcurrentHashMap.newKeySet();
    private volatile Standing standing;

    // Guarded by this.
    private @Nullable ScheduledFuture<?> next;
    private boolean closed;

    /**
     * @param lease by how much a replica may be ahead of the store, as the time in which that comes back; for so long it
     *     also waits for the store's answer
     * @param executor stays the caller's
     */
    public Replicas(LimitStore store, Duration lease, ScheduledExecutorService executor) {
        this(store, lease, executor, System::nanoTime);
    }

    Replicas(LimitStore store, Duration lease, ScheduledExecutorService executor, LongSupplier clock) {
        this.store = store;
        this.patienceNanos = lease.toNanos();
        this.executor = executor;
        this.clock = clock;
        this.standing = new Standing(false, false, 0, clock.getAsLong(), 0);
    }

    /** Counts this replica in, from now on each second. Completes normally when the first try has ended, however it did. */
    public CompletionStage<Void> start() {
        return beat();
    }

    /** Whether limits are shared at this moment. */
    public boolean isUp() {
        return standing.up();
    }

    /** How many replicas there are, or were when the store answered last; 0: it never has. */
    public int count() {
        return standing.count();
    }

    Standing standing() {
        return standing;
    }

    /** Another number after each time that the store may have lost, or not been told, something. */
    long epoch() {
        return (long) standing.epoch() + store.connections();
    }

    LimitStore store() {
        return store;
    }

    String name() {
        return name;
    }

    long patienceNanos() {
        return patienceNanos;
    }

    /**
     * How old an answer of the store may be by which somebody is refused: others may have given something back since, and
     * who is refused reports nothing.
     */
    long recentNanos() {
        return Math.max(patienceNanos, RECENT_NANOS);
    }

    long nanoTime() {
        return clock.getAsLong();
    }

    /** Has an account report as soon as the store is back. One beyond the bound reports with its next request. */
    void owe(SharedAccount account) {
        if (owing.size() < MOST_OWING) {
            owing.add(account);
        }
    }

    /** What was asked of the store has failed. */
    void onSilence(@Nullable Throwable failure) {
        Throwable known = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failure;
        onSilence(String.valueOf(known));
    }

    /** Something that was asked of the store has failed or is overdue. */
    void onSilence(String why) {
        long now = clock.getAsLong();
        synchronized (this) {
            Standing before = standing;
            if (closed || (!before.up() && before.epoch() > 0)) {
                return;
            }
            // An epoch of its own tells the first time from all others.
            standing = new Standing(false, false, before.count(), now, Math.max(1, before.epoch()));
        }
        LOG.warn(
                "limits are no longer shared, and go on here with one part in {} of what they allow: {}",
                standing.weight(),
                why);
    }

    private CompletionStage<Void> beat() {
        long asked = clock.getAsLong();
        return ask(GONE_AFTER).handle((answer, failure) -> {
            onBeat(answer, failure, asked);
            return null;
        });
    }

    /** @param counting for how long this replica counts */
    private CompletionStage<List<Long>> ask(Duration counting) {
        try {
            return store.run(Script.REPLICAS, KEY, List.of(name, Long.toString(counting.toMillis())));
        } catch (RuntimeException fault) {
            // No beat may be the last one.
            return CompletableFuture.failedFuture(fault);
        }
    }

    private void onBeat(@Nullable List<Long> answer, @Nullable Throwable failure, long askedNanos) {
        long now = clock.getAsLong();
        if (answer == null) {
            onSilence(failure);
        } else if (now - askedNanos > patienceNanos) {
            onSilence("no answer within " + TimeUnit.NANOSECONDS.toMillis(patienceNanos) + " ms (limits.lease)");
        } else {
            onCount((int) Math.max(1, Math.min(MOST, answer.get(0))), now);
        }
        synchronized (this) {
            if (!closed) {
                next = executor.schedule(this::beat, EVERY_NANOS, TimeUnit.NANOSECONDS);
            }
        }
    }

    private void onCount(int count, long now) {
        boolean back;
        synchronized (this) {
            Standing before = standing;
            back = !before.up();
            long since = back ? now : before.sinceNanos();
            boolean returning = (back ? before.count() > 1 : before.returning()) && now - since < GONE_AFTER.toNanos();
            int known = returning ? Math.max(count, before.count()) : count;
            standing = new Standing(true, returning, known, since, before.epoch() + (back ? 1 : 0));
        }
        if (back) {
            LOG.info("limits are shared; replicas at this moment: {}", count);
        }
        // At each beat: one may fail to be counted while the store is up, and an account may owe again at once.
        for (SharedAccount account : List.copyOf(owing)) {
            owing.remove(account);
            account.report(now);
        }
    }

    /** Counts this replica out. Waits for the store as long as anything does, {@code limits.lease}. */
    @Override
    public void close() {
        ScheduledFuture<?> last;
        synchronized (this) {
            closed = true;
            last = next;
        }
        if (last != null) {
            last.cancel(false);
        }
        try {
            ask(Duration.ZERO).toCompletableFuture().get(patienceNanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException away) {
            LOG.debug("this replica counts for another {} s", GONE_AFTER.toSeconds(), away);
        }
    }
}
