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
        backend.onProbe(false, "connection refused");
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        assertThat(backend.downReason(NOW)).isEqualTo("connection refused");

        Backend other = backend(HEALTH);
        other.onProbe(true, "");
        assertThat(other.state(NOW)).isEqualTo(BackendState.UP);
        assertThat(changes).containsExactly("UNKNOWN->DOWN connection refused", "UNKNOWN->UP probe succeeded");
    }

    @Test
    void itFallsAfterThreeFailedProbesInARow() {
        backend.onProbe(true, "");
        backend.onProbe(false, "probe timed out");
        backend.onProbe(false, "probe timed out");
        backend.onProbe(true, "");
        backend.onProbe(false, "probe timed out");
        backend.onProbe(false, "probe timed out");
        assertThat(backend.isUp(NOW)).isTrue();

        backend.onProbe(false, "probe timed out");
        assertThat(backend.isUp(NOW)).isFalse();
        assertThat(backend.downReason(NOW)).isEqualTo("probe timed out");
    }

    @Test
    void itRisesAfterTwoSuccessfulProbesInARow() {
        backend.onProbe(false, "connection refused");
        backend.onProbe(true, "");
        backend.onProbe(false, "name not resolved");
        backend.onProbe(true, "");
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        assertThat(backend.downReason(NOW)).isEqualTo("name not resolved");

        backend.onProbe(true, "");
        assertThat(backend.state(NOW)).isEqualTo(BackendState.UP);
        assertThat(backend.downReason(NOW)).isNull();
        assertThat(changes).containsExactly("UNKNOWN->DOWN connection refused", "DOWN->UP probe succeeded");
    }

    @Test
    void threeFailuresInARowEject() {
        backend.onFailure("connection reset", NOW);
        backend.onFailure("connection reset", NOW);
        backend.onSuccess();
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
        assertThat(backend.state(now + EJECT_NANOS)).isEqualTo(BackendState.UNKNOWN);
        assertThat(backend.downReason(now + EJECT_NANOS)).isNull();
    }

    @Test
    void aSuccessEndsAnEjection() {
        backend.onConnectFailure("connection refused", NOW);
        backend.onSuccess();
        assertThat(backend.isUp(NOW)).isTrue();
        assertThat(changes)
                .containsExactly("UNKNOWN->EJECTED connection refused", "EJECTED->UNKNOWN a request succeeded");

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
        assertThat(changes).hasSize(2).allMatch("UNKNOWN->EJECTED connection reset"::equals);
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
        Backend trusted = backend(new Health(HEALTH.active(), new PassiveHealth(0, Duration.ofSeconds(30))));
        for (int i = 0; i < 10; i++) {
            trusted.onFailure("connection reset", NOW);
            trusted.onConnectFailure("connection refused", NOW);
        }
        assertThat(trusted.isUp(NOW)).isTrue();
        assertThat(changes).isEmpty();
    }

    @Test
    void aProbeThatBringsItUpEndsAnEjection() {
        backend.onProbe(true, "");
        backend.onConnectFailure("connection refused", NOW);
        backend.onProbe(true, "");
        assertThat(backend.state(NOW))
                .as("it was up for the probes all the time: they do not see what requests see")
                .isEqualTo(BackendState.EJECTED);

        for (int i = 0; i < 3; i++) {
            backend.onProbe(false, "connection refused");
        }
        assertThat(backend.state(NOW)).isEqualTo(BackendState.DOWN);
        backend.onProbe(true, "");
        backend.onProbe(true, "");
        assertThat(backend.state(NOW)).isEqualTo(BackendState.UP);
        assertThat(changes)
                .containsExactly(
                        "UNKNOWN->UP probe succeeded",
                        "UP->EJECTED connection refused",
                        "EJECTED->DOWN connection refused",
                        "DOWN->UP probe succeeded");
    }

    @Test
    void theFirstProbeEndsAnEjectionToo() {
        backend.onConnectFailure("connection refused", NOW);
        backend.onProbe(true, "");
        assertThat(backend.state(NOW)).isEqualTo(BackendState.UP);
    }

    @Test
    void aBackendThatIsDownIsNotEjectedNorBroughtUpByRequests() {
        backend.onProbe(false, "connection refused");
        backend.onConnectFailure("connection refused", NOW);
        backend.onSuccess();
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
        reported.onProbe(false, "probe timed out");

        assertThat(new String(metrics.scrape(null), StandardCharsets.UTF_8))
                .contains("drover_backend_ejections_total{backend=\"b0\",reason=\"connection refused\",} 1.0")
                .contains("drover_backend_up{backend=\"b0\",} 0.0")
                .doesNotContain("reason=\"probe timed out\"");
    }
}
