package io.drover.admission;

import static io.drover.admission.Rig.ALL;
import static io.drover.admission.Rig.API_KEY;
import static io.drover.admission.Rig.CLIENT;
import static io.drover.admission.Rig.MODEL;
import static io.drover.admission.Rig.SECOND;
import static io.drover.admission.Rig.delayed;
import static io.drover.admission.Rig.limit;
import static io.drover.admission.Rig.scoped;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.LimitKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who shares a bucket, whom a limit concerns, and what several limits at once do to a request. */
class LimiterTest {
    private final Rig rig = new Rig();

    private static Principal with(Allowance allowance) {
        return new Principal("alice", "", Patterns.ALL, Patterns.ALL, allowance, "", Optional.empty(), true);
    }

    private static Allowance perMinute(int requests, int burst, int inFlight) {
        return new Allowance(
                Optional.of(Rig.perMinute(requests)),
                burst,
                Optional.empty(),
                0,
                0,
                0,
                Duration.ZERO,
                Duration.ZERO,
                inFlight);
    }

    @Test
    void withoutLimitsEverythingIsAdmittedAndNothingIsTold() {
        Charge charge = new Charge();

        assertThat(rig.both(new Asked(), charge, 1_000_000)).isZero();
        assertThat(charge.isTold()).isFalse();
        assertThat(rig.limiter().isLimited()).isFalse();
    }

    @Test
    void addressesHaveBucketsOfTheirOwn() {
        rig.requests(limit("requests", CLIENT, 60, 2));

        assertThat(rig.admittedOf(5, Asked.from("192.0.2.1"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.from("192.0.2.2"))).isEqualTo(2);
        rig.pass(1);
        assertThat(rig.admittedOf(5, Asked.from("192.0.2.1"))).isOne();
        assertThat(rig.refusals).containsExactly(java.util.Map.entry("requests", 10));
    }

    @Test
    void whoHasNoKeyIsKnownByItsAddressAndNoNameIsTakenForOne() {
        rig.requests(limit("requests", API_KEY, 60, 2));

        assertThat(rig.admittedOf(5, Asked.by("alice"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.by("bob"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.from("192.0.2.1"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.by("192.0.2.1"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.by("@192.0.2.1"))).isEqualTo(2);
    }

    @Test
    void allSpellingsOfAModelShareABucket() {
        rig.requests(limit("requests", MODEL, 60, 2));

        assertThat(rig.admits(Asked.of("llama3"), 1)).isTrue();
        assertThat(rig.admits(Asked.of("LLAMA3:latest"), 1)).isTrue();
        assertThat(rig.admits(Asked.of("registry.ollama.ai/library/llama3"), 1)).isFalse();
        assertThat(rig.admits(Asked.of("llama3:70b"), 1)).isTrue();
        assertThat(rig.admittedOf(9, new Asked())).as("names no model").isEqualTo(9);
    }

    @Test
    void aLimitThatNeedsTheModelWaitsForIt() {
        rig.requests(limit("requests", MODEL, 60, 1));
        Asked request = Asked.of("m");
        rig.admits(request, 1);

        assertThat(rig.admitsHead(request)).isTrue();
        assertThat(rig.admits(request, 1)).isFalse();
    }

    @Test
    void headersTellBucketsApartAndRequestsWithoutItShareOne() {
        rig.requests(limit("requests", new LimitKey(LimitKey.By.HEADER, "x-team"), 60, 2));

        assertThat(rig.admittedOf(5, new Asked().with("x-team", "a"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, new Asked().with("x-team", "b"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.from("192.0.2.1"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.from("192.0.2.2"))).isZero();
    }

    @Test
    void longValuesDoNotShareABucketBecauseTheyBeginAlike() {
        rig.requests(limit("requests", new LimitKey(LimitKey.By.HEADER, "x-team"), 60, 1));
        String start = "x".repeat(5000);

        assertThat(rig.admittedOf(5, new Asked().with("x-team", start + "1"))).isOne();
        assertThat(rig.admittedOf(5, new Asked().with("x-team", start + "2"))).isOne();
        assertThat(BucketKey.of(start)).hasSizeLessThanOrEqualTo(128);
        assertThat(BucketKey.of("y".repeat(128))).isEqualTo("y".repeat(128));
    }

    @Test
    void allShareOne() {
        rig.requests(limit("requests", ALL, 60, 3));

        assertThat(rig.admittedOf(2, Asked.by("alice"))).isEqualTo(2);
        assertThat(rig.admittedOf(5, Asked.from("192.0.2.9"))).isOne();
    }

    @ParameterizedTest
    @CsvSource({
        "/api/chat, /api/chat, true",
        "/api/chat, /api/generate, false",
        "/v1/*, /v1/chat/completions, true",
        "/v1/*, /v1, true",
        "/api/blobs/*, /api/blobs, true",
        "/v1/*, /v2, false",
        "/*, /anything, true"
    })
    void aPathIsOneOrAllBelowIt(String pattern, String path, boolean concerned) {
        rig.requests(scoped("requests", List.of(pattern), List.of(), List.of()));

        assertThat(rig.admittedOf(5, new Asked().at(path))).isEqualTo(concerned ? 1 : 5);
    }

    @ParameterizedTest
    @CsvSource({
        "llama3*, llama3:8b, true",
        "llama3*, LLAMA3, true",
        "llama3, llama3, true",
        "Llama3, llama3:latest, true",
        "llama3:latest, llama3, true",
        "llama3, library/llama3, true",
        "llama3, someone/llama3, false",
        "someone/*, someone/llama3, true",
        "llama3, llama3:8b, false",
        "*:8b, llama3:8b, true",
        "gpt-oss:120b-cloud, GPT-OSS:120b-cloud, true",
        "gpt-oss:120b-cloud, gpt-oss:120b:cloud, true",
        "gpt-oss:cloud, gpt-oss:cloud, true",
        "gpt-oss:120b-cloud, gpt-oss:120b, false",
        "gpt-oss:120b, gpt-oss:120b-cloud, false",
        "*-cloud, someone/gpt-oss:120b-cloud, true"
    })
    void aModelIsMeantHoweverItIsSpelled(String pattern, String model, boolean concerned) {
        rig.requests(scoped("requests", List.of(), List.of(pattern), List.of()));

        assertThat(rig.admittedOf(5, Asked.of(model))).isEqualTo(concerned ? 1 : 5);
        assertThat(rig.admittedOf(5, new Asked())).as("names no model").isEqualTo(5);
    }

    @Test
    void aLimitMayConcernSomeKeysOnly() {
        rig.requests(scoped("requests", List.of(), List.of(), List.of("alice")));

        assertThat(rig.admittedOf(5, Asked.by("alice"))).isOne();
        assertThat(rig.admittedOf(5, Asked.by("bob"))).isEqualTo(5);
        assertThat(rig.admittedOf(5, new Asked())).isEqualTo(5);
    }

    @Test
    void whatOneRefusesCostsNothingInTheOthers() {
        rig.requests(limit("wide", ALL, 60, 10), limit("narrow", CLIENT, 60, 1));
        rig.inFlight = 50;

        assertThat(rig.admittedOf(100, Asked.from("192.0.2.1"))).isOne();
        Charge charge = new Charge();
        assertThat(rig.head(Asked.from("192.0.2.2"), charge)).isZero();
        assertThat(rig.admittedOf(100, Asked.from("192.0.2.3"))).isOne();
        int others = 0;
        for (int i = 10; i < 100; i++) {
            others += rig.admittedOf(2, Asked.from("192.0.2." + i));
        }
        assertThat(others).as("10 at once, of which 3 were taken").isEqualTo(7);
    }

    @Test
    void aRefusalInTheSecondStageGivesBackTheFirst() {
        rig.requests(limit("requests", ALL, 60, 3)).tokens(limit("tokens", ALL, 60, 100));
        rig.inFlight = 3;
        assertThat(rig.admits(new Asked(), 100)).isTrue();

        for (int i = 0; i < 50; i++) {
            Charge charge = new Charge();
            assertThat(rig.both(new Asked(), charge, 10)).isNegative();
            assertThat(charge.refusedBy()).isEqualTo("tokens");
            assertThat(charge.kind()).isEqualTo(LimitKind.TOKENS);
        }
        assertThat(rig.admitsHead(new Asked())).isTrue();
        assertThat(rig.admitsHead(new Asked())).isTrue();
        assertThat(rig.admitsHead(new Asked())).isFalse();
    }

    @Test
    void aDelayIsWaitedForInOrderAndThenThereIsNoMore() {
        rig.requests(delayed("requests", ALL, 60, 2, 3));

        for (long wait : new long[] {0, 0, 1, 2, 3}) {
            assertThat(rig.head(new Asked(), new Charge())).isEqualTo(wait * SECOND);
        }
        Charge refused = new Charge();
        assertThat(rig.head(new Asked(), refused)).isNegative();
        assertThat(refused.retryAfterSeconds()).isEqualTo(4);
        rig.pass(1);
        assertThat(rig.head(new Asked(), new Charge())).isEqualTo(3 * SECOND);
        assertThat(rig.delays).containsEntry("requests", 4);
        assertThat(rig.refusals).containsEntry("requests", 1);
    }

    @Test
    void ofSeveralDelaysTheLongestCountsAndARefusalTakesThemBack() {
        rig.requests(delayed("short", ALL, 120, 1, 10), delayed("long", ALL, 60, 1, 10), limit("hard", CLIENT, 60, 2));
        assertThat(rig.head(new Asked(), new Charge())).isZero();

        Charge second = new Charge();
        assertThat(rig.head(new Asked(), second)).isEqualTo(SECOND);
        assertThat(rig.head(new Asked(), new Charge())).isNegative();
        rig.limiter().cancel(second, rig.clock.get());
        assertThat(rig.head(Asked.from("192.0.2.2"), new Charge())).isEqualTo(SECOND);
        assertThat(rig.delays).containsOnlyKeys("long");
    }

    @Test
    void aClientIsToldOfTheTightestLimit() {
        rig.requests(limit("wide", ALL, 60, 100), limit("narrow", CLIENT, 60, 4));
        Charge charge = new Charge();
        rig.head(new Asked(), charge);

        assertThat(charge.limit()).isEqualTo(4);
        assertThat(charge.remaining()).isEqualTo(3);
        assertThat(charge.resetSeconds()).isOne();
        assertThat(charge.isRefused()).isFalse();
        rig.admittedOf(3, new Asked());
        Charge refused = new Charge();
        assertThat(rig.head(new Asked(), refused)).isNegative();
        assertThat(refused.refusedBy()).isEqualTo("narrow");
        assertThat(refused.message()).isEqualTo("too many requests: 4 at once and 60/m from one address are allowed");
        assertThat(refused.limit()).isEqualTo(4);
        assertThat(refused.remaining()).isZero();
        assertThat(refused.retryAfterSeconds()).isOne();
    }

    @Test
    void requestsInFlightAreCountedPerCallerUntilTheyEnd() {
        rig.inFlight = 2;
        Charge first = new Charge();
        Charge second = new Charge();
        rig.both(new Asked(), first, 1);
        rig.head(new Asked(), second);

        Charge third = new Charge();
        assertThat(rig.head(new Asked(), third)).isNegative();
        assertThat(third.refusedBy()).isEqualTo(Limiter.IN_FLIGHT);
        assertThat(third.message()).isEqualTo("too many requests in flight: 2 at once from one address are allowed");
        assertThat(third.retryAfterSeconds()).isOne();
        assertThat(rig.admitsHead(Asked.by("alice"))).isTrue();
        rig.settle(first, 1, 1, 0);
        rig.settle(first, 1, 1, 0);
        assertThat(rig.admitsHead(new Asked())).isTrue();
        assertThat(rig.admitsHead(new Asked())).as("settled twice, freed once").isFalse();
        rig.limiter().cancel(second, rig.clock.get());
        assertThat(rig.admitsHead(new Asked())).isTrue();
    }

    @Test
    void aKeysOwnLimitsComeOnTop() {
        rig.requests(limit("requests", API_KEY, 60, 5));
        Principal alice = with(perMinute(60, 2, 0));

        assertThat(rig.admittedOf(9, Asked.by(alice))).isEqualTo(2);
        assertThat(rig.refusals).containsOnlyKeys("key");
        assertThat(rig.admittedOf(9, Asked.by("bob"))).isEqualTo(5);
        assertThat(rig.admittedOf(9, Asked.by(with(perMinute(60, 3, 0)))))
                .as("a larger bucket, in which as much is missing")
                .isOne();
        assertThat(rig.admittedOf(9, Asked.by(alice))).isZero();
    }

    @Test
    void ofBothBoundsOnRequestsInFlightTheSmallerCounts() {
        rig.inFlight = 3;
        Asked alice = Asked.by(with(perMinute(6000, 1000, 2)));
        assertThat(rig.admittedOf(9, alice)).isEqualTo(2);
        assertThat(rig.admittedOf(9, Asked.by("bob"))).isEqualTo(3);
        assertThat(rig.refusals).containsOnlyKeys("key", Limiter.IN_FLIGHT);
    }

    @Test
    void aReloadKeepsWhatHasNotChanged() {
        rig.requests(limit("same", CLIENT, 60, 2), limit("other", ALL, 60, 2));
        rig.inFlight = 9;
        Charge running = new Charge();
        rig.head(new Asked(), running);
        rig.admittedOf(5, new Asked());

        rig.requests.set(1, limit("other", ALL, 60, 20));
        rig.inFlight = 1;
        rig.reload();

        assertThat(rig.admitsHead(Asked.from("192.0.2.1"))).isFalse();
        assertThat(rig.admittedOf(1, Asked.from("192.0.2.2"))).isOne();
        rig.requests.clear();
        rig.reload();
        assertThat(rig.admitsHead(new Asked())).as("2 are in flight").isFalse();
        assertThat(rig.refusals).containsKey(Limiter.IN_FLIGHT);
    }

    @Test
    void ofTooManyKeysThoseUnusedForLongestAreForgotten() {
        rig.requests(limit("requests", CLIENT, 60, 1));
        rig.maxKeys = 10;
        rig.admitsHead(Asked.from("first"));
        for (int i = 0; i < 100; i++) {
            assertThat(rig.admitsHead(Asked.from("a" + i))).isTrue();
        }
        assertThat(rig.admitsHead(Asked.from("a99"))).isFalse();
        assertThat(rig.admitsHead(Asked.from("first"))).isTrue();
    }

    @Test
    void aChargeIsUsedAgainOnlyWhenItIsClosed() {
        Charge charge = new Charge();
        rig.head(new Asked(), charge);

        assertThatThrownBy(charge::reset).hasMessage("charge: open (expected: settled, cancelled or refused)");
        rig.limiter().cancel(charge, 0);
        assertThatThrownBy(() -> rig.head(new Asked(), charge)).hasMessage("charge: CLOSED (expected: NEW, by reset)");
        charge.reset();
        assertThat(rig.head(new Asked(), charge)).isZero();
    }

    @Test
    void aRateThatNeverFillsItsBucketIsCountedAllTheSame() {
        assertThat(Quota.of(new io.drover.config.Rate(1, TimeUnit.DAYS), 1_000_000_000)
                        .nanosToFill())
                .isPositive();
        rig.tokens(new io.drover.config.DroverConfig.RateLimit(
                "tokens",
                ALL,
                new io.drover.config.Rate(1, TimeUnit.DAYS),
                1_000_000_000,
                Duration.ZERO,
                List.of(),
                List.of(),
                List.of()));

        assertThat(rig.admits(new Asked(), 999_999_999)).isTrue();
        assertThat(rig.admits(new Asked(), 2)).isFalse();
        assertThat(rig.admits(new Asked(), 1)).isTrue();
    }
}
