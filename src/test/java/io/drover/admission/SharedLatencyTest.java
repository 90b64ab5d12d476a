package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.Rate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Three replicas and a store that answers after a while, in a time that is played through: what clients get. */
class SharedLatencyTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1000 * MILLI;
    private static final long ASK_AGAIN = 2 * MILLI;
    private static final int REPLICAS = 3;

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));
    private final Map<String, Long> alive = new HashMap<>();
    private final List<Bucket> buckets = new ArrayList<>();
    private final List<Replicas> replicas = new ArrayList<>();
    private long number;
    private long now;
    private long latency;
    private int scripts;

    // The store's one bucket, in microseconds.
    private long at;
    private long full;

    private int admitted;
    private int refused;

    private record Event(long at, long number, Runnable what) {}

    private void at(long time, Runnable what) {
        events.add(new Event(time, number++, what));
    }

    private void runUntil(long end) {
        while (!events.isEmpty() && events.element().at() <= end) {
            Event next = events.remove();
            now = next.at();
            next.what().run();
        }
        now = end;
    }

    private final class Store implements LimitStore {
        @Override
        public CompletionStage<List<Long>> run(String script, String key, List<String> arguments) {
            CompletableFuture<List<Long>> answer = new CompletableFuture<>();
            at(now + latency / 2, () -> {
                List<Long> counted = count(script, arguments);
                at(now + latency / 2, () -> answer.complete(counted));
            });
            return answer;
        }

        @Override
        public int connections() {
            return 1;
        }
    }

    private List<Long> count(String script, List<String> arguments) {
        if (script.equals(Script.REPLICAS)) {
            alive.put(arguments.get(0), now);
            return List.of((long) alive.size());
        }
        scripts++;
        long[] told = arguments.stream().mapToLong(Long::parseLong).toArray();
        long micros = now / 1000;
        if (told[4] == 1) {
            at = Math.max(at, micros + told[3]);
        }
        if (at <= micros) {
            at = micros;
            full = micros;
        }
        if (full <= micros - told[2]) {
            at = Math.max(micros, at - told[1]);
        }
        at += told[0];
        return List.of(at - micros, micros - full);
    }

    private void start(long latencyMillis, int perSecond, int burst) {
        latency = latencyMillis * MILLI;
        for (int i = 0; i < REPLICAS; i++) {
            ScheduledThreadPoolExecutor never =
                    new ScheduledThreadPoolExecutor(1, new ThreadPoolExecutor.DiscardPolicy());
            never.shutdown();
            Replicas one = new Replicas(new Store(), Duration.ofMillis(100), never, () -> now);
            replicas.add(one);
            buckets.add(SharedBucket.of(one, "b", Quota.of(new Rate(perSecond, TimeUnit.SECONDS), burst), now));
            beat(one);
        }
        runUntil(2 * SECOND);
    }

    private void beat(Replicas one) {
        one.start();
        at(now + SECOND, () -> beat(one));
    }

    /** Asks, and again as long as it is not known. */
    private void ask(int replica, Runnable then) {
        long taken = buckets.get(replica).take(1, 0, now);
        if (taken == Bucket.UNKNOWN) {
            at(now + ASK_AGAIN, () -> ask(replica, then));
            return;
        }
        if (Quota.isRefused(taken)) {
            refused++;
        } else {
            admitted++;
        }
        then.run();
    }

    private void keepAsking(int replica) {
        ask(replica, () -> at(now + 3 * MILLI, () -> keepAsking(replica)));
    }

    @ParameterizedTest
    @CsvSource({"0, 0.99", "1, 0.98", "20, 0.95", "60, 0.90", "90, 0.80"})
    void underFullLoadTheRateIsLetThroughAndNoMore(long latencyMillis, double share) {
        start(latencyMillis, 100, 20);
        long begun = now;
        for (int replica = 0; replica < REPLICAS; replica++) {
            for (int client = 0; client < 4; client++) {
                keepAsking(replica);
            }
        }
        for (int second = 1; second <= 20; second++) {
            runUntil(begun + second * SECOND);
            assertThat(admitted).isLessThanOrEqualTo(20 + 100 * second + REPLICAS * 10);
            assertThat(admitted).isGreaterThanOrEqualTo((int) (100 * second * share));
        }
        assertThat(replicas).allMatch(Replicas::isUp);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 20, 90, 200})
    void whoAsksLessThanTheRateIsNeverRefused(long latencyMillis) {
        start(latencyMillis, 10, 5);
        for (int i = 0; i < 200; i++) {
            int replica = i % REPLICAS;
            at(now + i * 200L * MILLI, () -> ask(replica, () -> {}));
        }
        runUntil(now + 60 * SECOND);

        assertThat(refused).isZero();
        assertThat(admitted).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "20, 1", "90, 1", "0, 3", "1, 3", "20, 3", "90, 3"})
    void aWholeBurstAtOnceIsNeverRefused(long latencyMillis, int spread) {
        start(latencyMillis, 7, 30);
        for (int i = 0; i < 30; i++) {
            ask(i % spread, () -> {});
        }
        runUntil(now + 5 * SECOND);

        assertThat(refused).isZero();
        assertThat(admitted).isEqualTo(30);
    }

    @Test
    void whatWasGivenBackElsewhereIsThere() {
        start(1, 1, 100);
        assertThat(buckets.get(0).take(60, 0, now)).isPositive();
        long taken = now;
        runUntil(now + 10 * MILLI);
        ask(1, () -> {});
        runUntil(now + 10 * MILLI);
        buckets.get(0).giveBack(60, 1, taken, now);
        runUntil(now + SECOND);
        for (int i = 0; i < 90; i++) {
            ask(1, () -> {});
        }
        runUntil(now + 2 * SECOND);

        assertThat(refused).isZero();
    }

    @Test
    void aFloodOfRefusedRequestsAsksTheStoreSeldom() {
        start(1, 1, 1);
        for (int replica = 0; replica < REPLICAS; replica++) {
            keepAsking(replica);
        }
        runUntil(now + 10 * SECOND);

        assertThat(refused).isGreaterThan(5_000);
        assertThat(scripts).isLessThan(500);
    }
}
