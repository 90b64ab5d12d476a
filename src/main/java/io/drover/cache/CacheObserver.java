package io.drover.cache;

/** Who counts what the response cache does. Called by any thread, often by event loops: an answer may take no time. */
public interface CacheObserver {
    /** Why an answer has left memory. */
    enum Eviction {
        /** Others need its room. */
        SIZE,
        /** It could not even be served as stale any more. */
        AGE,
        PURGE
    }

    /** Redis has answered a look-up, or the question for a lease, or has failed to. */
    void onRedisAnswer(long nanos);

    /** From now on Redis is not asked. */
    void onBreakerOpen();

    /** @param bytes of memory that are free again */
    void onEvicted(Eviction cause, long bytes);

    /** An answer did not come to be kept in Redis: too many are on their way, or Redis has failed. */
    void onWriteDropped();

    /**
     * A look-up in Redis failed or took longer than anybody waits for it, or what it found is no answer of ours: of another
     * key for encryption, or damaged.
     */
    void onReadFailed();
}
