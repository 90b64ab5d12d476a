package io.drover.metrics;

import io.drover.metrics.AuditEntry.Asked;
import io.drover.metrics.AuditEntry.Done;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.function.LongConsumer;

/** The fields of the audit log, which {@code docs/audit.md} lists. */
final class AuditLogFormat implements LineFormat<AuditEntry> {
    private final InstantSource clock;
    private final LongConsumer bodyDone;

    /** @param bodyDone told the size of each body that need not be kept any longer */
    AuditLogFormat(InstantSource clock, LongConsumer bodyDone) {
        this.clock = clock;
        this.bodyDone = bodyDone;
    }

    @Override
    public void write(AuditEntry entry, JsonFields line) throws IOException {
        if (entry instanceof Asked asked) {
            try {
                asked(asked, line);
            } finally {
                bodyDone.accept(asked.bodyBytes());
            }
        } else if (entry instanceof Done done) {
            line.time("time", done.atMillis());
            line.text("event", done.event());
            line.text("client", done.client());
            line.text("backend", done.backend());
            line.count("status", done.status());
        }
    }

    private static void asked(Asked asked, JsonFields line) throws IOException {
        AccessRecord record = asked.record();
        AuditedBody body = asked.body();
        NamedModels named = body == null || body.prompt() ? NamedModels.NONE : NamedModels.in(body.bytes());
        line.time("time", record.startedAtMillis());
        line.text("request_id", record.requestId());
        line.text("client", record.client());
        line.text("key", record.principal());
        line.text("endpoint", record.endpoint());
        line.text("method", record.method());
        line.text("path", path(record.target()));
        line.text("model", record.model() == null ? named.model() : record.model());
        line.text("destination", named.destination());
        line.count("status", record.outcome().status());
        line.text("outcome", outcome(record));
        Phase failedIn = record.outcome().failedIn();
        line.text("phase", failedIn == null ? null : failedIn.label());
        line.text("backend", record.backend());
        line.count("request_bytes", record.requestBytes());
        line.count("response_bytes", record.responseBytes());
        line.count("prompt_tokens", record.promptTokens());
        line.count("generated_tokens", record.generatedTokens());
        line.seconds("gpu_seconds", record.gpuNanos());
        line.seconds("duration_seconds", record.durationNanos());
        if (body != null && body.prompt()) {
            line.text(
                    "prompt",
                    StandardCharsets.UTF_8.decode(body.bytes().duplicate()).toString());
        }
        line.flag("prompt_cut", asked.promptLost() || (body != null && body.prompt() && body.cut()));
    }

    private static String outcome(AccessRecord record) {
        Side side = record.outcome().side();
        if (side != null) {
            return side.label();
        }
        return record.unfinished() ? "unfinished" : "complete";
    }

    /**
     * The path alone: a query may hold a key, and a target in absolute form (RFC 9112, 3.2.2) a password. Whatever is no
     * path is not repeated.
     */
    static String path(String target) {
        int from = 0;
        if (!target.startsWith("/")) {
            int authority = target.indexOf("://");
            from = authority < 0 ? -1 : target.indexOf('/', authority + 3);
            if (from < 0) {
                return "-";
            }
        }
        int to = from;
        while (to < target.length() && target.charAt(to) != '?' && target.charAt(to) != '#') {
            to++;
        }
        return target.substring(from, to);
    }

    @Override
    public void writeLost(long lines, JsonFields line) throws IOException {
        line.time("time", clock.millis());
        line.text("event", "lost");
        line.count("lines", lines);
    }
}
