package io.drover.admission;

/**
 * What one key of a limit may still take. For any thread; never waits. The only way to a bucket's content, so that one
 * that holds a share of a bucket elsewhere can stand in its place.
 */
interface Bucket {
    /** Not taken, since it is not known at this moment whether there is room: it will be shortly. */
    long UNKNOWN = Long.MIN_VALUE;

    /**
     * Takes room for so many units, if there is any now or within {@code delayNanos}. More units than the bucket's size
     * are taken when it is full, and leave it in debt: they could never be taken else.
     *
     * @param units above 0
     * @param delayNanos how long the taker can wait for its room; it is reserved at once
     * @param nowNanos on the scale of {@link System#nanoTime}
     * @return above 0: taken, and so many nanoseconds until the bucket is full, from which {@link Quota} reads how long to
     *     wait; below 0: not taken, and there is room in so many nanoseconds, or {@link #UNKNOWN}; never 0
     */
    long take(long units, long delayNanos, long nowNanos);

    /**
     * Takes further units that were used already: the bucket may go into debt.
     *
     * @param units above 0
     */
    void charge(long units, long nowNanos);

    /**
     * Gives back what was not used of units that were taken at {@code takenNanos}. If the bucket has been full since,
     * their room has come back by itself, and a second time would be too much.
     *
     * @param units that were taken
     * @param used of these, at most all
     */
    void giveBack(long units, long used, long takenNanos, long nowNanos);

    /**
     * One with another quota and the same content, in time. Both share it from now on: what was taken from the one is
     * missing in the other, and what is settled later, too.
     */
    Bucket under(Quota quota);

    /** Makes the bucket of a key that is not known yet. */
    interface Maker {
        /** Buckets of this process alone. */
        Maker LOCAL = (limit, key, quota, nowNanos) -> new TokenBucket(quota, nowNanos);

        /** Buckets of all replicas. */
        static Maker shared(Replicas replicas) {
            return (limit, key, quota, nowNanos) ->
                    SharedBucket.of(replicas, "drover:limit:" + limit + ":" + key, quota, nowNanos);
        }

        /**
         * @param limit what tells it from all others, also those of other replicas
         * @return a full one
         */
        Bucket make(String limit, String key, Quota quota, long nowNanos);
    }
}
