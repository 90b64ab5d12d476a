package io.drover.admission;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the request limit costs: the bucket alone, full or empty, and with the look-up of the client, of whom there is one
 * or as many as are kept by default. Happens once per request; {@code -t 2} shows it contended.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class TokenBucketBenchmark {
    private static final int KEPT = 100_000;

    /** Time from one request to the next: all are admitted. */
    private static final long STEP_NANOS = 1_000;

    private static final Quota QUOTA = new Quota(STEP_NANOS, 20);

    private final TokenBucket full = new TokenBucket(QUOTA, 0);
    private final TokenBucket empty = new TokenBucket(new Quota(TimeUnit.HOURS.toNanos(1), 1), 0);

    /** A client's requests; as in Drover the key is the same object for all requests of a connection. */
    @State(Scope.Thread)
    public static class Requests {
        private long nowNanos;
        private int next;

        long now() {
            nowNanos += STEP_NANOS;
            return nowNanos;
        }

        /** Far from the one before, so that the caches of the processor do not help. */
        String of(String[] keys) {
            next = (next + 70_001) % keys.length;
            return keys[next];
        }
    }

    /** A limit that has seen all clients. */
    @State(Scope.Benchmark)
    public static class Clients {
        @Param({"1", "100000"})
        int clients;

        private final Buckets limit = new Buckets(QUOTA, KEPT);
        private String[] keys = {};

        @Setup
        public void prepare() {
            keys = new String[clients];
            for (int i = 0; i < clients; i++) {
                keys[i] = "10." + (i >> 16) + "." + (i >> 8 & 0xff) + "." + (i & 0xff);
                limit.take(keys[i], 0);
            }
        }
    }

    /** Each one is a new client, and beyond the bound the oldest are forgotten. */
    @State(Scope.Benchmark)
    public static class Strangers {
        private final Buckets limit = new Buckets(QUOTA, KEPT);
    }

    @Benchmark
    public long admitted(Requests requests) {
        return full.take(requests.now());
    }

    @Benchmark
    public long refused(Requests requests) {
        return empty.take(requests.now());
    }

    @Benchmark
    public long ofClient(Requests requests, Clients clients) {
        return clients.limit.take(requests.of(clients.keys), requests.now());
    }

    @Benchmark
    public long ofStranger(Requests requests, Strangers strangers) {
        long now = requests.now();
        return strangers.limit.take(Long.toString(now), now);
    }
}
