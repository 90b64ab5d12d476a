package io.drover.metrics;

import java.io.IOException;

/** The fields of the access log: see {@link AccessLog}. */
final class AccessLogFormat implements LineFormat<AccessRecord> {
    @Override
    public void write(AccessRecord record, JsonFields line) throws IOException {
        line.time("time", record.startedAtMillis());
        line.text("request_id", record.requestId());
        line.text("client", record.client());
        line.text("key", record.principal());
        line.text("method", record.method());
        line.text("path", record.target());
        line.text("endpoint", record.endpoint());
        line.text("model", record.model());
        line.count("status", record.outcome().status());
        line.text("backend", record.backend());
        line.count("attempts", record.attempts());
        line.text("cache", record.cache());
        line.text("cache_key", record.cacheKey());
        line.count("request_bytes", record.requestBytes());
        line.count("response_bytes", record.responseBytes());
        line.count("prompt_tokens", record.promptTokens());
        line.count("generated_tokens", record.generatedTokens());
        line.millis("ttfb_ms", record.timeToFirstByteNanos());
        line.millis("duration_ms", record.durationNanos());
        line.flag("unfinished", record.unfinished());
        Outcome outcome = record.outcome();
        Phase failedIn = outcome.failedIn();
        Side side = outcome.side();
        line.text("phase", failedIn == null ? null : failedIn.label());
        line.text("side", side == null ? null : side.label());
        line.text("cause", outcome.cause());
    }

    @Override
    public void writeLost(long lines, JsonFields line) throws IOException {
        line.time("time", System.currentTimeMillis());
        line.count("dropped", lines);
    }
}
