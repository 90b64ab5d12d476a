package io.drover.metrics;

import org.jspecify.annotations.Nullable;

/**
 * What is told of a finished exchange. Implementations no longer change once they are handed over, and may be read by
 * any thread. Durations are nanoseconds, -1 where the event never came; token counts are -1 where unknown.
 */
public interface AccessRecord {
    /** When the request's head was complete, in milliseconds since the epoch. */
    long startedAtMillis();

    String requestId();

    /** The client's address as text, after X-Forwarded-For of a trusted proxy was taken into account. */
    String client();

    /** The name of the key, token or user by which the caller proved who it is; null where nobody had to. */
    @Nullable
    String principal();

    String method();

    /** Path and query as sent, but for a secret in the path. */
    String target();

    /** Label of the route, such as {@code /api/chat}; {@code other} for paths that Drover does not know. */
    String endpoint();

    /** The model's name as requested; null where the route has none or it was never read. */
    @Nullable
    String model();

    Outcome outcome();

    /** Name of the backend that answered, or that was tried last; null where none was. */
    @Nullable
    String backend();

    /** How many times the request was sent, or tried to be sent, to a backend. */
    int attempts();

    /**
     * What the response cache had to do with it: {@code hit}, {@code miss}, {@code bypass}, {@code coalesced} or {@code
     * stale}; null where the cache is off, or the route is one whose answers are never kept.
     */
    @Nullable
    String cache();

    /** The key of the answer in the response cache, by which it can be purged; null where it was not looked up. */
    @Nullable
    String cacheKey();

    /** Bytes of the request's body read from the client, as framed on the wire. */
    long requestBytes();

    /** Bytes of the response written to the client, head included. */
    long responseBytes();

    /** Tokens of the prompt. */
    long promptTokens();

    /** Tokens generated. */
    long generatedTokens();

    /** Time the backend says it took to generate. */
    long generationNanos();

    /** Time the backend says it worked on the request: loading the model, reading the prompt, generating. */
    long gpuNanos();

    /** From the complete request head to the first byte of the response body from the backend. */
    long timeToFirstByteNanos();

    /** From the complete request head to the end. */
    long durationNanos();

    /** Whether the answer ended in order, and yet without its own end. */
    boolean unfinished();

    /** Whether the route is one that generates or embeds. */
    boolean inference();
}
