package io.drover.cache;

/** What is new each time an answer is replayed. Kept in Redis by its ordinal. */
enum Fresh {
    /** RFC 3339 with nanoseconds, in UTC: {@code created_at} of Ollama's own API. */
    TIME,
    /** Seconds since 1970: {@code created} of OpenAI's. */
    SECONDS,
    /** What follows an id's prefix; all places of an answer get the same. */
    ID
}
