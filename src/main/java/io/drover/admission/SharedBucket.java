package io.drover.admission;

/**
 * One key's bucket of all replicas. It is kept in a {@link LimitStore}; here is what is known of it, which is enough to
 * refuse and, up to a lease, to admit. So nothing waits for the store but who would take more than a lease that the
 * store has not counted yet.
 *
 * <p>Together the replicas admit at most what the bucket allows, and one lease each, or one request each where that is
 * more. While the store is away see {@link Replicas}. For any thread; the lock is held for some arithmetic.
 */
final class SharedBucket implements Bucket {
    private final Quota quota;
    private final TokenBucket belief;
    private final Replicas replicas;
    private final Credit credit;

    private SharedBucket(Quota quota, TokenBucket belief, Replicas replicas, Credit credit) {
        this.quota = quota;
        this.belief = belief;
        this.replicas = replicas;
        this.credit = credit;
    }

    /** Of which nothing is known yet, so that it counts as full. */
    static SharedBucket of(Replicas replicas, String key, Quota quota, long nowNanos) {
        TokenBucket belief = new TokenBucket(quota, nowNanos);
        return new SharedBucket(quota, belief, replicas, new Credit(replicas, key, belief));
    }

    @Override
    public long take(long units, long delayNanos, long nowNanos) {
        synchronized (credit) {
            Replicas.Standing standing = replicas.standing();
            if (!standing.up()) {
                return takeAlone(units, units * standing.weight(), delayNanos, nowNanos);
            }
            if (!standing.returning()) {
                return takeShared(units, delayNanos, nowNanos);
            }
            long counted = units * standing.count();
            long share = credit.takeShare(quota, counted, delayNanos, nowNanos);
            if (Quota.isRefused(share)) {
                return share;
            }
            long taken = takeShared(units, delayNanos, nowNanos);
            if (Quota.isRefused(taken)) {
                credit.giveBackShare(quota, counted, 0, nowNanos, nowNanos);
            }
            return taken;
        }
    }

    private long takeAlone(long units, long counted, long delayNanos, long nowNanos) {
        credit.loseSight(nowNanos);
        long taken = belief.take(counted, delayNanos, nowNanos);
        return Quota.isRefused(taken) ? taken : untilFull(taken, units, counted);
    }

    private long takeShared(long units, long delayNanos, long nowNanos) {
        long taken = belief.take(units, delayNanos, nowNanos);
        boolean refused = Quota.isRefused(taken);
        if (refused ? credit.isConfirmed(nowNanos) : credit.take(quota.nanosOf(units), nowNanos)) {
            return taken;
        }
        if (credit.isOverdue(nowNanos)) {
            replicas.onSilence("what was taken is not counted in time (limits.lease)");
            return taken;
        }
        if (!refused) {
            belief.giveBack(units, 0, nowNanos, nowNanos);
        }
        return UNKNOWN;
    }

    /** Units that count for more than the bucket holds need not be waited for. */
    private long untilFull(long taken, long units, long counted) {
        long size = quota.nanosToFill();
        return taken - Math.max(size, quota.nanosOf(counted)) + Math.max(size, quota.nanosOf(units));
    }

    @Override
    public void charge(long units, long nowNanos) {
        synchronized (credit) {
            Replicas.Standing standing = replicas.standing();
            long counted = units * standing.weight();
            belief.charge(counted, nowNanos);
            if (standing.up()) {
                credit.charge(quota.nanosOf(counted), nowNanos);
            }
        }
    }

    @Override
    public void giveBack(long units, long used, long takenNanos, long nowNanos) {
        synchronized (credit) {
            Replicas.Standing standing = replicas.standing();
            // They may have been counted once only.
            int weight = takenNanos - standing.sinceNanos() < 0 ? 1 : standing.weight();
            belief.giveBack(units * weight, used * weight, takenNanos, nowNanos);
            if (standing.returning() && takenNanos - standing.sinceNanos() >= 0) {
                long count = standing.count();
                credit.giveBackShare(quota, units * count, used * count, takenNanos, nowNanos);
            }
            if (standing.up()) {
                long cost = quota.nanosOf(units * weight) - quota.nanosOf(used * weight);
                credit.giveBack(cost, takenNanos, nowNanos);
            }
        }
    }

    @Override
    public Bucket under(Quota other) {
        return new SharedBucket(other, belief.under(other), replicas, credit);
    }
}
