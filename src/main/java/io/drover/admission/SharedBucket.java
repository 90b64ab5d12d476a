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
                credit.loseSight(nowNanos);
            }
            if (standing.returning()) {
                long share = credit.takeShare(quota, units * standing.count(), delayNanos, nowNanos);
                if (Quota.isRefused(share)) {
                    return share;
                }
            }
            long counted = units * standing.weight();
            long taken = belief.take(counted, delayNanos, nowNanos);
            boolean refused = Quota.isRefused(taken);
            boolean certain = !standing.up()
                    || (refused ? credit.isConfirmed(nowNanos) : credit.take(quota.nanosOf(counted), nowNanos));
            if (!certain && !credit.isOverdue(nowNanos)) {
                if (!refused) {
                    belief.giveBack(counted, 0, nowNanos, nowNanos);
                }
                return UNKNOWN;
            }
            if (!certain) {
                replicas.onSilence("what was taken is not counted in time (limits.lease)");
            }
            return refused ? taken : untilFull(taken, units, counted);
        }
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
