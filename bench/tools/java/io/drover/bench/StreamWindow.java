package io.drover.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** What the streams of one loop saw during a span of time; belongs to that loop. */
final class StreamWindow {
    /** A gap over this is a stall: a reader notices it. */
    static final long STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private static final int MOST_FAILURES = 5;

    private final Histogram tokens = Latencies.histogram();
    private final Histogram firstTokens = Latencies.histogram();
    private final List<String> failures = new ArrayList<>();
    private long stalls;
    private long worstGap;
    private long failed;

    /** @param gap since the stream's token before it arrived */
    void onToken(long latency, long gap) {
        Latencies.record(tokens, latency);
        worstGap = Math.max(worstGap, gap);
        if (gap > STALL_NANOS) {
            stalls++;
        }
    }

    void onFirstToken(long latency) {
        Latencies.record(firstTokens, latency);
    }

    void onFailure(String what) {
        failed++;
        if (failures.size() < MOST_FAILURES) {
            failures.add(what);
        }
    }

    void add(StreamWindow other) {
        tokens.add(other.tokens);
        firstTokens.add(other.firstTokens);
        failures.addAll(other.failures);
        stalls += other.stalls;
        worstGap = Math.max(worstGap, other.worstGap);
        failed += other.failed;
    }

    /** From the backend's send to the client's read, of each token, nanoseconds. */
    Histogram tokens() {
        return tokens;
    }

    /** From the client's request to its first token, nanoseconds. */
    Histogram firstTokens() {
        return firstTokens;
    }

    long stalls() {
        return stalls;
    }

    double worstGapMillis() {
        return worstGap / 1e6;
    }

    /** Streams that broke or lost a token. */
    long failed() {
        return failed;
    }

    /** What happened to the first of them. */
    List<String> failures() {
        return failures;
    }
}
