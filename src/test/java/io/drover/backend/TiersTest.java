package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.Balance;
import io.drover.testing.Race;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which backends come into question, whatever the policy. */
class TiersTest {
    private static final long NOW = 1_000;

    @ParameterizedTest
    @EnumSource(Balance.class)
    void aBackupIsUsedOnlyWhenNoPrimaryIsUp(Balance balance) {
        Herd herd = Herd.of(1, 1).withBackup();
        LoadBalancer balancer = LoadBalancer.of(balance);
        for (int i = 0; i < 50; i++) {
            assertThat(select(balancer, herd, Herd.anything()).backend()).isNotSameAs(herd.get(2));
        }
        herd.get(0).onProbe(false, "connection refused", NOW);
        herd.get(1).onConnectFailure("connection refused", NOW);
        for (int i = 0; i < 50; i++) {
            assertThat(select(balancer, herd, Herd.anything()).backend()).isSameAs(herd.get(2));
        }
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void aTriedBackendIsNotChosenAgain(Balance balance) {
        Herd herd = Herd.equal(70);
        LoadBalancer balancer = LoadBalancer.of(balance);
        Wanted wanted = Herd.anything();
        Set<Backend> chosen = new HashSet<>();
        for (int i = 0; i < 70; i++) {
            Backend backend = select(balancer, herd, wanted).backend();
            wanted.tried().add(backend);
            chosen.add(backend);
        }
        assertThat(chosen).hasSize(70);
        assertThat(balancer.select(herd.cluster(), wanted, NOW)).isNull();
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void theTiersAreUpPrimariesUpBackupsDownPrimariesDownBackups(Balance balance) {
        Herd herd = Herd.of(1, 1).withBackup().withBackup();
        herd.get(0).onProbe(false, "connection refused", NOW);
        herd.get(2).onProbe(false, "connection refused", NOW);
        LoadBalancer balancer = LoadBalancer.of(balance);
        Wanted wanted = Herd.anything();
        for (int expected : new int[] {1, 3, 0, 2}) {
            Backend backend = select(balancer, herd, wanted).backend();
            assertThat(backend).isSameAs(herd.get(expected));
            wanted.tried().add(backend);
        }
        assertThat(balancer.select(herd.cluster(), wanted, NOW)).isNull();
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void allDownFailsOpen(Balance balance) {
        Herd herd = Herd.of(1, 1);
        herd.get(0).onProbe(false, "connection refused", NOW);
        herd.get(1).onProbe(false, "connection refused", NOW);
        assertThat(herd.cluster().isUp(NOW)).isFalse();
        assertThat(select(LoadBalancer.of(balance), herd, Herd.anything())).isNotNull();
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void aHerdOfBackupsOnlyIsUsed(Balance balance) {
        Herd herd = new Herd().withBackup();
        assertThat(select(LoadBalancer.of(balance), herd, Herd.anything()).backend())
                .isSameAs(herd.get(0));
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void anEjectedBackendIsBackWhenItsTimeHasPassed(Balance balance) {
        Herd herd = Herd.of(1, 1);
        herd.get(0).onConnectFailure("connection refused", NOW);
        LoadBalancer balancer = LoadBalancer.of(balance);
        Set<Backend> chosen = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            chosen.add(select(balancer, herd, Herd.anything()).backend());
        }
        assertThat(chosen).containsExactly(herd.get(1));

        for (int i = 0; i < 100; i++) {
            Slot slot = balancer.select(herd.cluster(), Herd.anything(), NOW + Herd.EJECT_NANOS);
            chosen.add(present(slot).backend());
        }
        assertThat(chosen).containsExactlyInAnyOrder(herd.get(0), herd.get(1));
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void everySlotIsCountedUntilReleased(Balance balance) throws Exception {
        Herd herd = Herd.of(1, 2, 3).withBackup();
        Cluster cluster = herd.cluster();
        LoadBalancer balancer = LoadBalancer.of(balance);
        Race.run(4, thread -> {
            for (int i = 0; i < 20_000; i++) {
                Slot slot = present(balancer.select(cluster, Herd.anything(), NOW));
                assertThat(slot.backend().inFlight()).isPositive();
                slot.release();
            }
        });
        assertThat(herd.inFlight()).containsOnly(0);
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void aModelIsServedByThoseThatListItOrWereNeverListed(Balance balance) {
        Herd herd = Herd.equal(4).lists(0, "x").lists(1, "other", "x").lists(2, "other");
        LoadBalancer balancer = LoadBalancer.of(balance);
        Wanted wanted = new Wanted("x", new Tried());
        Set<Backend> chosen = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            Backend backend = select(balancer, herd, wanted).backend();
            wanted.tried().add(backend);
            chosen.add(backend);
        }
        assertThat(chosen).containsExactlyInAnyOrder(herd.get(0), herd.get(1), herd.get(3));
        assertThat(balancer.select(herd.cluster(), wanted, NOW)).isNull();
    }

    @ParameterizedTest
    @EnumSource(Balance.class)
    void aBackupThatHasTheModelComesBeforeAPrimaryThatIsDownAndBeforeAnyThatLacksIt(Balance balance) {
        Herd herd = Herd.equal(2).withBackup().lists(0, "x").lists(1, "other").lists(2, "other", "x");
        herd.get(0).onProbe(false, "connection refused", NOW);
        LoadBalancer balancer = LoadBalancer.of(balance);
        Wanted wanted = new Wanted("x", new Tried());
        for (int expected : new int[] {2, 0}) {
            Backend backend = select(balancer, herd, wanted).backend();
            assertThat(backend).isSameAs(herd.get(expected));
            wanted.tried().add(backend);
        }
        assertThat(balancer.select(herd.cluster(), wanted, NOW)).isNull();
    }

    @Test
    void anEmptyClusterHasNoneToGive() {
        assertThat(LoadBalancer.of(Balance.LEAST_CONNECTIONS)
                        .select(Cluster.of(java.util.List.of()), Herd.anything(), NOW))
                .isNull();
    }

    private static Slot select(LoadBalancer balancer, Herd herd, Wanted wanted) {
        return present(balancer.select(herd.cluster(), wanted, NOW));
    }

    private static Slot present(@Nullable Slot slot) {
        assertThat(slot).isNotNull();
        return slot;
    }

    @Test
    void aDrainedBackendIsNotEvenTheLastResort() {
        Herd herd = Herd.equal(2);
        herd.get(0).onProbe(false, "connection refused", NOW);
        herd.get(1).drain(true, NOW);
        LoadBalancer balancer = LoadBalancer.of(DroverConfig.Balance.LEAST_CONNECTIONS);
        Wanted wanted = Herd.anything();
        Slot slot = balancer.select(herd.cluster(), wanted, NOW);
        assertThat(slot).isNotNull().extracting(Slot::backend).isEqualTo(herd.get(0));
        wanted.tried().add(herd.get(0));
        assertThat(balancer.select(herd.cluster(), wanted, NOW)).isNull();
    }
}
