package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReplicasTest {
    private final Herd herd = new Herd();
    private final Replicas replicas = herd.replicas;

    private int weight() {
        return replicas.standing().weight();
    }

    @Test
    void whoHasNeverSeenTheStoreKnowsOfNobody() {
        assertThat(replicas.isUp()).isFalse();
        assertThat(replicas.count()).isZero();
        assertThat(weight()).isEqualTo(1);

        herd.missBeat();

        assertThat(replicas.isUp()).isFalse();
        assertThat(weight()).isEqualTo(1);
    }

    @Test
    void itCountsItselfInForFiveSeconds() {
        replicas.start();

        assertThat(herd.store.next().script()).isEqualTo(Script.REPLICAS);
        replicas.start();
        assertThat(herd.store.calls.get(0).arguments()).contains(5000L);
    }

    @Test
    void withTheStoreAwayEachUnitCountsForAllReplicas() {
        herd.beat(4);
        assertThat(replicas.isUp()).isTrue();
        assertThat(weight()).isEqualTo(1);

        herd.missBeat();

        assertThat(replicas.isUp()).isFalse();
        assertThat(replicas.count()).isEqualTo(4);
        assertThat(weight()).isEqualTo(4);
    }

    @Test
    void anAnswerThatTakesLongerThanTheLeaseIsNone() {
        herd.beat(3);
        replicas.start();
        herd.pass(101 * Herd.MILLI);
        herd.store.answer(3);

        assertThat(replicas.isUp()).isFalse();
    }

    @Test
    void whoIsBackKeepsToItsShareForAsLongAsOthersMayNotBe() {
        herd.beat(3);
        assertThat(replicas.standing().returning()).isFalse();
        herd.missBeat();
        assertThat(replicas.standing().returning()).isFalse();

        herd.beat(1);
        assertThat(weight()).as("the store counts it again").isEqualTo(1);
        assertThat(replicas.standing().returning()).isTrue();
        assertThat(replicas.count()).isEqualTo(3);
        herd.pass(5 * Herd.SECOND - 1);
        herd.beat(2);
        assertThat(replicas.standing().returning()).isTrue();
        assertThat(replicas.count()).isEqualTo(3);

        herd.pass(1);
        herd.beat(2);
        assertThat(replicas.standing().returning()).isFalse();
        assertThat(replicas.count()).isEqualTo(2);
    }

    @Test
    void whoWasAloneHasNobodyToWaitFor() {
        herd.beat(1);
        herd.missBeat();
        herd.beat(1);

        assertThat(replicas.standing().returning()).isFalse();
    }

    @Test
    void whoLeavesInOrderIsForgottenAtOnce() {
        herd.beat(3);
        herd.beat(2);

        assertThat(weight()).isEqualTo(1);
        assertThat(replicas.count()).isEqualTo(2);
    }

    @Test
    void eachComebackAndEachConnectionBeginsAnEpoch() {
        herd.beat(2);
        long first = replicas.epoch();
        herd.beat(2);
        assertThat(replicas.epoch()).isEqualTo(first);

        herd.missBeat();
        herd.beat(2);
        long second = replicas.epoch();
        assertThat(second).isGreaterThan(first);

        herd.store.connections++;
        assertThat(replicas.epoch()).isGreaterThan(second);
    }

    @Test
    void aClosedOneIsCountedOut() {
        herd.beat(2);
        Thread.currentThread().interrupt();
        replicas.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(herd.store.next().arguments()).contains(0L);
    }
}
