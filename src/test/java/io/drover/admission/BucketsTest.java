package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Race;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Clients do not feel each other, and the number of their buckets is bounded without anybody's loss. */
class BucketsTest {
    private static final long SECOND = 1_000_000_000;
    private static final int BURST = 3;
    private static final Quota QUOTA = new Quota(SECOND, BURST);

    private final AtomicLong clock = new AtomicLong(-1000 * SECOND);
    private final Buckets limit = limit(QUOTA, 1000);

    private Buckets limit(Quota quota, int maxKeys) {
        return new Buckets(quota, maxKeys, clock::get);
    }

    private boolean admits(Buckets from, String key) {
        return !Quota.isRefused(from.take(key, clock.get()));
    }

    private int takeAll(Buckets from, String key) {
        int taken = 0;
        while (admits(from, key)) {
            taken++;
        }
        return taken;
    }

    @Test
    void eachClientHasABucketOfItsOwn() {
        assertThat(takeAll(limit, "192.0.2.1")).isEqualTo(BURST);
        assertThat(takeAll(limit, "192.0.2.2")).isEqualTo(BURST);

        clock.addAndGet(SECOND);
        assertThat(takeAll(limit, new String("192.0.2.1")))
                .as("an equal key is the same client")
                .isOne();
        assertThat(limit.size()).isEqualTo(2);
    }

    @Test
    void aBucketIsForgottenOnlyWhenItIsFull() {
        Buckets slow = limit(new Quota(100 * SECOND, BURST), 1000);
        assertThat(takeAll(slow, "a")).isEqualTo(BURST);

        clock.addAndGet(299 * SECOND);
        assertThat(takeAll(slow, "a")).as("kept: two are back").isEqualTo(2);
        clock.addAndGet(300 * SECOND);
        takeAll(slow, "b");
        assertThat(slow.size()).as("full again, and forgotten").isOne();
        assertThat(takeAll(slow, "a")).isEqualTo(BURST);
    }

    @Test
    void aBucketThatFillsFastIsKeptForAMinute() {
        admits(limit, "a");
        clock.addAndGet(59 * SECOND);
        admits(limit, "b");
        assertThat(limit.size()).isEqualTo(2);
        clock.addAndGet(SECOND);
        admits(limit, "b");
        admits(limit, "c");
        assertThat(limit.size()).as("b and c").isEqualTo(2);
    }

    @Test
    void beyondTheBoundTheOneUnusedForLongestIsForgotten() {
        Buckets few = limit(QUOTA, 3);
        for (String key : new String[] {"a", "b", "c"}) {
            assertThat(takeAll(few, key)).isEqualTo(BURST);
        }
        assertThat(admits(few, "a")).as("refused, but a use").isFalse();

        assertThat(takeAll(few, "d")).isEqualTo(BURST);

        assertThat(few.size()).isEqualTo(3);
        assertThat(admits(few, "a")).isFalse();
        assertThat(admits(few, "c")).isFalse();
        assertThat(admits(few, "d")).isFalse();
        assertThat(admits(few, "b")).as("forgotten: a full burst").isTrue();
    }

    @Test
    void oneBucketIsEnough() {
        Buckets one = limit(QUOTA, 1);

        for (int i = 0; i < 10; i++) {
            assertThat(takeAll(one, "key" + i)).isEqualTo(BURST);
            assertThat(admits(one, "key" + i)).isFalse();
            assertThat(one.size()).isOne();
        }
    }

    @Test
    void aClientThatComesOftenIsKeptThroughAFloodOfOthers() {
        assertThat(takeAll(limit, "often")).isEqualTo(BURST);

        for (int i = 0; i < 20_000; i++) {
            assertThat(admits(limit, "flood" + i)).isTrue();
            if (i % 100 == 0) {
                assertThat(admits(limit, "often")).as("after %d others", i).isFalse();
            }
            assertThat(limit.size()).isLessThanOrEqualTo(1000);
        }
    }

    @Test
    void threadsThatRaceGetExactlyWhatThereIsAndTheBoundHolds() throws Exception {
        Buckets raced = limit(new Quota(SECOND, 50), 1000);
        AtomicInteger admitted = new AtomicInteger();

        Race.run(4, thread -> {
            for (int i = 0; i < 900; i++) {
                admitted.addAndGet(takeAll(raced, "shared" + i));
            }
        });
        assertThat(admitted).as("no client had two buckets").hasValue(900 * 50);

        Race.run(4, thread -> {
            for (int i = 0; i < 20_000; i++) {
                raced.take(thread + "-" + i, clock.get());
            }
        });
        raced.take("last", clock.get());
        assertThat(raced.size()).isLessThanOrEqualTo(1000);
    }
}
