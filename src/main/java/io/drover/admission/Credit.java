package io.drover.admission;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How far this replica is ahead of the store with one bucket: what was taken here and is not yet counted there, at most a
 * lease of it or one request. One report is under way at a time, and holds all that was taken since the last; so a busy
 * bucket costs the store one script in each round trip, whatever is taken from it.
 *
 * <p>Amounts are the time in which they come back, in nanoseconds. Whoever calls holds this one's lock.
 */
final class Credit {
    private static final long NANOS_PER_MICRO = 1_000;

    /** By how much two readings of a clock may differ that should be the same. */
    private static final long SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** 200 years in microseconds: what is missing beyond that could not be counted here in nanoseconds. */
    private static final long MOST_MICROS = TimeUnit.DAYS.toMicros(200 * 365);

    private final Replicas replicas;
    private final String key;
    private final TokenBucket belief;

    private long unsent;
    private long returned;
    private long returnedSince;

    private boolean sending;
    private long sent;
    private long sentNanos;
    private int report;
    private long roundTripNanos;
    private long answeredNanos;

    /** Of the last answer; if there is another one the store may be behind, and has to be told. */
    private long epoch = -1;

    private long epochNanos;
    private boolean told;
    private @Nullable TokenBucket share;

    /** @param belief how full the bucket is, as far as it is known here; corrected by each answer */
    Credit(Replicas replicas, String key, TokenBucket belief) {
        this.replicas = replicas;
        this.key = key;
        this.belief = belief;
    }

    /**
     * Takes this replica's share of a bucket of which others may not know yet that the store is back: so many units, as
     * {@link Bucket#take}, of what was left when it came back.
     */
    long takeShare(Quota quota, long units, long delayNanos, long nowNanos) {
        enterEpoch(nowNanos);
        TokenBucket mine = share;
        if (mine == null) {
            mine = belief.copy(nowNanos);
            share = mine;
        }
        return mine.under(quota).take(units, delayNanos, nowNanos);
    }

    /** Gives back what was not used of that, as {@link Bucket#giveBack}. */
    void giveBackShare(Quota quota, long units, long used, long takenNanos, long nowNanos) {
        TokenBucket mine = share;
        if (mine != null) {
            mine.under(quota).giveBack(units, used, takenNanos, nowNanos);
        }
    }

    /** Takes {@code cost} ahead of the store, if there is nothing that is not counted yet, or with it less than a lease. */
    boolean take(long cost, long nowNanos) {
        enterEpoch(nowNanos);
        long ahead = sent + unsent;
        if (ahead > 0 && cost > replicas.patienceNanos() - ahead) {
            return false;
        }
        add(cost, nowNanos);
        return true;
    }

    /** Takes {@code cost} that was used already, however much is not counted yet. */
    void charge(long cost, long nowNanos) {
        enterEpoch(nowNanos);
        add(cost, nowNanos);
    }

    private void add(long cost, long nowNanos) {
        unsent = Quota.bounded(unsent, cost);
        send(nowNanos);
    }

    /** Gives back {@code cost} of what was taken at {@code takenNanos}. */
    void giveBack(long cost, long takenNanos, long nowNanos) {
        enterEpoch(nowNanos);
        if (takenNanos - epochNanos < 0) {
            // It was counted in what the replica believed when the store came back, if at all.
            return;
        }
        if (takenNanos - sentNanos > 0) {
            unsent = Math.max(0, unsent - cost);
        } else {
            returnedSince = returned == 0 || takenNanos - returnedSince < 0 ? takenNanos : returnedSince;
            returned = Quota.bounded(returned, cost);
        }
        send(nowNanos);
    }

    /** Whether the store has said not long ago what the bucket lacks; if not it is asked. */
    boolean isConfirmed(long nowNanos) {
        enterEpoch(nowNanos);
        if (told && nowNanos - answeredNanos <= replicas.recentNanos()) {
            return true;
        }
        if (!sending) {
            report(nowNanos);
        }
        return false;
    }

    /** Whether the store has had time enough to answer. */
    boolean isOverdue(long nowNanos) {
        return sending && nowNanos - sentNanos > replicas.patienceNanos();
    }

    /**
     * Nothing is known any more of what others take. Each may have been a lease ahead of the store, which may never have
     * counted that: what is believed from here on must hold it, or each outage would give everybody a lease anew.
     */
    void loseSight(long nowNanos) {
        if (told) {
            told = false;
            long others = Math.max(0, replicas.count() - 1);
            belief.lack(others * replicas.patienceNanos(), nowNanos);
        }
    }

    /** What was not counted when the store went away is in the belief, which it is told. */
    private void enterEpoch(long nowNanos) {
        long now = replicas.epoch();
        if (epoch != now) {
            loseSight(nowNanos);
            share = null;
            epoch = now;
            epochNanos = nowNanos;
            unsent = 0;
            returned = 0;
            sent = 0;
            sending = false;
            sentNanos = nowNanos - 1;
        }
    }

    private void send(long nowNanos) {
        if (!sending && (unsent != 0 || returned != 0)) {
            report(nowNanos);
        }
    }

    private void report(long nowNanos) {
        // A give-back is void if the bucket was full since it was taken. When the store counted what was taken is known
        // up to a round trip.
        long age = returned == 0 ? 0 : nowNanos - returnedSince - 2 * roundTripNanos - SLACK_NANOS;
        List<String> arguments = List.of(
                micros(unsent + NANOS_PER_MICRO - 1),
                micros(returned),
                micros(Math.max(0, age)),
                micros(Math.max(0, belief.missing(nowNanos) - unsent)),
                told ? "0" : "1");
        sending = true;
        sent = unsent;
        // Read anew: behind all that is in it. Of the threads' own readings one may be older than what was taken
        // before.
        sentNanos = replicas.nanoTime();
        unsent = 0;
        returned = 0;
        int number = ++report;
        long sentIn = epoch;
        replicas.store()
                .run(Script.CHARGE, key, arguments)
                .whenComplete((answer, failure) -> onAnswer(number, sentIn, answer, failure));
    }

    private static String micros(long nanos) {
        return Long.toString(nanos / NANOS_PER_MICRO);
    }

    private void onAnswer(int number, long sentIn, @Nullable List<Long> answer, @Nullable Throwable failure) {
        if (answer == null && sentIn == replicas.epoch()) {
            replicas.onSilence(failure);
        }
        synchronized (this) {
            if (number != report || sentIn != epoch) {
                return;
            }
            sending = false;
            if (answer == null || !replicas.isUp() || epoch != replicas.epoch()) {
                return;
            }
            long now = replicas.nanoTime();
            long lacking = Math.min(answer.get(0), MOST_MICROS) * NANOS_PER_MICRO;
            long sinceFull = Math.min(answer.get(1), MOST_MICROS) * NANOS_PER_MICRO;
            answeredNanos = now;
            roundTripNanos = now - sentNanos;
            sent = 0;
            told = true;
            belief.restate(Quota.bounded(lacking, unsent), sentNanos - sinceFull, now);
            send(now);
        }
    }
}
