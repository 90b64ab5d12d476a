package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.Rate;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** 50 a second and 100 at once, so that a lease of 100 ms is 5 of them, and each comes back in 20 ms. */
class SharedBucketTest {
    private static final Quota QUOTA = Quota.of(new Rate(50, TimeUnit.SECONDS), 100);
    private static final long UNIT_MICROS = 20_000;
    private static final long LONG_AGO = 1_000_000_000;

    private final Herd herd = Herd.of(4);
    private final HeldStore store = herd.store;
    private final Bucket bucket = SharedBucket.of(herd.replicas, "b", QUOTA, herd.now());

    private long take(long units) {
        return bucket.take(units, 0, herd.now());
    }

    private int takeAll() {
        int taken = 0;
        while (take(1) > 0) {
            taken++;
        }
        return taken;
    }

    /** What a report says: taken, given back, the age of that, what is believed to be missing, whether to believe it. */
    private long[] report() {
        return store.calls.get(0).arguments().stream().mapToLong(n -> n).toArray();
    }

    /** The store has counted everything, and lacks so many units. */
    private void counted(long missing) {
        store.answer(missing * UNIT_MICROS, LONG_AGO);
    }

    @Test
    void aLeaseIsTakenAheadOfTheStore() {
        assertThat(takeAll()).isEqualTo(5);
        assertThat(take(1)).isEqualTo(Bucket.UNKNOWN);
        assertThat(store.calls).hasSize(1);
        assertThat(report()).containsExactly(UNIT_MICROS, 0, 0, 0, 1);

        counted(1);

        assertThat(store.calls).as("what came meanwhile is reported together").hasSize(1);
        assertThat(report()).containsExactly(4 * UNIT_MICROS, 0, 0, UNIT_MICROS, 0);
        assertThat(takeAll()).isEqualTo(1);
        counted(5);
        assertThat(takeAll()).isEqualTo(4);
    }

    @Test
    void whatOthersTookIsMissing() {
        assertThat(take(1)).isPositive();
        counted(99);

        assertThat(take(1)).as("the last").isEqualTo(2_000_000_000);
        assertThat(take(1)).isEqualTo(-20 * Herd.MILLI);
        herd.pass(20 * Herd.MILLI);
        counted(99);
        assertThat(take(1)).isPositive();
    }

    @Test
    void oneRequestMayBeLargerThanTheLease() {
        assertThat(take(60)).isPositive();
        assertThat(take(1)).isEqualTo(Bucket.UNKNOWN);
        assertThat(take(60)).isEqualTo(Bucket.UNKNOWN);

        counted(60);

        assertThat(take(40)).isPositive();
    }

    @Test
    void aDebtOfOthersIsWaitedFor() {
        assertThat(take(1)).isPositive();
        counted(150);

        assertThat(take(1)).isEqualTo(-51 * 20 * Herd.MILLI);
        assertThat(bucket.take(1, 51 * 20 * Herd.MILLI, herd.now())).isPositive();
    }

    @Test
    void whatIsGivenBackBeforeItWasToldIsNeverTold() {
        assertThat(take(1)).isPositive();
        herd.pass(Herd.MILLI);
        assertThat(take(3)).isPositive();
        bucket.giveBack(3, 1, herd.now(), herd.now());
        counted(1);

        assertThat(report()[0]).isEqualTo(UNIT_MICROS);
        assertThat(report()[1]).isZero();
    }

    @Test
    void whatIsGivenBackLaterIsToldWithItsAge() {
        assertThat(take(60)).isPositive();
        long taken = herd.now();
        herd.pass(Herd.MILLI);
        counted(60);
        herd.pass(49 * Herd.MILLI);

        bucket.giveBack(60, 10, taken, herd.now());

        // Two round trips and a millisecond less: the store did not count it before that.
        assertThat(report()).startsWith(0, 50 * UNIT_MICROS, 47_000);
        counted(10);
        assertThat(take(90)).isPositive();
    }

    @Test
    void settlementsMayGoBeyondTheLease() {
        assertThat(take(1)).isPositive();
        bucket.charge(400, herd.now());
        assertThat(take(1)).isNegative();
        counted(1);

        assertThat(report()[0]).isEqualTo(400 * UNIT_MICROS);
    }

    @Test
    void withTheStoreAwayEachCountsForAll() {
        assertThat(take(1)).isPositive();
        store.fail();

        assertThat(takeAll()).as("of 99, each for 4").isEqualTo(24);
        assertThat(store.calls).isEmpty();
        herd.pass(Herd.SECOND);
        assertThat(takeAll()).as("of 3 and 50").isEqualTo(13);
    }

    @Test
    void whatOthersMayHaveTakenUnseenIsMissing() {
        assertThat(take(1)).isPositive();
        counted(1);
        herd.missBeat();

        assertThat(takeAll()).as("of 99 less a lease of 3 others, each for 4").isEqualTo(21);
        herd.beat(4);
        herd.pass(80 * Herd.MILLI);
        assertThat(take(1)).isPositive();
        assertThat(report()).as("once").containsExactly(UNIT_MICROS, 0, 0, 96 * UNIT_MICROS, 1);
    }

    @Test
    void whatWasTakenAloneIsToldWhenTheStoreIsBack() {
        assertThat(take(1)).isPositive();
        store.fail();
        takeAll();
        herd.beat(4);
        assertThat(take(1)).as("others may not know yet").isNegative();
        herd.pass(20 * Herd.MILLI);

        assertThat(take(1)).as("4 of 100").isPositive();

        assertThat(report()).containsExactly(UNIT_MICROS, 0, 0, 96 * UNIT_MICROS, 1);
        counted(97);
        assertThat(take(1)).isNegative();
        herd.pass(80 * Herd.MILLI);
        assertThat(take(1)).isPositive();
        assertThat(report()).as("it is believed once").endsWith(0);
    }

    @Test
    void whoAsksAgainUsesUpNoShare() {
        herd.missBeat();
        herd.beat(4);
        assertThat(take(20)).as("of 25").isPositive();
        for (int i = 0; i < 10; i++) {
            assertThat(take(1)).isEqualTo(Bucket.UNKNOWN);
        }
        counted(20);

        assertThat(takeAll()).isEqualTo(5);
    }

    @Test
    void aShareIsGivenBackToo() {
        herd.missBeat();
        herd.beat(4);
        assertThat(take(20)).isPositive();
        counted(20);
        bucket.giveBack(20, 5, herd.now(), herd.now());
        counted(5);

        assertThat(take(20)).as("of 25").isPositive();
        assertThat(take(1)).isNegative();
    }

    @Test
    void aStoreThatMayHaveForgottenIsTold() {
        takeAll();
        counted(1);
        counted(5);
        store.connections++;

        assertThat(take(1)).isPositive();

        // And of each other replica it may have forgotten a lease.
        assertThat(report()).containsExactly(UNIT_MICROS, 0, 0, (5 + 3 * 5) * UNIT_MICROS, 1);
    }

    @Test
    void anAnswerFromBeforeCountsNoMore() {
        assertThat(take(1)).isPositive();
        HeldStore.Call late = store.next();
        herd.missBeat();
        assertThat(takeAll()).isEqualTo(24);
        late.answer().complete(java.util.List.of(0L, 0L));
        assertThat(take(1)).as("still nothing left").isNegative();

        herd.beat(4);
        herd.pass(20 * Herd.MILLI);
        assertThat(take(1)).isPositive();
        counted(97);

        assertThat(take(1)).as("its share is used up").isNegative();
        herd.pass(5 * Herd.SECOND);
        herd.beat(4);
        assertThat(take(1)).as("all are back, and count once").isPositive();
        counted(97);
        assertThat(takeAll()).isEqualTo(3);
    }

    @Test
    void norAfterTheComeback() {
        assertThat(take(1)).isPositive();
        HeldStore.Call late = store.next();
        herd.missBeat();
        assertThat(takeAll()).isEqualTo(24);
        herd.beat(4);
        herd.pass(20 * Herd.MILLI);
        late.answer().complete(java.util.List.of(0L, 0L));

        assertThat(take(1)).isPositive();
        assertThat(report()).containsExactly(UNIT_MICROS, 0, 0, 96 * UNIT_MICROS, 1);
    }

    @Test
    void whoWaitsForTheStoreGoesOnAloneAfterTheLease() {
        takeAll();
        herd.pass(100 * Herd.MILLI);
        assertThat(take(1)).isEqualTo(Bucket.UNKNOWN);
        herd.pass(1);

        assertThat(take(1)).isPositive();
        assertThat(herd.replicas.isUp()).isFalse();
    }

    @Test
    void estimatesOfBeforeAreGivenBackOnce() {
        assertThat(take(40)).isPositive();
        long taken = herd.now();
        herd.pass(1);
        store.fail();

        bucket.giveBack(40, 0, taken, herd.now());
        assertThat(takeAll()).as("of 100, each for 4").isEqualTo(25);
    }

    @Test
    void estimatesOfThenAreGivenBackAsTheyWereTaken() {
        store.connections++;
        herd.missBeat();
        herd.pass(1);
        assertThat(take(20)).isPositive();

        bucket.giveBack(20, 5, herd.now(), herd.now());

        assertThat(takeAll()).as("of 80, each for 4").isEqualTo(20);
    }

    @Test
    void whoIsRefusedByAnOldAnswerHasTheStoreAsked() {
        assertThat(take(1)).isPositive();
        counted(150);
        assertThat(take(1)).isNegative();
        herd.pass(100 * Herd.MILLI);
        assertThat(take(1)).as("not older than the lease").isNegative();
        assertThat(store.calls).isEmpty();

        herd.pass(1);
        assertThat(take(1)).isEqualTo(Bucket.UNKNOWN);
        assertThat(take(1)).isEqualTo(Bucket.UNKNOWN);
        assertThat(store.calls).hasSize(1);
        assertThat(report()).startsWith(0, 0).endsWith(0);
        counted(10);

        assertThat(take(1)).as("others have given theirs back").isPositive();
    }

    @Test
    void whoIsRefusedIsNotAskedAboutWithoutTheStore() {
        assertThat(take(1)).isPositive();
        counted(150);
        herd.pass(100 * Herd.MILLI + 1);
        assertThat(take(1)).isEqualTo(Bucket.UNKNOWN);
        herd.pass(100 * Herd.MILLI + 1);

        assertThat(take(1)).as("no answer within the lease").isBetween(-3 * Herd.SECOND, -1L);
        assertThat(herd.replicas.isUp()).isFalse();
        assertThat(take(1)).isBetween(-3 * Herd.SECOND, -1L);
    }

    @Test
    void whatCountsForOthersIsNotWaitedFor() {
        Quota small = Quota.of(new Rate(1, TimeUnit.SECONDS), 2);
        Bucket one = SharedBucket.of(herd.replicas, "s", small, herd.now());
        herd.missBeat();

        long taken = one.take(1, 0, herd.now());

        assertThat(taken).isPositive();
        assertThat(small.wait(taken, 1L)).isZero();
        assertThat(small.remaining(taken)).isZero();
        herd.pass(Herd.SECOND);
        assertThat(one.take(1, 0, herd.now())).isEqualTo(-3 * Herd.SECOND);
        long later = one.take(1, 3 * Herd.SECOND, herd.now());
        assertThat(small.wait(later, 1L)).isEqualTo(3 * Herd.SECOND);
    }

    @Test
    void aDebtWithoutMeasureIsNoRoom() {
        assertThat(take(1)).isPositive();
        store.answer(Long.MAX_VALUE / 100, Long.MAX_VALUE / 100);

        assertThat(take(1)).isLessThan(-1_000_000 * Herd.SECOND).isNotEqualTo(Bucket.UNKNOWN);
    }

    @Test
    void anotherQuotaGoesOnWithWhatIsThere() {
        assertThat(take(5)).isPositive();
        counted(50);

        Bucket changed = bucket.under(Quota.of(new Rate(100, TimeUnit.SECONDS), 200));

        assertThat(changed.take(100, 0, herd.now())).isPositive();
        assertThat(changed.take(1, 0, herd.now())).isNegative();
        assertThat(take(1)).isNegative();
    }
}
