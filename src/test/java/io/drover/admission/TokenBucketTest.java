package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Race;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A bucket gives its burst at once and then its rate, at any reading of the clock and under any contention. */
class TokenBucketTest {
    private static final long STEP = 100;
    private static final int BURST = 5;
    private static final Quota QUOTA = new Quota(STEP, BURST);

    private static int takeAll(TokenBucket bucket, long now) {
        int taken = 0;
        while (!Quota.isRefused(bucket.take(now))) {
            taken++;
        }
        return taken;
    }

    /** Readings of {@link System#nanoTime}: any value, also right before the one that wraps. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, -350, 1_000_000_007, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 250})
    void theBurstComesAtOnceAndThenTheRate(long start) {
        TokenBucket bucket = new TokenBucket(QUOTA, start);

        assertThat(takeAll(bucket, start)).isEqualTo(BURST);
        assertThat(takeAll(bucket, start + STEP - 1)).isZero();
        assertThat(takeAll(bucket, start + STEP)).isOne();
        assertThat(takeAll(bucket, start + 3 * STEP + 50)).isEqualTo(2);
        assertThat(takeAll(bucket, start + 4 * STEP))
                .as("the half of before counts")
                .isOne();
        assertThat(takeAll(bucket, start + 4 * STEP + BURST * STEP - 1)).isEqualTo(BURST - 1);
    }

    @Test
    void whatItAnswersIsTheTimeUntilFullOrUntilRoom() {
        TokenBucket bucket = new TokenBucket(QUOTA, 1000);

        for (int i = 1; i <= BURST; i++) {
            assertThat(bucket.take(1000)).isEqualTo(i * STEP);
        }
        assertThat(bucket.take(1000)).isEqualTo(-STEP);
        assertThat(bucket.take(1099)).isEqualTo(-1);
        assertThat(bucket.take(1100)).isEqualTo(BURST * STEP);
    }

    @Test
    void aRefusalCostsNothing() {
        TokenBucket bucket = new TokenBucket(QUOTA, 0);
        takeAll(bucket, 0);

        for (int i = 0; i < 1000; i++) {
            assertThat(bucket.take(50)).isEqualTo(-50);
        }
        assertThat(takeAll(bucket, STEP)).isOne();
    }

    @ParameterizedTest
    @ValueSource(longs = {BURST * STEP, 3_600_000_000_000L, 365L * 24 * 3600 * 1_000_000_000})
    void aLongRestFillsItAndNoMore(long rest) {
        TokenBucket bucket = new TokenBucket(QUOTA, -7);
        takeAll(bucket, -7);

        assertThat(takeAll(bucket, rest - 7)).isEqualTo(BURST);
    }

    @Test
    void aClockThatIsBehindAddsNothing() {
        TokenBucket bucket = new TokenBucket(QUOTA, 10_000);
        assertThat(bucket.take(10_000)).isPositive();

        assertThat(takeAll(bucket, 10_000 - 2 * STEP)).isEqualTo(BURST - 3);
        assertThat(takeAll(bucket, 10_000)).isEqualTo(2);
    }

    @Test
    void theLargestQuotaDoesNotOverflow() {
        long step = Long.MAX_VALUE / 2 / 3;
        for (long start : new long[] {0, Long.MAX_VALUE - 1, Long.MIN_VALUE, -step}) {
            TokenBucket bucket = new TokenBucket(new Quota(step, 3), start);
            assertThat(takeAll(bucket, start)).isEqualTo(3);
            assertThat(takeAll(bucket, start + step - 1)).isZero();
            assertThat(takeAll(bucket, start + step)).isOne();
        }
    }

    /** The textbook's bucket: a level that is added to before each look. */
    @Test
    void itAdmitsWhatALevelThatIsRefilledWouldAdmit() {
        for (long seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Quota quota = new Quota(random.nextLong(1, 1000), random.nextInt(1, 20));
            long now = random.nextLong();
            TokenBucket bucket = new TokenBucket(quota, now);
            long level = quota.nanosToFill();
            for (int i = 0; i < 2000; i++) {
                long passed = random.nextInt(20) == 0
                        ? random.nextLong(2 * quota.nanosToFill())
                        : random.nextLong(2 * quota.nanosPerUnit());
                now += passed;
                level = Math.min(quota.nanosToFill(), level + passed);
                boolean admits = level >= quota.nanosPerUnit();
                level -= admits ? quota.nanosPerUnit() : 0;
                long taken = bucket.take(now);
                assertThat(!Quota.isRefused(taken))
                        .as("seed %d, request %d", seed, i)
                        .isEqualTo(admits);
                assertThat(taken).isEqualTo(admits ? quota.nanosToFill() - level : level - quota.nanosPerUnit());
            }
        }
    }

    /** All threads read the same time: exactly what there is is given out, however they interleave. */
    @Test
    void threadsThatRaceGetExactlyWhatThereIs() throws Exception {
        int burst = 10_000;
        TokenBucket bucket = new TokenBucket(new Quota(STEP, burst), 0);
        long now = 0;
        for (int arrived : new int[] {burst, 1, 777, 9_999, burst, 3 * burst}) {
            now += arrived * STEP;
            long at = now;
            AtomicInteger admitted = new AtomicInteger();

            Race.run(4, thread -> admitted.addAndGet(takeAll(bucket, at)));

            assertThat(admitted).hasValue(Math.min(burst, arrived));
        }
    }

    /** Each thread reads the real clock for itself, as event loops do. */
    @Test
    void threadsThatRaceNeverGetMoreThanTheBurstAndTheRate() throws Exception {
        int burst = 100;
        long step = 2_000;
        long runsNanos = 200_000_000;
        AtomicInteger admitted = new AtomicInteger();
        long start = System.nanoTime();
        TokenBucket bucket = new TokenBucket(new Quota(step, burst), start);

        Race.run(4, thread -> {
            int mine = 0;
            for (long now = System.nanoTime(); now - start < runsNanos; now = System.nanoTime()) {
                mine += Quota.isRefused(bucket.take(now)) ? 0 : 1;
            }
            admitted.addAndGet(mine);
        });

        assertThat(admitted.get()).isBetween(burst, (int) (burst + runsNanos / step));
    }
}
