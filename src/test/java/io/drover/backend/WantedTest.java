package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WantedTest {
    private static final long NOW = 1_000;

    private final Wanted x = new Wanted("x", new Tried());

    @Test
    void aModelIsNowhereOnceAllThatAreUpWereListedWithoutIt() {
        Herd herd = Herd.equal(2).lists(0, "other");
        assertThat(x.isNowhere(herd.cluster(), NOW)).as("b1 may have it").isFalse();
        herd.lists(1, "other");
        assertThat(x.isNowhere(herd.cluster(), NOW)).isTrue();
        assertThat(Herd.anything().isNowhere(herd.cluster(), NOW)).isFalse();
        herd.lists(1, "other", "x");
        assertThat(x.isNowhere(herd.cluster(), NOW)).isFalse();
    }

    @Test
    void oneThatIsAwayKeepsItsListingButWithoutOneSaysNothing() {
        Herd herd = Herd.equal(2).lists(0, "other");
        herd.get(1).onProbe(false, "connection refused", NOW);
        assertThat(x.isNowhere(herd.cluster(), NOW)).isTrue();
        herd.lists(1, "x");
        assertThat(x.isNowhere(herd.cluster(), NOW)).isFalse();
        herd.get(1).drain(true, NOW);
        assertThat(x.isNowhere(herd.cluster(), NOW)).isFalse();
    }

    @Test
    void whereNoneIsUpNothingIsSure() {
        Herd herd = Herd.equal(1).lists(0, "other");
        herd.get(0).onProbe(false, "connection refused", NOW);
        assertThat(x.isNowhere(herd.cluster(), NOW)).isFalse();
        assertThat(x.isNowhere(new Herd().cluster(), NOW)).isFalse();
    }

    @Test
    void onlyThoseThatMayHaveTheModelAreLeft() {
        Herd herd = Herd.equal(4).lists(0, "x").lists(1, "other").lists(2, "x");
        assertThat(x.left(herd.cluster())).isEqualTo(3);
        assertThat(Herd.anything().left(herd.cluster())).isEqualTo(4);
        herd.get(2).onProbe(false, "connection refused", NOW);
        assertThat(x.left(herd.cluster())).as("down is not gone").isEqualTo(3);
        herd.get(2).drain(true, NOW);
        assertThat(x.left(herd.cluster())).isEqualTo(2);
        x.tried().add(herd.get(0));
        assertThat(x.left(herd.cluster())).isEqualTo(1);
        assertThat(x.isUp(herd.cluster(), NOW)).isTrue();
        x.tried().add(herd.get(3));
        assertThat(x.left(herd.cluster())).isZero();
        assertThat(x.isUp(herd.cluster(), NOW)).as("b1 is up but lacks it").isFalse();
    }
}
