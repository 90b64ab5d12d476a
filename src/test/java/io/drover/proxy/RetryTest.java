package io.drover.proxy;

import static io.drover.proxy.Retry.Decision.FRESH_CONNECTION;
import static io.drover.proxy.Retry.Decision.GIVE_UP;
import static io.drover.proxy.Retry.Decision.NEXT_BACKEND;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole table: every failure with every combination of what is known of the request. */
class RetryTest {
    private static final Set<CallFailure> UNANSWERED = EnumSet.of(CallFailure.CLOSED, CallFailure.RESET);

    private record Case(boolean replayable, boolean safe, boolean stale, boolean whole, int attemptsLeft) {
        Retry.Decision decide(CallFailure failure) {
            return Retry.decide(failure, replayable, safe, stale, whole, attemptsLeft);
        }
    }

    private static List<Case> cases() {
        List<Case> all = new ArrayList<>();
        for (int bits = 0; bits < 16; bits++) {
            for (int attempts = 0; attempts <= 2; attempts++) {
                all.add(new Case((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, attempts));
            }
        }
        return all;
    }

    @ParameterizedTest
    @EnumSource
    void aBodyThatIsGoneEndsEverything(CallFailure failure) {
        assertThat(cases()).filteredOn(c -> !c.whole).allSatisfy(c -> assertThat(c.decide(failure))
                .isEqualTo(GIVE_UP));
    }

    @ParameterizedTest
    @EnumSource(
            names = {
                "REFUSED",
                "CONNECT_TIMED_OUT",
                "UNRESOLVED",
                "CONNECT_FAILED",
                "NO_SOCKET",
                "NO_TURN",
                "CERTIFICATE_EXPIRED",
                "CERTIFICATE_NOT_YET_VALID",
                "CERTIFICATE_UNTRUSTED",
                "CERTIFICATE_OF_ANOTHER",
                "NO_TLS",
                "TLS_TIMED_OUT",
                "TLS_FAILED"
            })
    void whereNothingWasSentAnyRequestGoesElsewhereWhileTriesAreLeft(CallFailure failure) {
        assertThat(cases()).filteredOn(Case::whole).allSatisfy(c -> assertThat(c.decide(failure))
                .isEqualTo(c.attemptsLeft > 0 ? NEXT_BACKEND : GIVE_UP));
    }

    @ParameterizedTest
    @EnumSource
    void aStaleConnectionIsReplacedForReplayableAndSafeRequestsAndCostsNoTry(CallFailure failure) {
        assertThat(cases()).filteredOn(Case::whole).allSatisfy(c -> assertThat(c.decide(failure) == FRESH_CONNECTION)
                .isEqualTo(UNANSWERED.contains(failure) && c.stale && (c.replayable || c.safe)));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {
                "REFUSED",
                "CONNECT_TIMED_OUT",
                "UNRESOLVED",
                "CONNECT_FAILED",
                "NO_SOCKET",
                "NO_TURN",
                "CERTIFICATE_EXPIRED",
                "CERTIFICATE_NOT_YET_VALID",
                "CERTIFICATE_UNTRUSTED",
                "CERTIFICATE_OF_ANOTHER",
                "NO_TLS",
                "TLS_TIMED_OUT",
                "TLS_FAILED"
            })
    void onceSomethingWasSentOnlyReplayableRequestsGoElsewhere(CallFailure failure) {
        assertThat(cases())
                .filteredOn(c -> c.whole && !(c.stale && UNANSWERED.contains(failure) && (c.replayable || c.safe)))
                .allSatisfy(c -> assertThat(c.decide(failure))
                        .isEqualTo(
                                c.replayable && c.attemptsLeft > 0 && failure != CallFailure.FIRST_BYTE_TIMED_OUT
                                        ? NEXT_BACKEND
                                        : GIVE_UP));
    }

    @Test
    void aSilentBackendIsNotGivenUpForAnother() {
        assertThat(new Case(true, true, true, true, 2).decide(CallFailure.FIRST_BYTE_TIMED_OUT))
                .isEqualTo(GIVE_UP);
        assertThat(new Case(true, true, true, true, 2).decide(CallFailure.IDLE_TIMED_OUT))
                .isEqualTo(NEXT_BACKEND);
    }
}
