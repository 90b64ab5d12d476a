package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.Rate;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuotaTest {
    private static final long SECOND = 1_000_000_000;

    @ParameterizedTest
    @CsvSource({
        "10, SECONDS, 100_000_000",
        "600, MINUTES, 100_000_000",
        "3600, HOURS, 1_000_000_000",
        "1, HOURS, 3_600_000_000_000",
        "1000000, SECONDS, 1_000",
        // Rounded up: never faster than configured.
        "3, SECONDS, 333_333_334",
        "999999, SECONDS, 1_001"
    })
    void aRateIsATimePerRequest(int count, TimeUnit unit, String nanos) {
        assertThat(Quota.of(new Rate(count, unit), 20).nanosPerUnit())
                .isEqualTo(Long.parseLong(nanos.replace("_", "")));
    }

    @Test
    void theLargestThatCanBeConfiguredIsOne() {
        assertThat(Quota.of(new Rate(1, TimeUnit.HOURS), 1_000_000).nanosToFill())
                .isEqualTo(3_600_000_000_000_000_000L);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 0", "-1, 1", "4611686018427387904, 1", "9223372036854775807, 2", "2305843009213693952, 2"})
    void whatCannotBeCountedIsRefused(long nanosPerUnit, int burst) {
        assertThatThrownBy(() -> new Quota(nanosPerUnit, burst))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("quota: " + burst + " units of " + nanosPerUnit + " ns (expected: ");
    }

    @Test
    void remainingCountsWholeRequests() {
        Quota quota = new Quota(100, 5);

        assertThat(quota.remaining(100)).isEqualTo(4);
        assertThat(quota.remaining(101)).isEqualTo(3);
        assertThat(quota.remaining(500)).isZero();
        assertThat(quota.remaining(-1)).isZero();
        assertThat(quota.remaining(-1_000_000)).isZero();
    }

    @Test
    void secondsAreRoundedUpAndAtLeastOne() {
        assertThat(Quota.seconds(1)).isOne();
        assertThat(Quota.seconds(-1)).isOne();
        assertThat(Quota.seconds(SECOND)).isOne();
        assertThat(Quota.seconds(SECOND + 1)).isEqualTo(2);
        assertThat(Quota.seconds(-3 * SECOND)).isEqualTo(3);
        assertThat(Quota.seconds(3_600_000_000_000_000_000L)).isEqualTo(3_600_000_000L);
    }
}
