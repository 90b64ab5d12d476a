package io.drover.cache;

/** How an answer is told; what it says is the same. */
public enum Form {
    /** One JSON object. */
    WHOLE,
    /** Lines of NDJSON, or server-sent events. */
    STREAM,
    /** Server-sent events of OpenAI's API, with {@code usage} at their end ({@code stream_options.include_usage}). */
    STREAM_WITH_USAGE
}
