package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.Period;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SharedAccountTest {
    private static final Term TODAY =
            Term.at(Period.DAY, Instant.parse("2026-11-21T12:00:00Z").toEpochMilli());
    private static final long UNTIL = Instant.parse("2026-11-23T00:00:00Z").toEpochMilli();

    private final Herd herd = Herd.of(4);
    private final HeldStore store = herd.store;
    private final SharedAccount account = new SharedAccount(TODAY, herd.replicas, "daily/api-key/day", "alice");

    private long[] report() {
        return store.calls.get(0).arguments().stream().mapToLong(n -> n).toArray();
    }

    @Test
    void whatWasUsedUpElsewhereIsAskedForFirst() {
        assertThat(account.isKnown(herd.now())).isFalse();
        assertThat(store.calls.get(0).key()).isEqualTo("drover:budget:daily/api-key/day:2026-11-21:alice");
        assertThat(account.isKnown(herd.now())).isFalse();
        assertThat(store.calls).hasSize(1);

        store.answer(700, 8_000_000);

        assertThat(account.isKnown(herd.now())).isTrue();
        assertThat(account.tokens()).isEqualTo(700);
        assertThat(account.gpuNanos()).isEqualTo(8 * Herd.SECOND);
    }

    @Test
    void nobodyWaitsLongerThanTheLease() {
        assertThat(account.isKnown(herd.now())).isFalse();
        herd.pass(100 * Herd.MILLI + 1);
        assertThat(account.isKnown(herd.now())).isTrue();
    }

    @Test
    void oneReportIsUnderWayAndHoldsAllThatCameMeanwhile() {
        account.add(10, 2_500);
        account.add(20, 1_700);
        account.add(-5, 0);
        assertThat(account.tokens()).isEqualTo(25);
        assertThat(account.gpuNanos()).isEqualTo(4_200);
        assertThat(report()).containsExactly(1, 10, 2, 0, 0, UNTIL);

        store.answer(110, 2);

        assertThat(report()).as("microseconds, and what is less waits").containsExactly(2, 15, 2, 110, 2, UNTIL);
        assertThat(account.tokens()).isEqualTo(125);
        store.answer(125, 4);
        assertThat(store.calls).isEmpty();
        assertThat(account.gpuNanos()).isEqualTo(4_200);
    }

    @Test
    void aReportThatFailedIsSentAgainByItsNumber() {
        account.add(10, 0);
        account.add(1, 0);
        store.fail();
        assertThat(account.tokens())
                .as("each counts for 4 while the store is away")
                .isEqualTo(44);
        account.add(2, 0);
        assertThat(account.tokens()).isEqualTo(52);
        assertThat(store.calls).isEmpty();

        herd.beat(4);

        assertThat(report()).as("without a further request").startsWith(1, 10);
        store.answer(60, 0);
        assertThat(report()).startsWith(2, 3, 0, 60, 0);
        assertThat(account.tokens()).isEqualTo(63);
    }

    @Test
    void anEmptyReportKeepsItsNumberToo() {
        assertThat(account.isKnown(herd.now())).isFalse();
        store.fail();
        herd.beat(4);

        assertThat(report()).startsWith(1, 0);
        account.add(10, 0);
        store.answer(0, 0);

        assertThat(report()).startsWith(2, 10);
    }

    @Test
    void whoIsToBeRefusedByAnOldAnswerHasTheStoreAsked() {
        assertThat(account.isKnown(herd.now())).isFalse();
        store.answer(700, 0);
        herd.pass(100 * Herd.MILLI);
        assertThat(account.isCertain(herd.now())).isTrue();
        herd.pass(1);
        assertThat(account.isCertain(herd.now())).isFalse();
        assertThat(account.isCertain(herd.now())).isFalse();
        assertThat(store.calls).hasSize(1);

        store.answer(300, 0);

        assertThat(account.isCertain(herd.now())).isTrue();
        assertThat(account.tokens()).isEqualTo(300);
    }

    @Test
    void nobodyIsRefusedLaterThanTheLease() {
        assertThat(account.isKnown(herd.now())).isFalse();
        store.answer(700, 0);
        store.connections++;
        assertThat(account.isCertain(herd.now()))
                .as("the store may have lost it")
                .isFalse();
        herd.pass(100 * Herd.MILLI + 1);
        assertThat(account.isCertain(herd.now())).isTrue();
        store.fail();
        assertThat(account.isCertain(herd.now())).as("away").isTrue();
    }

    @Test
    void aReportThatFailsAsTheStoreComesBackIsOwedStill() {
        account.add(10, 0);
        store.fail();
        herd.replicas.start();
        store.away = true;
        store.answer(4);
        assertThat(herd.replicas.isUp()).isFalse();
        store.away = false;

        herd.beat(4);

        assertThat(report()).startsWith(1, 10);
    }

    @Test
    void aReportThatAnOldConnectionHasLostIsSentAgainByItself() {
        account.add(10, 0);
        HeldStore.Call lost = store.next();
        store.connections++;
        lost.answer().completeExceptionally(new IllegalStateException("late"));
        assertThat(herd.replicas.isUp()).isTrue();

        herd.beat(4);

        assertThat(report()).startsWith(1, 10);
    }

    @Test
    void withoutTheStoreNobodyIsAsked() {
        herd.missBeat();

        assertThat(account.isKnown(herd.now())).isTrue();
        assertThat(store.calls).isEmpty();
    }
}
