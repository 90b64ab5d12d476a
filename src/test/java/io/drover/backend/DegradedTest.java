package io.drover.backend;

import static io.drover.backend.Herd.HEALTH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.DegradedHealth;
import io.drover.config.DroverConfig.Health;
import io.drover.metrics.Metrics;
import io.drover.ollama.AnswerEnd;
import io.drover.ollama.FinalRecord;
import io.drover.ollama.ModelName;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What answers make of a backend: its speed, its lateness, its ends. Five in a row decide, below a quarter. */
class DegradedTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long SLOW_START = HEALTH.slowStart().toNanos();
    private static final String MODEL = "llama3.2:3b";
    private static final int TOKENS = 100;

    private final List<String> changes = new ArrayList<>();
    private long now = -5 * SECOND;

    private Backend backend(int index, int weight, Health health) {
        Backend backend = Herd.backend(
                index,
                weight,
                false,
                health,
                (of, from, to, reason) -> changes.add(of + " " + from + "->" + to + " " + reason));
        backend.onProbe(true, "", now);
        changes.clear();
        return backend;
    }

    private List<Backend> herd(int size) {
        List<Backend> herd = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            herd.add(backend(i, 1, HEALTH));
        }
        return herd;
    }

    private BackendState state(Backend backend) {
        return backend.state(now);
    }

    /** So many answers of a hundred tokens, a second apart. */
    private void answer(List<Backend> herd, int index, String model, int times, double tokensPerSecond) {
        for (int i = 0; i < times; i++) {
            answer(herd, index, model, TOKENS, tokensPerSecond, 0);
        }
    }

    private void answer(
            List<Backend> herd, int index, String model, int tokens, double tokensPerSecond, long lateNanos) {
        now += SECOND;
        long prompt = 200_000_000L;
        long load = 5_000_000L;
        long waited = 3 * SECOND;
        long generation = (long) (tokens / tokensPerSecond * SECOND);
        FinalRecord record =
                new FinalRecord(50, tokens, load, prompt, generation, load + waited + prompt + generation, true);
        long firstByte = load + waited + prompt + lateNanos;
        herd.get(index).onAnswer(new Answer(ModelName.of(model), AnswerEnd.DONE, record, firstByte), herd, now);
    }

    private void end(Backend backend, AnswerEnd end) {
        now += SECOND;
        backend.onAnswer(new Answer(ModelName.of(MODEL), end, FinalRecord.UNKNOWN, -1), List.of(backend), now);
    }

    @Test
    void oneThatFallsToATenthOfItsUsualSpeedIsDegradedAfterFiveAnswersAndSaysWhy() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 20, 52);
        answer(herd, 0, MODEL, 4, 4.1);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.UP);
        answer(herd, 0, MODEL, 1, 4.1);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
        assertThat(changes).containsExactly("b0 UP->DEGRADED slow: llama3.2:3b at 4.1 tokens/s (usually 52)");
        assertThat(herd.get(0).isUp(now)).as("it still takes requests").isTrue();
        assertThat(herd.get(0).downReason(now)).isNull();
        assertThat(herd.get(0).weight(now)).as("a tenth of its share").isEqualTo(100);
        assertThat(herd.get(0).status(now).reason()).contains("4.1 tokens/s");
    }

    @ParameterizedTest
    @CsvSource({"40, 11, UP", "40, 9, DEGRADED", "4, 1.1, UP", "4, 0.9, DEGRADED"})
    void theShareOfTheUsualSpeedDecides(double usual, double then, BackendState state) {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 20, usual);
        answer(herd, 0, MODEL, 5, then);
        assertThat(state(herd.get(0))).isEqualTo(state);
    }

    @Test
    void oneGoodAnswerBreaksTheRow() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        for (int i = 0; i < 10; i++) {
            answer(herd, 0, MODEL, 4, 5);
            answer(herd, 0, MODEL, 1, 50);
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void itIsBackAfterFiveGoodAnswersAndItsShareGrowsOverSlowStart() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        answer(herd, 0, MODEL, 30, 5);
        answer(herd, 0, MODEL, 4, 50);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
        answer(herd, 0, MODEL, 1, 50);
        Backend backend = herd.get(0);
        assertThat(backend.state(now)).isEqualTo(BackendState.SLOW_START);
        assertThat(backend.weight(now)).isEqualTo(100);
        assertThat(backend.weight(now + SLOW_START / 2)).isEqualTo(500);
        assertThat(backend.state(now + SLOW_START)).isEqualTo(BackendState.UP);
        assertThat(backend.weight(now + SLOW_START)).isEqualTo(1000);
        backend.onTime(now + SLOW_START);
        assertThat(changes)
                .hasSize(3)
                .containsSubsequence(
                        "b0 DEGRADED->SLOW_START it is as fast as it was", "b0 SLOW_START->UP back to its full share");
    }

    @Test
    void whatIsSlowDoesNotBecomeTheRule() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        answer(herd, 0, MODEL, 1000, 5);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
        ModelPace pace = herd.get(0).paces().get(0);
        assertThat(pace.tokensPerSecond()).isCloseTo(5, within(0.1));
        assertThat(pace.usualTokensPerSecond()).isCloseTo(50, within(0.1));
        assertThat(pace.slow()).isTrue();
    }

    @Test
    void oneWithoutARuleOfItsOwnIsMeasuredByItsPeers() {
        List<Backend> herd = herd(4);
        for (int peer = 1; peer < 4; peer++) {
            answer(herd, peer, MODEL, 5, 40 + 10 * peer);
        }
        answer(herd, 0, MODEL, 5, 6);
        assertThat(changes).containsExactly("b0 UP->DEGRADED slow: llama3.2:3b at 6.0 tokens/s (its peers: 60)");
    }

    @Test
    void peersWithOtherModelsSayNothing() {
        List<Backend> herd = herd(2);
        answer(herd, 1, "tiny", 10, 500);
        answer(herd, 0, MODEL, 100, 6);
        assertThat(changes).isEmpty();
    }

    @Test
    void aSmallerWeightPromisesLess() {
        List<Backend> herd = List.of(backend(0, 1, HEALTH), backend(1, 10, HEALTH));
        answer(herd, 1, MODEL, 10, 100);
        answer(herd, 0, MODEL, 100, 8);
        assertThat(changes).isEmpty();
    }

    @Test
    void anOldMachineWithARuleOfItsOwnIsNotBlamedForItsPeersSpeed() {
        List<Backend> herd = herd(3);
        answer(herd, 0, MODEL, 10, 5);
        answer(herd, 1, MODEL, 10, 100);
        answer(herd, 2, MODEL, 10, 100);
        answer(herd, 0, MODEL, 1000, 5);
        assertThat(changes).isEmpty();
        answer(herd, 0, MODEL, 5, 0.5);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
    }

    @Test
    void anOldMachineAmongKnownPeersIsKnownToBeWhatItIsAfterAWhile() {
        List<Backend> herd = herd(2);
        answer(herd, 1, MODEL, 10, 100);
        answer(herd, 0, MODEL, 50, 10);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
        answer(herd, 0, MODEL, 5, 10);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.SLOW_START);
        now += SLOW_START;
        answer(herd, 0, MODEL, 1000, 10);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.UP);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.9, 0.5, 0.2, 0.1})
    void whereAllSlowDownAlikeNoneIsToBlame(double left) {
        List<Backend> herd = herd(3);
        for (int i = 0; i < 20; i++) {
            for (int index = 0; index < 3; index++) {
                answer(herd, index, MODEL, 1, 50);
            }
        }
        // The load comes on within a few answers of each.
        double part = 1;
        for (int i = 0; i < 200; i++) {
            part = Math.max(left, part * 0.8);
            for (int index = 0; index < 3; index++) {
                answer(herd, index, MODEL, 1, 50 * part);
            }
        }
        assertThat(changes).isEmpty();
        answer(herd, 0, MODEL, 5, 50 * left / 20);
        assertThat(state(herd.get(0))).as("it is slower than the load makes it").isEqualTo(BackendState.DEGRADED);
    }

    @Test
    void whatPeersSufferDoesNotEndIt() {
        List<Backend> herd = herd(2);
        for (int index = 0; index < 2; index++) {
            answer(herd, index, MODEL, 10, 50);
        }
        answer(herd, 0, MODEL, 5, 5);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
        for (int i = 0; i < 50; i++) {
            answer(herd, 1, MODEL, 3, 14);
            answer(herd, 0, MODEL, 1, 4);
        }
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
    }

    @Test
    void noiseNeverDegrades() {
        Random random = new Random(1);
        List<Backend> herd = herd(3);
        double[] speeds = {100, 40, 12};
        for (int i = 0; i < 100_000; i++) {
            int index = random.nextInt(3);
            // Alone or one of four, which costs up to two thirds, and long contexts, other models and the rest of life.
            int others = random.nextInt(4);
            double rate = speeds[index] / (1 + 0.66 * others) * Math.exp(0.35 * random.nextGaussian());
            int tokens = 1 + random.nextInt(600);
            long late = (long) (2e6 * Math.exp(1.5 * random.nextGaussian()));
            answer(herd, index, MODEL, tokens, rate, late);
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void manyAtOnceAndOneAtATimeMayFollowUponEachOtherInAnyOrder() {
        List<Backend> herd = herd(1);
        for (int round = 0; round < 50; round++) {
            answer(herd, 0, MODEL, 60, 50);
            answer(herd, 0, MODEL, 60, 17);
        }
        assertThat(changes).isEmpty();
        answer(herd, 0, MODEL, 5, 2);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
    }

    @Test
    void aFewTokensAndAFewMillisecondsAreTooLittleToMeasure() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 5000);
        for (int i = 0; i < 20; i++) {
            answer(herd, 0, MODEL, 7, 1, 0);
            answer(herd, 0, MODEL, 40, 1000, 0);
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void oneAbsurdMeasureDoesNotSetTheRule() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 1, 10_000);
        answer(herd, 0, MODEL, 9, 50);
        for (int i = 0; i < 20; i++) {
            answer(herd, 0, MODEL, 1, 100_000);
            answer(herd, 0, MODEL, 20, 50);
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void oneThatIsSlowWithOneModelIsWellOnlyWhenItIsFastWithThatModel() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        answer(herd, 0, "other", 10, 50);
        answer(herd, 0, MODEL, 5, 5);
        answer(herd, 0, "other", 50, 50);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
        answer(herd, 0, MODEL, 5, 50);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.SLOW_START);
    }

    @Test
    void aModelThatNobodyAsksForAnyMoreDoesNotDegradeForEver() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        answer(herd, 0, MODEL, 5, 5);
        long last = now;
        herd.get(0).onTime(last + Duration.ofMinutes(10).toNanos() - 1);
        assertThat(herd.get(0).state(last)).isEqualTo(BackendState.DEGRADED);
        now = last + Duration.ofMinutes(10).toNanos();
        herd.get(0).onTime(now);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.SLOW_START);
        answer(herd, 0, MODEL, 5, 5);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
    }

    @Test
    void modelsAreBoundedAndTheOneUnheardOfForLongestMakesRoom() {
        List<Backend> herd = herd(1);
        answer(herd, 0, "first", 1, 50);
        answer(herd, 0, "kept", 1, 50);
        for (int i = 0; i < 3 * Paces.MOST_MODELS; i++) {
            answer(herd, 0, "m" + i, 1, 50);
            answer(herd, 0, "kept", 1, 50);
        }
        assertThat(herd.get(0).paces())
                .hasSize(Paces.MOST_MODELS)
                .extracting(ModelPace::model)
                .contains("kept", "m" + (3 * Paces.MOST_MODELS - 1))
                .doesNotContain("first", "m0");
    }

    @Test
    void spellingsOfAModelAreOneAndCloudModelsAreNotTheBackends() {
        List<Backend> herd = herd(1);
        answer(herd, 0, "llama3.2", 10, 50);
        answer(herd, 0, "LLAMA3.2:latest", 5, 5);
        assertThat(state(herd.get(0))).isEqualTo(BackendState.DEGRADED);
        answer(herd, 0, "gpt-oss:120b-cloud", 10, 50);
        assertThat(herd.get(0).paces()).extracting(ModelPace::model).containsExactly("llama3.2");
    }

    @Test
    void whatComesSecondsLaterThanTheBackendTellsDegradesIt() {
        List<Backend> herd = herd(2);
        for (int i = 0; i < 10; i++) {
            answer(herd, 0, MODEL, TOKENS, 50, 3_000_000);
            answer(herd, 1, MODEL, TOKENS, 50, 3_000_000);
        }
        for (int i = 0; i < 5; i++) {
            answer(herd, 0, MODEL, TOKENS, 50, 2 * SECOND);
        }
        assertThat(changes)
                .containsExactly("b0 UP->DEGRADED late: llama3.2:3b 2.0 s later than it tells (usually 0.0)");
        for (int i = 0; i < 5; i++) {
            answer(herd, 0, MODEL, TOKENS, 50, 3_000_000);
        }
        assertThat(state(herd.get(0))).isEqualTo(BackendState.SLOW_START);
    }

    @ParameterizedTest
    @CsvSource({"0.9, 0.9", "2, 2", "30, 30"})
    void latenessBelowASecondOrLikeThatOfThePeersIsNone(double seconds, double ofPeers) {
        List<Backend> herd = herd(2);
        for (int i = 0; i < 10; i++) {
            answer(herd, 0, MODEL, TOKENS, 50, 3_000_000);
            answer(herd, 1, MODEL, TOKENS, 50, 3_000_000);
        }
        for (int i = 0; i < 20; i++) {
            answer(herd, 1, MODEL, TOKENS, 50, (long) (ofPeers * SECOND));
        }
        assertThat(changes).noneMatch(change -> change.startsWith("b0"));
        for (int i = 0; i < 20; i++) {
            answer(herd, 0, MODEL, TOKENS, 50, (long) (seconds * SECOND));
        }
        assertThat(changes).noneMatch(change -> change.startsWith("b0"));
    }

    @Test
    void theTimeToTheFirstTokenIsShownWithoutTheLoad() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        ModelPace pace = herd.get(0).paces().get(0);
        assertThat(pace.firstTokenSeconds()).isCloseTo(3.2, within(0.01));
        assertThat(pace.slow()).isFalse();
    }

    @Test
    void aThirdOfAnswersWithoutAnEndDegradesAndFewerEndIt() {
        Backend backend = herd(1).get(0);
        for (int i = 0; i < 100; i++) {
            end(backend, i % 10 < 3 ? AnswerEnd.UNFINISHED : AnswerEnd.DONE);
        }
        // The three that drop out of the window lacked their ends too.
        for (int i = 0; i < 3; i++) {
            end(backend, AnswerEnd.UNFINISHED);
        }
        assertThat(changes).as("six of twenty may").isEmpty();
        end(backend, AnswerEnd.UNFINISHED);
        assertThat(changes).containsExactly("b0 UP->DEGRADED unfinished: 7 of the last 20 answers");
        for (int i = 0; i < 20 && backend.isDegraded(); i++) {
            end(backend, AnswerEnd.DONE);
        }
        assertThat(changes).last().isEqualTo("b0 DEGRADED->SLOW_START its answers have ends again");
    }

    @Test
    void theFirstFewAnswersWithoutAnEndAreTooFew() {
        Backend backend = herd(1).get(0);
        for (int i = 0; i < 19; i++) {
            end(backend, AnswerEnd.UNFINISHED);
        }
        assertThat(changes).isEmpty();
        end(backend, AnswerEnd.UNFINISHED);
        assertThat(changes).containsExactly("b0 UP->DEGRADED unfinished: 20 of the last 20 answers");
    }

    @Test
    void errorsAndAnswersThatTellNothingAreNoEnds() {
        Backend backend = herd(1).get(0);
        for (int i = 0; i < 100; i++) {
            end(backend, AnswerEnd.FAILED);
            end(backend, AnswerEnd.REFUSED);
            end(backend, AnswerEnd.UNTOLD);
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void zeroRequestsNeverDegradeAndStillMeasure() {
        Backend trusted = backend(
                0,
                1,
                new Health(
                        HEALTH.active(),
                        HEALTH.passive(),
                        new DegradedHealth(25, 0, 30),
                        HEALTH.wedgedAfter(),
                        HEALTH.slowStart()));
        answer(List.of(trusted), 0, MODEL, 10, 50);
        answer(List.of(trusted), 0, MODEL, 100, 1);
        for (int i = 0; i < 100; i++) {
            end(trusted, AnswerEnd.UNFINISHED);
        }
        assertThat(changes).isEmpty();
        assertThat(trusted.paces().get(0).tokensPerSecond()).isCloseTo(1, within(0.1));
    }

    @Test
    void oneThatIsEjectedMeanwhileComesBackDegraded() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        answer(herd, 0, MODEL, 5, 5);
        Backend backend = herd.get(0);
        backend.onConnectFailure("connection refused", now);
        assertThat(state(backend)).isEqualTo(BackendState.EJECTED);
        now += Herd.EJECT_NANOS;
        backend.onTime(now);
        assertThat(state(backend)).isEqualTo(BackendState.DEGRADED);
        assertThat(changes).last().asString().startsWith("b0 EJECTED->DEGRADED slow: llama3.2:3b");
        backend.onProbe(false, "probe timed out", now);
        assertThat(state(backend)).isEqualTo(BackendState.SUSPECT);
        backend.onProbe(true, "", now);
        assertThat(state(backend)).isEqualTo(BackendState.DEGRADED);
    }

    @Test
    void undrainedItIsJudgedAnew() {
        List<Backend> herd = herd(1);
        answer(herd, 0, MODEL, 10, 50);
        answer(herd, 0, MODEL, 5, 5);
        Backend backend = herd.get(0);
        backend.drain(true, now);
        backend.drain(false, now);
        assertThat(state(backend)).isEqualTo(BackendState.SLOW_START);
        now += SLOW_START;
        answer(herd, 0, MODEL, 100, 5);
        assertThat(state(backend)).isEqualTo(BackendState.UP);
        assertThat(changes)
                .filteredOn(change -> change.contains("DRAINING"))
                .containsExactly("b0 DEGRADED->DRAINING drained", "b0 DRAINING->SLOW_START undrained");
    }

    @Test
    void ofAllDegradedEachGetsAsMuch() {
        List<Backend> herd = herd(2);
        for (int index = 0; index < 2; index++) {
            answer(herd, index, MODEL, 10, 50);
        }
        for (int index = 0; index < 2; index++) {
            answer(List.of(herd.get(index)), 0, MODEL, 5, 5);
        }
        assertThat(herd).allSatisfy(each -> assertThat(state(each)).isEqualTo(BackendState.DEGRADED));
        LoadBalancer balancer = new Tiers(new LeastConnections());
        Cluster cluster = Cluster.of(herd);
        for (int i = 0; i < 10; i++) {
            assertThat(balancer.select(cluster, new Wanted(null, new Tried()), now))
                    .isNotNull();
        }
        assertThat(herd).extracting(Backend::inFlight).containsExactly(5, 5);
    }

    @Test
    void itIsCountedByItsFirstWordAndShownAsAState() {
        Metrics metrics = new Metrics(new DroverConfig.Metrics(10, Duration.ofSeconds(5)));
        BackendReport report = new BackendReport(metrics);
        Backend backend = Herd.backend(0, 1, false, HEALTH, report);
        metrics.backends(() -> List.of(backend));
        now = System.nanoTime();
        answer(List.of(backend), 0, MODEL, 10, 50);
        answer(List.of(backend), 0, MODEL, 5, 5);
        assertThat(new String(metrics.scrape(null), StandardCharsets.UTF_8))
                .contains("drover_backend_degradations_total{backend=\"b0\",reason=\"slow\",} 1.0")
                .contains("drover_backend_state{backend=\"b0\",state=\"degraded\",} 1.0")
                .contains("drover_backend_state{backend=\"b0\",state=\"up\",} 0.0")
                .contains("drover_backend_state{backend=\"b0\",state=\"wedged\",} 0.0")
                .contains("drover_backend_up{backend=\"b0\",} 1.0");
    }
}
