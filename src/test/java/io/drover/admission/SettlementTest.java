package io.drover.admission;

import static io.drover.admission.Rig.ALL;
import static io.drover.admission.Rig.limit;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens are taken by an estimate and corrected by what was counted: 1000 at once, one in each second. */
class SettlementTest {
    private final Rig rig = new Rig().tokens(limit("tokens", ALL, 60, 1000));
    private final Charge charge = new Charge();

    @BeforeEach
    void theBucketIsFull() {
        assertThat(rig.room(new Asked())).isEqualTo(1000);
    }

    @ParameterizedTest
    @CsvSource({
        "20, 80, 900",
        "1, 9, 990",
        "0, 0, 1000",
        "100, 500, 400",
        "-1, -1, 600",
        // Half of it is known: the estimates are 1 for the prompt and 399 for the answer.
        "-1, 9, 990",
        "101, -1, 500"
    })
    void theCountsTakeTheEstimatesPlace(long prompt, long generated, long left) {
        assertThat(rig.both(new Asked(), charge, 400)).isZero();
        assertThat(charge.remaining()).isEqualTo(600);

        rig.settle(charge, prompt, generated, -1);

        assertThat(rig.room(new Asked())).isEqualTo(left);
    }

    @Test
    void whoNeedsMoreThanWasLeftOwesIt() {
        rig.both(new Asked(), charge, 400);
        rig.settle(charge, 500, 1000, -1);

        Charge next = new Charge();
        assertThat(rig.both(new Asked(), next, 1)).isNegative();
        assertThat(next.retryAfterSeconds()).isEqualTo(501);
        rig.pass(500);
        assertThat(rig.admits(new Asked(), 1)).isFalse();
        rig.pass(1);
        assertThat(rig.admits(new Asked(), 1)).isTrue();
    }

    @Test
    void aDebtIsRememberedUntilItIsPaid() {
        rig.both(new Asked(), charge, 1000);
        rig.settle(charge, 1000, 1000, -1);
        rig.pass(1500);

        assertThat(rig.room(new Asked())).isEqualTo(500);
    }

    @Test
    void aDebtFarAboveTheBucketIsRememberedWhileNobodyAsks() {
        rig.both(new Asked(), charge, 400);
        rig.settle(charge, 1, 50_000, -1);

        rig.pass(50_000);
        assertThat(rig.room(new Asked())).isEqualTo(999);
    }

    @Test
    void aDebtIsAboveTheBucketFromTheStartWhereTheEstimateIs() {
        rig.both(new Asked(), charge, 20_000);

        rig.pass(18_999);
        assertThat(rig.admits(new Asked(), 1)).isFalse();
        rig.pass(2);
        assertThat(rig.admits(new Asked(), 1)).isTrue();
    }

    @Test
    void aBackendMayTellAnyNumber() {
        rig.both(new Asked(), charge, 400);
        rig.settle(charge, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE);

        assertThat(rig.admits(new Asked(), 1)).isFalse();
    }

    @Test
    void moreThanTheBucketHoldsPassesWhenItIsFull() {
        assertThat(rig.both(new Asked(), charge, 3000)).isZero();
        assertThat(charge.remaining()).isZero();

        assertThat(rig.admits(new Asked(), 1)).isFalse();
        rig.settle(charge, 100, 100, -1);
        assertThat(rig.room(new Asked())).isEqualTo(800);
        rig.pass(200);
        Charge other = new Charge();
        assertThat(rig.both(new Asked(), other, 3000)).isZero();
        rig.limiter().cancel(other, rig.clock.get());
        rig.both(new Asked(), new Charge(), 1);
        assertThat(rig.both(new Asked(), new Charge(), 3000))
                .as("not quite full")
                .isNegative();
    }

    @Test
    void cancellingGivesBackAllAndOnce() {
        rig.both(new Asked(), charge, 400);
        for (int i = 0; i < 3; i++) {
            rig.limiter().cancel(charge, rig.clock.get());
            rig.settle(charge, 700, 700, 0);
        }
        assertThat(rig.room(new Asked())).isEqualTo(1000);
    }

    @Test
    void whatHasComeBackByItselfIsNotGivenBackAgain() {
        rig.both(new Asked(), charge, 400);
        rig.pass(400);
        Charge second = new Charge();
        assertThat(rig.both(new Asked(), second, 1000)).isZero();

        rig.settle(charge, 1, 1, -1);

        assertThat(rig.admits(new Asked(), 1)).isFalse();
    }

    @Test
    void inABusyBucketALateCorrectionCounts() {
        rig.both(new Asked(), charge, 400);
        for (int i = 0; i < 20; i++) {
            rig.pass(10);
            assertThat(rig.admits(new Asked(), 30)).isTrue();
        }
        assertThat(rig.room(new Asked())).isEqualTo(1000 - 400 - 20 * 20);
        rig.settle(charge, 0, 0, -1);

        assertThat(rig.room(new Asked())).isEqualTo(1000 - 20 * 20);
    }

    @Test
    void theAnswersLengthIsWhatTheRequestBoundsItToElseWhatIsConfigured() {
        rig.head(new Asked(), charge);
        rig.limiter().atModel(new Asked(), charge, 100, 50, rig.clock.get());
        assertThat(charge.estimate()).isEqualTo(150);
        Charge unbounded = new Charge();
        rig.head(new Asked(), unbounded);
        rig.limiter().atModel(new Asked(), unbounded, 0, -1, rig.clock.get());
        assertThat(unbounded.estimate()).isEqualTo(501);
    }

    @Test
    void aRequestMayNameAnyNumber() {
        rig.head(new Asked(), charge);
        assertThat(rig.limiter().atModel(new Asked(), charge, Long.MAX_VALUE, Long.MAX_VALUE, rig.clock.get()))
                .isZero();
        rig.settle(charge, 50, 50, -1);

        assertThat(rig.room(new Asked())).isEqualTo(900);
    }

    @Test
    void requestsThatRunNoModelTakeNone() {
        assertThat(rig.admits(new Asked().withoutTokens(), 1000)).isTrue();
        assertThat(rig.room(new Asked())).isEqualTo(1000);
    }

    private static Principal alice(int burst) {
        Allowance own = new Allowance(
                Optional.empty(), 0, Optional.of(Rig.perMinute(60)), burst, 0, 0, Duration.ZERO, Duration.ZERO, 0);
        return new Principal("a", "", Patterns.ALL, Patterns.ALL, own, "", Optional.empty(), true);
    }

    @Test
    void whatAKeyOwesIsOwedAlsoIfItsLimitChangesMeanwhile() {
        Charge other = new Charge();
        assertThat(rig.both(Asked.by(alice(60)), charge, 10)).isZero();
        assertThat(rig.both(Asked.by(alice(60)), other, 10)).isZero();
        assertThat(rig.room(Asked.by(alice(80)))).isEqualTo(60);

        rig.limiter().cancel(other, rig.clock.get());
        assertThat(rig.room(Asked.by(alice(80)))).isEqualTo(70);
        rig.settle(charge, 10, 80, 0);
        assertThat(rig.admits(Asked.by(alice(80)), 1)).isFalse();
    }

    @Test
    void aKeysOwnTokensAreSettledToo() {
        Principal alice = alice(0);

        assertThat(rig.both(Asked.by(alice), charge, 60)).isZero();
        assertThat(rig.admits(Asked.by(alice), 1)).isFalse();
        assertThat(rig.refusals).containsOnlyKeys("key");
        rig.settle(charge, 5, 5, 0);
        assertThat(rig.room(Asked.by(alice))).isEqualTo(50);
    }
}
