package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig;
import io.drover.testing.Race;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How each policy spreads requests. */
class PolicyTest {
    private static final long NOW = 1_000;

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7})
    void leastConnectionsNeverSpreadsByMoreThanOneUnderContention(int size) throws Exception {
        Herd herd = Herd.equal(size);
        Backend[] among = herd.cluster().primaries();
        LeastConnections policy = new LeastConnections();
        for (int round = 0; round < 100; round++) {
            Race.run(4, thread -> {
                for (int i = 0; i < 25; i++) {
                    pick(policy, among);
                    // Counts only grow here. Between the two looks the highest was at least what the first saw, and the
                    // lowest at most what the second saw: a spread above 1 at that moment shows.
                    int highest = Collections.max(herd.inFlight());
                    int lowest = Collections.min(herd.inFlight());
                    assertThat(highest - lowest).isLessThanOrEqualTo(1);
                }
            });
            assertThat(Collections.max(herd.inFlight()) - Collections.min(herd.inFlight()))
                    .isLessThanOrEqualTo(1);
        }
        assertThat(herd.inFlight().stream().mapToInt(Integer::intValue).sum()).isEqualTo(100 * 4 * 25);
    }

    @Test
    void leastConnectionsEvensOutAfterReleases() {
        Herd herd = Herd.equal(3);
        Backend[] among = herd.cluster().primaries();
        LeastConnections policy = new LeastConnections();
        for (int i = 0; i < 5; i++) {
            herd.get(0).acquire();
            herd.get(2).acquire();
        }
        for (int i = 0; i < 5; i++) {
            assertThat(pick(policy, among).backend()).isSameAs(herd.get(1));
        }
        pick(policy, among);
        assertThat(herd.inFlight().stream().mapToInt(Integer::intValue).sum()).isEqualTo(16);
        assertThat(Collections.max(herd.inFlight())).isEqualTo(6);
    }

    @Test
    void leastConnectionsHoldsTheSharesOfTheWeights() {
        Herd herd = Herd.of(3, 1, 2);
        Backend[] among = herd.cluster().primaries();
        LeastConnections policy = new LeastConnections();
        for (int i = 1; i <= 50; i++) {
            for (int n = 0; n < 6; n++) {
                pick(policy, among);
            }
            assertThat(herd.inFlight()).containsExactly(3 * i, i, 2 * i);
        }
    }

    @Test
    void leastConnectionsComparesExactlyWhereDivisionWouldRound() {
        // 1/3 is less than 333333334/1000000000, which a float holds for the same.
        assertThat(Policy.compareLoad(1, 3, 333_333_334, 1_000_000_000)).isNegative();
        assertThat(Policy.compareLoad(333_333_334, 1_000_000_000, 1, 3)).isPositive();
        assertThat(Policy.compareLoad(2, 6, 1, 3)).isZero();
        assertThat(Policy.compareLoad(Integer.MAX_VALUE, 1, Integer.MAX_VALUE - 1, Integer.MAX_VALUE))
                .isPositive();
    }

    @Test
    void leastConnectionsTakesTurnsAmongTheIdle() {
        Herd herd = Herd.equal(4);
        assertThat(shares(new LeastConnections(), herd, 400)).containsExactly(100, 100, 100, 100);
    }

    @Test
    void leastConnectionsTakesTurnsByWeightAmongTheIdle() {
        assertThat(shares(new LeastConnections(), Herd.of(3, 1), 400)).containsExactly(300, 100);
    }

    @ParameterizedTest
    @EnumSource(DroverConfig.Balance.class)
    void aBackendThatIsBackGetsATenthAtFirst(DroverConfig.Balance balance) {
        Herd herd = Herd.equal(2);
        herd.get(0).onProbe(false, "connection refused", NOW);
        herd.get(0).onProbe(true, "", NOW);
        herd.get(0).onProbe(true, "", NOW);
        LoadBalancer balancer = LoadBalancer.of(balance);
        int[] chosen = new int[2];
        for (int i = 0; i < 1100; i++) {
            Slot slot = Objects.requireNonNull(balancer.select(herd.cluster(), Herd.anything(), NOW));
            chosen[slot.backend().index()]++;
            slot.release();
        }
        if (balance == DroverConfig.Balance.RANDOM_TWO) {
            // It draws two of two, and both are idle: the first one drawn is taken.
            assertThat(chosen[0]).isBetween(50, 160);
        } else {
            assertThat(chosen).containsExactly(100, 1000);
        }
    }

    @Test
    void leastConnectionsLoadsABackendThatIsBackByItsShare() {
        Herd herd = Herd.equal(2);
        herd.get(0).onProbe(false, "connection refused", NOW);
        herd.get(0).onProbe(true, "", NOW);
        herd.get(0).onProbe(true, "", NOW);
        LeastConnections policy = new LeastConnections();
        for (int i = 0; i < 110; i++) {
            pick(policy, herd.cluster().primaries());
        }
        assertThat(herd.inFlight()).containsExactly(10, 100);
    }

    @Test
    void leastConnectionsTakesTurnsAcrossThreads() throws Exception {
        Herd herd = Herd.equal(3);
        Backend[] among = herd.cluster().primaries();
        LeastConnections policy = new LeastConnections();
        // Each new thread sends one request to an idle herd: with turns of its own each would choose the first.
        AtomicIntegerArray chosen = new AtomicIntegerArray(3);
        for (int i = 0; i < 30; i++) {
            Race.run(1, thread -> {
                Slot slot = pick(policy, among);
                chosen.incrementAndGet(slot.backend().index());
                slot.release();
            });
        }
        assertThat(List.of(chosen.get(0), chosen.get(1), chosen.get(2))).containsOnly(10);
    }

    @Test
    void leastConnectionsTakesOneThatHasTheModelInMemoryAmongEquals() {
        Herd herd = Herd.equal(4)
                .lists(0, "other", "x")
                .lists(1, "x")
                .lists(2, "other", "x")
                .lists(3, "x");
        Backend[] among = herd.cluster().primaries();
        LeastConnections policy = new LeastConnections();
        // Those that have it take turns first; the others follow before any gets a second request.
        for (int[] expected : new int[][] {{1, 3}, {0, 2}, {1, 3}}) {
            assertThat(List.of(
                            pick(policy, among, "x").backend(),
                            pick(policy, among, "x").backend()))
                    .containsExactlyInAnyOrder(herd.get(expected[0]), herd.get(expected[1]));
        }
    }

    @Test
    void leastConnectionsTakesTurnsByWeightAmongThoseThatHaveTheModelInMemory() {
        Herd herd = Herd.of(3, 5, 1).lists(0, "x").lists(1, "other", "x").lists(2, "x");
        assertThat(shares(new LeastConnections(), herd, 400, "x")).containsExactly(300, 0, 100);
    }

    @Test
    void leastConnectionsStaysEvenWhileListingsChange() throws Exception {
        Herd herd = Herd.equal(3);
        Backend[] among = herd.cluster().primaries();
        LeastConnections policy = new LeastConnections();
        Race.run(4, thread -> {
            for (int i = 0; i < 300; i++) {
                if (thread == 0) {
                    herd.lists(i % 3, i % 2 == 0 ? "x" : "other", "x");
                } else {
                    pick(policy, among, "x");
                }
            }
        });
        assertThat(herd.inFlight()).containsOnly(300);
    }

    @Test
    void randomTwoTakesTheOneThatHasTheModelInMemoryOfEqualsOnly() {
        Herd herd = Herd.equal(2).lists(0, "other", "x").lists(1, "x");
        Backend[] among = herd.cluster().primaries();
        assertThat(shares(RandomTwo.create(), herd, 50, "x")).containsExactly(0, 50);
        herd.get(1).acquire();
        assertThat(pick(RandomTwo.create(), among, "x").backend()).isSameAs(herd.get(0));
    }

    @Test
    void roundRobinTakesTurnsAmongThoseThatHaveTheModelWhereverItIs() {
        Herd herd = Herd.equal(3).lists(0, "other", "x").lists(1, "other").lists(2, "x");
        assertThat(shares(new RoundRobin(), herd, 100, "x")).containsExactly(50, 0, 50);
    }

    @Test
    void roundRobinIsSmooth() {
        Herd herd = Herd.of(5, 1, 1);
        Backend[] among = herd.cluster().primaries();
        RoundRobin policy = new RoundRobin();
        StringBuilder order = new StringBuilder();
        for (int i = 0; i < 14; i++) {
            order.append(pick(policy, among).backend().index());
        }
        assertThat(order).hasToString("00102000010200");
    }

    @Test
    void roundRobinIsExactUnderContention() throws Exception {
        Herd herd = Herd.of(5, 2, 1);
        Backend[] among = herd.cluster().primaries();
        RoundRobin policy = new RoundRobin();
        Race.run(4, thread -> {
            for (int i = 0; i < 2_000; i++) {
                pick(policy, among);
            }
        });
        assertThat(herd.inFlight()).containsExactly(5_000, 2_000, 1_000);
    }

    @Test
    void roundRobinSharesWhatADeadBackendLeavesByWeight() {
        Herd herd = Herd.of(2, 1, 3);
        herd.get(2).onProbe(false, "connection refused", NOW);
        assertThat(shares(new RoundRobin(), herd, 300)).containsExactly(200, 100, 0);
    }

    @Test
    void randomTwoTakesTheLessLoadedOfItsTwo() {
        Herd herd = Herd.of(1, 1);
        herd.get(0).acquire();
        Backend[] among = herd.cluster().primaries();
        for (long always : new long[] {0, 1}) {
            Slot slot = pick(new RandomTwo(bound -> Math.min(always, bound - 1)), among);
            assertThat(slot.backend()).isSameAs(herd.get(1));
            slot.release();
        }
    }

    @Test
    void randomTwoComparesByWeight() {
        Herd herd = Herd.of(4, 1);
        for (int i = 0; i < 3; i++) {
            herd.get(0).acquire();
        }
        herd.get(1).acquire();
        assertThat(pick(RandomTwo.create(), herd.cluster().primaries()).backend())
                .isSameAs(herd.get(0));
    }

    @Test
    void randomTwoDrawsByWeightAmongTheIdle() {
        Random random = new Random(42);
        RandomTwo policy = new RandomTwo(bound -> random.nextInt((int) bound));
        List<Integer> shares = shares(policy, Herd.of(3, 1), 10_000);
        // The standard deviation is 43.
        assertThat(shares.get(0)).isBetween(7_300, 7_700);
    }

    @Test
    void randomTwoKeepsAHerdNearlyEven() {
        Random random = new Random(42);
        RandomTwo policy = new RandomTwo(bound -> random.nextInt((int) bound));
        Herd herd = Herd.equal(10);
        Backend[] among = herd.cluster().primaries();
        for (int i = 0; i < 10_000; i++) {
            pick(policy, among);
        }
        // Chance alone would spread them by about 100.
        assertThat(Collections.max(herd.inFlight()) - Collections.min(herd.inFlight()))
                .isLessThan(12);
    }

    @Test
    void randomTwoIsContentWithOne() {
        Herd herd = Herd.of(1);
        assertThat(pick(RandomTwo.create(), herd.cluster().primaries()).backend())
                .isSameAs(herd.get(0));
    }

    /** How often each backend was chosen by requests that come one after the other. */
    private static List<Integer> shares(Policy policy, Herd herd, int requests) {
        return shares(policy, herd, requests, null);
    }

    private static List<Integer> shares(Policy policy, Herd herd, int requests, @Nullable String model) {
        Backend[] among = herd.cluster().primaries();
        int[] chosen = new int[among.length];
        for (int i = 0; i < requests; i++) {
            Slot slot = pick(policy, among, model);
            chosen[slot.backend().index()]++;
            slot.release();
        }
        return java.util.Arrays.stream(chosen).boxed().toList();
    }

    private static Slot pick(Policy policy, Backend[] among) {
        return pick(policy, among, null);
    }

    private static Slot pick(Policy policy, Backend[] among, @Nullable String model) {
        return present(policy.pick(among, new Wanted(model, new Tried()), true, NOW));
    }

    private static Slot present(@Nullable Slot slot) {
        assertThat(slot).isNotNull();
        return slot;
    }
}
