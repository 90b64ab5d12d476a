package io.drover.backend;

import static io.drover.backend.Herd.EJECT_NANOS;
import static io.drover.backend.Herd.HEALTH;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.Health;
import io.drover.metrics.Metrics;
import io.drover.ollama.AnswerEnd;
import io.drover.ollama.FinalRecord;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One that owes bytes and sends none for 60 s; event loops tell once a second. */
class WedgedTest {
    private static final long SECOND = 1_000_000_000L;
    private static final String WEDGED = "UP->WEDGED it owes bytes and sends none";

    private interface Debt {
        void addTo(Owed owed);
    }

    private final List<String> changes = new ArrayList<>();
    private final Backend backend = backend(HEALTH, new EjectionLimit());
    private long now = -70 * SECOND;

    private Backend backend(Health health, EjectionLimit limit) {
        return new Backend(
                Herd.config(0, 1, false),
                0,
                health,
                limit,
                (of, from, to, reason) -> changes.add(from + "->" + to + " " + reason),
                Herd.NO_MODELS);
    }

    WedgedTest() {
        backend.onProbe(true, "", now);
        changes.clear();
    }

    private static Debt stream(long lastByte) {
        return owed -> {
            owed.onByte(lastByte);
            owed.onStream(lastByte);
        };
    }

    private static Debt waits(long sent) {
        return owed -> owed.onWait(sent);
    }

    private void tell(String loop, List<Debt> owes) {
        Owed owed = new Owed(now);
        owes.forEach(one -> one.addTo(owed));
        backend.onOwed(loop, owes.isEmpty() ? null : owed);
    }

    /** Time passes, second by second, while the same is owed. */
    private void pass(int seconds, Debt... owes) {
        for (int i = 0; i < seconds; i++) {
            now += SECOND;
            tell("loop", List.of(owes));
            backend.onTime(now);
        }
    }

    @Test
    void aStreamThatIsSilentForAMinuteWedgesIt() {
        long last = now;
        pass(59, stream(last));
        assertThat(changes).isEmpty();
        pass(1, stream(last));
        assertThat(changes).containsExactly(WEDGED);
        assertThat(backend.isUp(now)).isFalse();
        assertThat(backend.downReason(now)).isEqualTo("it owes bytes and sends none");
    }

    @Test
    void aByteOnAnyOtherStreamSaysThatItLives() {
        long last = now;
        for (int i = 0; i < 200; i++) {
            pass(1, stream(last), owed -> owed.onByte(now - SECOND / 2));
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void soDoesAByteOnAnotherLoop() {
        long last = now;
        for (int i = 0; i < 200; i++) {
            tell("other", List.of(owed -> owed.onByte(now - SECOND)));
            pass(1, stream(last));
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void andAnAnswerThatEnded() {
        long last = now;
        for (int i = 0; i < 10; i++) {
            pass(50, stream(last));
            backend.onAnswer(new Answer(null, AnswerEnd.DONE, FinalRecord.UNKNOWN, -1), List.of(backend), now);
        }
        assertThat(changes).isEmpty();
    }

    @Test
    void whatSeveralLoopsAreOwedCountsTogether() {
        long last = now;
        for (int i = 0; i < 59; i++) {
            tell("other", List.of(stream(last)));
            pass(1, stream(last + 30 * SECOND));
        }
        assertThat(changes).isEmpty();
        // What the other loop told last is a second old.
        for (int i = 0; i < 32; i++) {
            tell("other", List.of(stream(last)));
            pass(1, stream(last + 30 * SECOND));
        }
        assertThat(changes).containsExactly(WEDGED);
    }

    @Test
    void aLoopThatHasNotToldYetIsWaitedFor() {
        long last = now;
        tell("late", List.of(owed -> owed.onByte(now)));
        pass(100, stream(last));
        assertThat(changes).isEmpty();
        tell("late", List.of());
        pass(1, stream(last));
        assertThat(changes).containsExactly(WEDGED);
    }

    @Test
    void aRequestForALoadedModelWaitsForItsFirstByteNoLonger() {
        long sent = now;
        pass(59, waits(sent));
        assertThat(changes).isEmpty();
        pass(1, waits(sent));
        assertThat(changes).containsExactly(WEDGED);
    }

    @Test
    void oneThatLoadsOrMakesAWholeAnswerMayBeSilentAndHoldUpOthers() {
        long sent = now;
        pass(1000, Owed::onPatience);
        pass(1000, waits(sent), Owed::onPatience);
        assertThat(changes).isEmpty();
        tell("other", List.of(Owed::onPatience));
        pass(10, waits(sent));
        assertThat(changes).as("wherever it waits").isEmpty();
    }

    @Test
    void butAStreamThatHasBegunIsNotHeldUp() {
        long last = now;
        pass(60, stream(last), Owed::onPatience);
        assertThat(changes).containsExactly(WEDGED);
    }

    @Test
    void oneThatOwesNothingIsNeverWedged() {
        pass(1000);
        pass(1000, owed -> owed.onByte(0));
        assertThat(changes).isEmpty();
    }

    @Test
    void aByteEndsItAtOnceAndItStartsSlowly() {
        long last = now;
        pass(65, stream(last));
        pass(1, stream(now + SECOND));
        assertThat(changes).last().isEqualTo("WEDGED->SLOW_START it sends bytes again");
        assertThat(backend.weight(now)).isEqualTo(100);
    }

    @Test
    void soDoesAnAnswerThatEnds() {
        long last = now;
        pass(65, stream(last));
        backend.onAnswer(new Answer(null, AnswerEnd.UNTOLD, FinalRecord.UNKNOWN, -1), List.of(backend), now);
        assertThat(changes).last().isEqualTo("WEDGED->SLOW_START it sends bytes again");
    }

    @Test
    void successesThatOweNothingDoNot() {
        long last = now;
        pass(65, stream(last));
        backend.onSuccess(now, now);
        for (int i = 0; i < 10; i++) {
            backend.onProbe(true, "", now);
        }
        assertThat(backend.state(now)).isEqualTo(BackendState.WEDGED);
    }

    @Test
    void itLastsAsLongAsTheSilenceAndAnEjectionsTimeBeyond() {
        long last = now;
        pass(300, stream(last));
        assertThat(changes).containsExactly(WEDGED);
        long end = now + EJECT_NANOS;
        pass(29);
        assertThat(backend.state(now)).isEqualTo(BackendState.WEDGED);
        pass(1);
        assertThat(now).isEqualTo(end);
        assertThat(changes).last().isEqualTo("WEDGED->SLOW_START its time has passed");
    }

    @Test
    void soonAfterwardsItIsAwayForTwiceAsLong() {
        long last = now;
        pass(60, stream(last));
        pass(30);
        assertThat(backend.isUp(now)).isTrue();
        long sent = now - 60 * SECOND;
        pass(1, waits(sent));
        assertThat(backend.state(now)).isEqualTo(BackendState.WEDGED);
        pass(59);
        assertThat(backend.isUp(now)).isFalse();
        pass(1);
        assertThat(backend.isUp(now)).isTrue();
    }

    @Test
    void requestsThatAreTakenBackAreTheSameStory() {
        long last = now;
        pass(60, stream(last));
        for (int i = 0; i < 10; i++) {
            backend.onFailure("backend went silent", now);
        }
        assertThat(changes).containsExactly(WEDGED);
        backend.onConnectFailure("connection refused", now);
        assertThat(changes).last().isEqualTo("WEDGED->EJECTED connection refused");
    }

    @Test
    void oneThatIsEjectedAlreadyStaysThatForItsReason() {
        long last = now;
        pass(50, stream(last));
        backend.onConnectFailure("connection refused", now);
        pass(100, stream(last));
        assertThat(changes).containsExactly("UP->EJECTED connection refused");
    }

    @Test
    void zeroNeverWedges() {
        Backend trusted = backend(
                new Health(HEALTH.active(), HEALTH.passive(), HEALTH.degraded(), Duration.ZERO, HEALTH.slowStart()),
                new EjectionLimit());
        Owed owed = new Owed(now);
        owed.onStream(now - 1000 * SECOND);
        trusted.onOwed("loop", owed);
        trusted.onTime(now);
        assertThat(changes).isEmpty();
    }

    @Test
    void whereMostOfAHerdIsSilentOnlyAShareOfItIsWedged() {
        EjectionLimit half = new EjectionLimit();
        List<Backend> herd = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            herd.add(new Backend(Herd.config(i, 1, false), i, HEALTH, half, Herd.NOBODY, Herd.NO_MODELS));
        }
        half.onHerd(herd, 50);
        for (Backend each : herd) {
            Owed owed = new Owed(now);
            owed.onStream(now - 100 * SECOND);
            each.onOwed("loop", owed);
            each.onTime(now);
        }
        assertThat(herd)
                .filteredOn(each -> each.state(now) == BackendState.WEDGED)
                .hasSize(2);
    }

    @Test
    void itIsCountedAsAnEjection() {
        Metrics metrics = new Metrics(new DroverConfig.Metrics(10, Duration.ofSeconds(5)));
        Backend counted = Herd.backend(0, 1, false, HEALTH, new BackendReport(metrics));
        long real = System.nanoTime();
        Owed owed = new Owed(real);
        owed.onStream(real - 100 * SECOND);
        counted.onOwed("loop", owed);
        counted.onTime(real);
        assertThat(new String(metrics.scrape(null), StandardCharsets.UTF_8))
                .contains(
                        "drover_backend_ejections_total{backend=\"b0\",reason=\"it owes bytes and sends none\",} 1.0");
    }
}
