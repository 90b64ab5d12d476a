package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import io.drover.config.DroverConfig.Health;
import io.drover.config.DroverConfig.PassiveHealth;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MembershipTest {
    private static final long NOW = 1_000_000;

    private final List<String> told = new ArrayList<>();
    private final Membership members =
            new Membership((backend, from, to, reason) -> told.add(backend + " " + to + ": " + reason));

    private static BackendConfig entry(int number) {
        return Herd.config(number, 1, false);
    }

    private Cluster herd(BackendConfig... entries) {
        return members.apply(List.of(entries), Herd.HEALTH, NOW);
    }

    @Test
    void theFirstHerdIsThatOfTheConfigurationInItsOrder() {
        Cluster cluster = herd(entry(1), entry(0));

        assertThat(cluster.backends()).extracting(Backend::name).containsExactly("b1", "b0");
        assertThat(cluster.backends()).extracting(Backend::index).containsExactly(0, 1);
    }

    @Test
    void whoStaysKeepsItsHealthItsRequestsAndItsIndexWhateverItsPlace() {
        Backend stays = herd(entry(0), entry(1)).backends().get(1);
        stays.onConnectFailure("connection refused", NOW);
        Slot slot = stays.acquire();

        Cluster next = herd(entry(1), entry(2), entry(3));

        assertThat(next.backends().get(0)).isSameAs(stays);
        assertThat(stays.index()).isEqualTo(1);
        assertThat(stays.inFlight()).isEqualTo(1);
        assertThat(stays.state(NOW)).isEqualTo(BackendState.EJECTED);
        assertThat(next.backends()).extracting(Backend::index).containsExactly(1, 0, 2);
        slot.release();
    }

    @Test
    void whatIsNewInAnEntryIsTaken() {
        Backend stays = herd(entry(0)).backends().get(0);
        BackendConfig heavier = Herd.config(0, 7, true);

        Cluster next = herd(heavier, entry(1));

        assertThat(next.backends().get(0)).isSameAs(stays);
        assertThat(stays.config()).isEqualTo(heavier);
        assertThat(stays.weight(NOW)).isEqualTo(7000);
        assertThat(next.backups()).containsExactly(stays);
    }

    @Test
    void anotherAddressIsAnotherServer() {
        Backend first = herd(entry(0)).backends().get(0);
        BackendConfig old = entry(0);
        BackendConfig moved = new BackendConfig(
                URI.create("http://elsewhere:1"),
                old.name(),
                1,
                false,
                old.host(),
                true,
                old.authorization(),
                BackendTls.DEFAULT);

        Membership.Change change = members.plan(List.of(moved), Herd.HEALTH);

        assertThat(change.removed()).containsExactly(first);
        assertThat(change.added()).hasSize(1).doesNotContain(first);
    }

    @Test
    void aPlanChangesNothing() {
        Backend first = herd(entry(0)).backends().get(0);

        members.plan(List.of(entry(1)), Herd.HEALTH);

        assertThat(first.isUp(NOW)).isTrue();
        assertThat(members.plan(List.of(entry(0)), Herd.HEALTH).members()).containsExactly(first);
    }

    @Test
    void aRetiredOneGetsNothingAndIsToldOfOnce() {
        Cluster last = herd(entry(0), entry(1));
        Backend leaves = last.backends().get(0);
        herd(entry(1));

        leaves.retire(NOW);

        assertThat(told).containsExactly("b0 DRAINING: removed");
        assertThat(leaves.isRetired()).isTrue();
        LoadBalancer balancer = LoadBalancer.of(io.drover.config.DroverConfig.Balance.LEAST_CONNECTIONS);
        Tried tried = new Tried();
        tried.add(last.backends().get(1));
        assertThat(balancer.select(last, new Wanted(null, tried), NOW)).isNull();
    }

    @Test
    void otherRulesCountFromNowOn() {
        Backend stays = herd(entry(0)).backends().get(0);
        Health strict = new Health(
                Herd.HEALTH.active(),
                new PassiveHealth(1, Duration.ofSeconds(3), Duration.ofSeconds(3), 100),
                Herd.HEALTH.degraded(),
                Herd.HEALTH.wedgedAfter(),
                Duration.ZERO);
        members.apply(List.of(entry(0)), strict, NOW);

        stays.onFailure("answered 500", NOW);

        assertThat(stays.isUp(NOW)).isFalse();
        assertThat(stays.isUp(NOW + Duration.ofSeconds(3).toNanos())).isTrue();
        assertThat(stays.status(NOW + Duration.ofSeconds(3).toNanos()).share()).isEqualTo(100);
    }

    @Test
    void withoutProbesNobodyStaysDown() {
        Backend stays = herd(entry(0)).backends().get(0);
        stays.onProbe(false, "connection refused", NOW);
        assertThat(stays.isUp(NOW)).isFalse();
        Health unprobed = new Health(
                new io.drover.config.DroverConfig.ActiveHealth(Duration.ZERO, Duration.ofSeconds(2), 2, 3),
                Herd.HEALTH.passive(),
                Herd.HEALTH.degraded(),
                Herd.HEALTH.wedgedAfter(),
                Herd.HEALTH.slowStart());

        members.apply(List.of(entry(0)), unprobed, NOW);

        assertThat(stays.isUp(NOW)).isTrue();
        assertThat(told).containsExactly("b0 DOWN: connection refused", "b0 UNKNOWN: probes are off");
    }

    @Test
    void whoeverWatchesModelsIsToldOnceOfEachThatIsNotWhatItWas() {
        List<String> changed = new ArrayList<>();
        Membership watched =
                new Membership(Herd.NOBODY, (model, before, now) -> changed.add(model + ": " + before + " -> " + now));
        Backend backend = watched.apply(List.of(entry(0), entry(1)), Herd.HEALTH, NOW)
                .backends()
                .get(0);
        Models first = Models.UNKNOWN.withListed(
                Map.of("same", "1", "pulled", "2", "gone", "3", "silent", "4", "unknown", "", "told", ""));
        backend.onModels(first);
        backend.onModels(first.withInMemory(Map.of("same", "1")));
        assertThat(changed).as("of what was never there before").isEmpty();

        Models next = first.withListed(
                Map.of("same", "1", "pulled", "5", "silent", "", "unknown", "", "told", "6", "new", "7"));
        backend.onModels(next);
        assertThat(changed).containsExactlyInAnyOrder("pulled: 2 -> 5", "gone: 3 -> null", "silent: 4 -> null");

        changed.clear();
        backend.onModels(next.withInMemory(Map.of("new", "7")));
        assertThat(changed).as("of the disk as it was").isEmpty();
    }

    @Test
    void whatIsToldOfModelsIsSeenAlready() {
        List<String> seen = new ArrayList<>();
        List<Backend> only = new ArrayList<>();
        Membership watched = new Membership(
                Herd.NOBODY,
                (model, before, now) -> seen.add(only.get(0).models().digest(model)));
        only.addAll(watched.apply(List.of(entry(0)), Herd.HEALTH, NOW).backends());
        only.get(0).onModels(Models.UNKNOWN.withListed(Map.of("m", "1")));

        only.get(0).onModels(Models.UNKNOWN.withListed(Map.of("m", "2")));

        assertThat(seen).containsExactly("2");
    }
}
