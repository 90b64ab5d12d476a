package io.drover.cache;

import org.jspecify.annotations.Nullable;

/** An answer in memory. Immutable; any thread. */
public sealed interface KeptAnswer permits CachedAnswer, UnreadAnswer {
    Form form();

    Origin origin();

    /** Bytes of memory that it takes, about. */
    int weight();

    /**
     * The answer as it can be served.
     *
     * @return null where it must not be
     */
    @Nullable
    CachedAnswer read();
}
