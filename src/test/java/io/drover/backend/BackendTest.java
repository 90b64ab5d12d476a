package io.drover.backend;

import static io.drover.backend.Herd.EJECT_NANOS;
import static io.drover.backend.Herd.HEALTH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.Health;
import io.drover.config.DroverConfig.PassiveHealth;
import io.drover.metrics.Metrics;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackendTest {
    private static final long NOW = 1_000;
    private static final long SLOW_START = HEALTH.slowStart().toNanos();

    private final List<String> changes = new ArrayList<>();
    private final Backend backend = backend(HEALTH);

    private Backend backend(Health health) {
        return Herd.backend(
                0, 1, false, health, (of, from, to, reason) -> changes.add(from + "->" + to + " " + reason));
    }

    @Test
    void nothingKnownCountsAsUp() {
        assertThat(backend.isUp(NOW)).isTrue();
        assertThat(backend.up()).isTrue();
        assertThat(backend.state(NOW)).isEqualTo(BackendState.UNKNOWN);
        assertThat(backend.downReason(NOW)).isNull();
        assertThat(changes).isEmpty();
    }

    @Test
    void theVeryFirstProbeDecidesAtOnce() {
        backend.onProbe(false, "connection refused", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        assertThat(backend.downReason(NOW)).isEqualTo("connection refused");

        Backend other = backend(HEALTH);
        other.onProbe(true, "", NOW);
        assertThat(other.state(NOW)).isEqualTo(BackendState.UP);
        assertThat(changes).containsExactly("UNKNOWN->DOWN connection refused", "UNKNOWN->UP probe succeeded");
    }

    @Test
    void itIsSuspectAtOnceAndFallsAfterThreeFailedProbesInARow() {
        backend.onProbe(true, "", NOW);
        backend.onProbe(false, "probe timed out", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.SUSPECT);
        assertThat(backend.isUp(NOW)).isFalse();
        assertThat(backend.downReason(NOW)).isEqualTo("probe timed out");
        backend.onProbe(false, "probe timed out", NOW);
        backend.onProbe(true, "", NOW);
        assertThat(backend.state(NOW)).as("one success is enough for it").isEqualTo(BackendState.UP);
        backend.onProbe(false, "probe timed out", NOW);
        backend.onProbe(false, "probe timed out", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.SUSPECT);

        backend.onProbe(false, "probe timed out", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        assertThat(backend.downReason(NOW)).isEqualTo("probe timed out");
        assertThat(changes)
                .containsExactly(
                        "UNKNOWN->UP probe succeeded",
                        "UP->SUSPECT probe timed out",
                        "SUSPECT->UP probe succeeded",
                        "UP->SUSPECT probe timed out",
                        "SUSPECT->DOWN probe timed out");
    }

    @Test
    void itRisesAfterTwoSuccessfulProbesInARow() {
        backend.onProbe(false, "connection refused", NOW);
        backend.onProbe(true, "", NOW);
        backend.onProbe(false, "name not resolved", NOW);
        backend.onProbe(true, "", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        assertThat(backend.downReason(NOW)).isEqualTo("name not resolved");

        backend.onProbe(true, "", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.SLOW_START);
        assertThat(backend.isUp(NOW)).isTrue();
        assertThat(backend.downReason(NOW)).isNull();
        assertThat(changes).containsExactly("UNKNOWN->DOWN connection refused", "DOWN->SLOW_START probe succeeded");
    }

    @Test
    void threeFailuresInARowEject() {
        backend.onFailure("connection reset", NOW);
        backend.onFailure("connection reset", NOW);
        backend.onSuccess(NOW, NOW);
        backend.onFailure("connection reset", NOW);
        backend.onFailure("connection reset", NOW);
        assertThat(backend.isUp(NOW)).isTrue();

        backend.onFailure("connection reset", NOW);
        assertThat(backend.isUp(NOW)).isFalse();
        assertThat(backend.state(NOW)).isEqualTo(BackendState.EJECTED);
        assertThat(backend.downReason(NOW)).isEqualTo("connection reset");
        assertThat(changes).containsExactly("UNKNOWN->EJECTED connection reset");
    }

    @Test
    void aConnectionRefusedEjectsAtOnce() {
        backend.onConnectFailure("connection refused", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.EJECTED);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1_000, -5_000_000_000L, Long.MAX_VALUE - 5})
    void anEjectionEndsWhenItsTimeHasPassedWhereverTheClockStands(long now) {
        backend.onConnectFailure("connection refused", now);
        assertThat(backend.isUp(now)).isFalse();
        assertThat(backend.isUp(now + EJECT_NANOS - 1)).isFalse();
        assertThat(backend.isUp(now + EJECT_NANOS)).isTrue();
        assertThat(backend.state(now + EJECT_NANOS)).isEqualTo(BackendState.SLOW_START);
        assertThat(backend.downReason(now + EJECT_NANOS)).isNull();
    }

    @Test
    void aSuccessOfARequestThatWasSentBeforeEndsNoEjection() {
        for (int i = 0; i < 3; i++) {
            backend.onFailure("answered 500", NOW);
        }
        backend.onSuccess(NOW - 1, NOW + 5);
        assertThat(backend.state(NOW + 5)).isEqualTo(BackendState.EJECTED);
        backend.onSuccess(NOW, NOW + 5);
        assertThat(backend.state(NOW + 5)).isEqualTo(BackendState.SLOW_START);
    }

    @Test
    void oneThatWasRefusedIsBackAfterProbesWhateverElseFailsMeanwhile() {
        backend.onProbe(true, "", NOW);
        backend.onConnectFailure("connection refused", NOW);
        backend.onFailure("truncated answer", NOW + 1);
        assertThat(backend.downReason(NOW + 1)).isEqualTo("connection refused");
        backend.onProbe(true, "", NOW + 2);
        backend.onProbe(true, "", NOW + 3);
        assertThat(backend.isUp(NOW + 3)).isTrue();
    }

    @Test
    void whatProbesSeeTooTheySeeTheEndOf() {
        backend.onProbe(true, "", NOW);
        for (int i = 0; i < 3; i++) {
            backend.onFailure("truncated answer", NOW);
        }
        backend.onProbe(true, "", NOW + 1);
        backend.onProbe(true, "", NOW + 2);
        assertThat(backend.state(NOW + 2)).isEqualTo(BackendState.EJECTED);
        backend.onProbe(false, "connection refused", NOW + 3);
        backend.onProbe(true, "", NOW + 4);
        assertThat(backend.isUp(NOW + 4)).isFalse();
        backend.onProbe(true, "", NOW + 5);
        assertThat(backend.isUp(NOW + 5)).isTrue();
    }

    @Test
    void aSuccessEndsAnEjection() {
        backend.onConnectFailure("connection refused", NOW);
        backend.onSuccess(NOW, NOW);
        assertThat(backend.isUp(NOW)).isTrue();
        assertThat(changes)
                .containsExactly("UNKNOWN->EJECTED connection refused", "EJECTED->SLOW_START a request succeeded");

        backend.onFailure("connection reset", NOW);
        backend.onFailure("connection reset", NOW);
        assertThat(backend.isUp(NOW)).as("the failures before are forgotten").isTrue();
    }

    @Test
    void afterAnEjectionTheNextFailureEjectsAgain() {
        for (int i = 0; i < 3; i++) {
            backend.onFailure("connection reset", NOW);
        }
        long later = NOW + EJECT_NANOS;
        assertThat(backend.isUp(later)).isTrue();
        backend.onFailure("connection reset", later);
        assertThat(backend.isUp(later)).isFalse();
        assertThat(changes)
                .containsExactly(
                        "UNKNOWN->EJECTED connection reset",
                        "EJECTED->SLOW_START its time has passed",
                        "SLOW_START->EJECTED connection reset");
    }

    @Test
    void failuresOfAnEjectedBackendProlongItAndAreNotToldAgain() {
        backend.onConnectFailure("connection refused", NOW);
        backend.onConnectFailure("connection refused", NOW + 10);
        assertThat(backend.isUp(NOW + EJECT_NANOS)).isFalse();
        assertThat(backend.isUp(NOW + EJECT_NANOS + 10)).isTrue();
        assertThat(changes).hasSize(1);
    }

    @Test
    void zeroFailuresNeverEject() {
        Backend trusted = backend(new Health(
                HEALTH.active(),
                new PassiveHealth(0, Duration.ofSeconds(30), Duration.ofMinutes(5), 50),
                HEALTH.degraded(),
                HEALTH.wedgedAfter(),
                HEALTH.slowStart()));
        for (int i = 0; i < 10; i++) {
            trusted.onFailure("connection reset", NOW);
            trusted.onConnectFailure("connection refused", NOW);
        }
        assertThat(trusted.isUp(NOW)).isTrue();
        assertThat(changes).isEmpty();
    }

    @Test
    void aProbeThatBringsItUpEndsAnEjection() {
        backend.onProbe(true, "", NOW);
        backend.onFailure("answered 500", NOW);
        backend.onFailure("answered 500", NOW);
        backend.onFailure("answered 500", NOW);
        for (int i = 0; i < 5; i++) {
            backend.onProbe(true, "", NOW);
        }
        assertThat(backend.state(NOW))
                .as("it was up for the probes all the time: they do not see what requests see")
                .isEqualTo(BackendState.EJECTED);

        for (int i = 0; i < 3; i++) {
            backend.onProbe(false, "connection refused", NOW);
        }
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        backend.onProbe(true, "", NOW);
        backend.onProbe(true, "", NOW);
        assertThat(backend.isUp(NOW)).isTrue();
        assertThat(changes)
                .containsExactly(
                        "UNKNOWN->UP probe succeeded",
                        "UP->EJECTED answered 500",
                        "EJECTED->DOWN connection refused",
                        "DOWN->SLOW_START probe succeeded");
    }

    @Test
    void anEjectionForARefusedConnectionEndsWhenEnoughProbesConnect() {
        backend.onProbe(true, "", NOW);
        backend.onConnectFailure("connection refused", NOW);
        backend.onProbe(true, "", NOW + 1);
        assertThat(backend.state(NOW + 1)).isEqualTo(BackendState.EJECTED);
        backend.onProbe(true, "", NOW + 2);
        assertThat(backend.state(NOW + 2)).isEqualTo(BackendState.SLOW_START);
        assertThat(changes).last().isEqualTo("EJECTED->SLOW_START probe succeeded");
    }

    @Test
    void theShareOfABackendThatIsBackGrows() {
        backend.onProbe(false, "connection refused", NOW);
        backend.onProbe(true, "", NOW);
        backend.onProbe(true, "", NOW);
        assertThat(backend.weight(NOW)).isEqualTo(100);
        assertThat(backend.weight(NOW + SLOW_START / 2)).isEqualTo(500);
        assertThat(backend.weight(NOW + SLOW_START - 1)).isEqualTo(999);
        assertThat(backend.state(NOW + SLOW_START - 1)).isEqualTo(BackendState.SLOW_START);
        assertThat(backend.weight(NOW + SLOW_START)).isEqualTo(1000);
        assertThat(backend.state(NOW + SLOW_START)).isEqualTo(BackendState.UP);

        backend.onTime(NOW + SLOW_START - 1);
        assertThat(changes).hasSize(2);
        backend.onTime(NOW + SLOW_START);
        assertThat(changes).last().isEqualTo("SLOW_START->UP back to its full share");
    }

    @Test
    void theShareGrowsFromTheEndOfAnEjectionOn() {
        backend.onConnectFailure("connection refused", NOW);
        long end = NOW + EJECT_NANOS;
        assertThat(backend.weight(end)).isEqualTo(100);
        backend.onSuccess(end + SLOW_START / 2, end + SLOW_START / 2);
        assertThat(backend.weight(end + SLOW_START / 2)).isEqualTo(500);
        assertThat(backend.state(end + SLOW_START)).isEqualTo(BackendState.UNKNOWN);
    }

    @Test
    void withoutSlowStartItIsBackInFullAtOnce() {
        Backend quick = backend(
                new Health(HEALTH.active(), HEALTH.passive(), HEALTH.degraded(), HEALTH.wedgedAfter(), Duration.ZERO));
        quick.onProbe(false, "connection refused", NOW);
        quick.onProbe(true, "", NOW);
        quick.onProbe(true, "", NOW);
        assertThat(quick.state(NOW)).isEqualTo(BackendState.UP);
        assertThat(quick.weight(NOW)).isEqualTo(1000);
    }

    @Test
    void anEjectionThatFollowsCloseUponTheLastIsTwiceAsLongUpToTheMost() {
        long now = NOW;
        for (long seconds : new long[] {30, 60, 120, 240, 300, 300}) {
            backend.onConnectFailure("connection refused", now);
            long time = Duration.ofSeconds(seconds).toNanos();
            assertThat(backend.isUp(now + time - 1)).as("%d s", seconds).isFalse();
            assertThat(backend.isUp(now + time)).as("%d s", seconds).isTrue();
            now += time;
        }
        // Well for as long as it was away: all is forgotten.
        now += Duration.ofMinutes(5).toNanos();
        backend.onConnectFailure("connection refused", now);
        assertThat(backend.isUp(now + EJECT_NANOS)).isTrue();
    }

    @Test
    void aSuccessInBetweenDoesNotMakeARelapseShorter() {
        backend.onConnectFailure("connection refused", NOW);
        backend.onSuccess(NOW + 10, NOW + 10);
        backend.onConnectFailure("connection refused", NOW + 20);
        assertThat(backend.isUp(NOW + 20 + EJECT_NANOS)).isFalse();
        assertThat(backend.isUp(NOW + 20 + 2 * EJECT_NANOS)).isTrue();
    }

    @Test
    void onlyAShareOfTheHerdIsEjectedForFailuresButEveryRefusalIsBelieved() {
        EjectionLimit half = new EjectionLimit();
        List<Backend> herd = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            herd.add(new Backend(Herd.config(i, 1, false), i, HEALTH, half, Herd.NOBODY, Herd.NO_MODELS));
        }
        half.onHerd(herd, 50);
        for (Backend each : herd) {
            for (int i = 0; i < 3; i++) {
                each.onFailure("answered 500", NOW);
            }
        }
        assertThat(herd).filteredOn(each -> !each.isUp(NOW)).hasSize(2);

        herd.get(4).onConnectFailure("connection refused", NOW);
        assertThat(herd).filteredOn(each -> !each.isUp(NOW)).hasSize(3);
    }

    @Test
    void oneThatIsGoneTakesNoRoomFromThoseThatFail() {
        EjectionLimit half = new EjectionLimit();
        List<Backend> herd = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            herd.add(new Backend(Herd.config(i, 1, false), i, HEALTH, half, Herd.NOBODY, Herd.NO_MODELS));
        }
        half.onHerd(herd, 50);
        herd.get(0).onConnectFailure("connection refused", NOW);
        for (int i = 0; i < 3; i++) {
            herd.get(1).onFailure("answered 500", NOW);
        }
        assertThat(herd).filteredOn(each -> !each.isUp(NOW)).hasSize(2);
    }

    @Test
    void ofAHerdOfOneTheOnlyOneMayBeEjected() {
        EjectionLimit tenth = new EjectionLimit();
        Backend only = new Backend(Herd.config(0, 1, false), 0, HEALTH, tenth, Herd.NOBODY, Herd.NO_MODELS);
        tenth.onHerd(List.of(only), 10);
        for (int i = 0; i < 3; i++) {
            only.onFailure("answered 500", NOW);
        }
        assertThat(only.isUp(NOW)).isFalse();
    }

    @Test
    void oneThatDiesWhileItIsDrainedIsDownSoThatNobodyWaitsForIt() {
        backend.onProbe(true, "", NOW);
        backend.drain(true, NOW);
        for (int i = 0; i < 3; i++) {
            backend.onProbe(false, "probe timed out", NOW);
        }
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        assertThat(backend.downReason(NOW)).isEqualTo("probe timed out");
        backend.onProbe(true, "", NOW);
        backend.onProbe(true, "", NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DRAINING);
    }

    @Test
    void drainedItIsOutOfRotationWhateverElseHappensAndUndrainedItStartsSlowly() {
        backend.onProbe(true, "", NOW);
        backend.drain(true, NOW);
        backend.drain(true, NOW);
        backend.onProbe(true, "", NOW);
        backend.onSuccess(NOW, NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DRAINING);
        assertThat(backend.downReason(NOW)).isEqualTo("drained");
        backend.drain(false, NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.SLOW_START);
        assertThat(changes)
                .containsExactly(
                        "UNKNOWN->UP probe succeeded", "UP->DRAINING drained", "DRAINING->SLOW_START undrained");
    }

    @Test
    void whatHappenedWhileItWasDrainedCountsAfterwards() {
        backend.drain(true, NOW);
        backend.onProbe(false, "connection refused", NOW);
        backend.drain(false, NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
    }

    @Test
    void aBackendThatIsDownIsNotEjectedNorBroughtUpByRequests() {
        backend.onProbe(false, "connection refused", NOW);
        backend.onConnectFailure("connection refused", NOW);
        backend.onSuccess(NOW, NOW);
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        assertThat(changes).containsExactly("UNKNOWN->DOWN connection refused");
    }

    @Test
    void theAddressIsUnknownUntilResolvedAndKeepsThePort() throws Exception {
        assertThat(backend.address()).isNull();
        assertThat(backend.addresses()).isEmpty();

        InetAddress six = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        InetAddress four = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        backend.onResolved(new InetAddress[] {six, four});
        assertThat(backend.address()).isEqualTo(new InetSocketAddress(six, 11434));
        assertThat(backend.addresses())
                .containsExactly(new InetSocketAddress(six, 11434), new InetSocketAddress(four, 11434));

        assertThatThrownBy(() -> backend.onResolved(new InetAddress[0]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("b0")
                .hasMessageContaining("expected: at least one");
        assertThat(backend.addresses()).hasSize(2);
    }

    @Test
    void anEjectionIsCountedByNameAndReason() {
        Metrics metrics = new Metrics(new DroverConfig.Metrics(10, Duration.ofSeconds(5)));
        Backend reported = Herd.backend(0, 1, false, HEALTH, new BackendReport(metrics));
        metrics.backends(() -> List.of(reported));
        reported.onConnectFailure("connection refused", System.nanoTime());
        reported.onProbe(false, "probe timed out", NOW);

        assertThat(new String(metrics.scrape(null), StandardCharsets.UTF_8))
                .contains("drover_backend_ejections_total{backend=\"b0\",reason=\"connection refused\",} 1.0")
                .contains("drover_backend_up{backend=\"b0\",} 0.0")
                .doesNotContain("reason=\"probe timed out\"");
    }
}
