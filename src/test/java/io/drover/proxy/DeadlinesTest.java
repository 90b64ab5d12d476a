package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Deadlines on a clock that only the test turns: never early, never later than a tick, never twice. */
class DeadlinesTest {
    private static final long TICK = Deadlines.TICK_NANOS;

    private static final class Timer extends Deadlines.Node {
        private final List<Long> fired = new ArrayList<>();
        private Runnable then = () -> {};

        @Override
        void onDeadline(long nowNanos) {
            fired.add(nowNanos);
            then.run();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, Long.MIN_VALUE / 2, 123_456_789_012_345L})
    void aDeadlineFiresOnceAndAtMostATickLate(long start) {
        for (long delay :
                new long[] {0, 1, TICK - 1, TICK, TICK + 1, 511 * TICK, 512 * TICK, 513 * TICK, 5_000 * TICK}) {
            Deadlines deadlines = new Deadlines(start);
            Timer timer = new Timer();
            deadlines.set(timer, start + delay);
            for (long now = start; now < start + delay; now += TICK / 2) {
                deadlines.advance(now);
                assertThat(timer.fired).isEmpty();
            }
            deadlines.advance(start + delay + TICK);
            assertThat(timer.fired).as("delay %d", delay).hasSize(1);
            deadlines.advance(start + 2 * delay + 1_000 * TICK);
            assertThat(timer.fired).hasSize(1);
        }
    }

    @Test
    void aDeadlineMovedAwayFiresAtItsNewTimeOnly() {
        Deadlines deadlines = new Deadlines(0);
        Timer timer = new Timer();
        for (int i = 1; i <= 2_000; i++) {
            deadlines.set(timer, (i + 3) * TICK);
            deadlines.advance(i * TICK);
            assertThat(timer.fired).isEmpty();
        }
        deadlines.advance(2_005 * TICK);
        assertThat(timer.fired).containsExactly(2_005 * TICK);
    }

    @Test
    void aDeadlineMovedNearerFiresAtItsNewTime() {
        Deadlines deadlines = new Deadlines(0);
        Timer timer = new Timer();
        deadlines.set(timer, TimeUnit.MINUTES.toNanos(10));
        deadlines.advance(700 * TICK);
        deadlines.set(timer, 702 * TICK);
        deadlines.advance(703 * TICK);
        assertThat(timer.fired).hasSize(1);
        deadlines.set(timer, 0);
        deadlines.advance(704 * TICK);
        assertThat(timer.fired).as("one in the past fires with the next tick").hasSize(2);
    }

    @Test
    void aClearedDeadlineDoesNotFireAndCanBeSetAgain() {
        Deadlines deadlines = new Deadlines(0);
        Timer timer = new Timer();
        deadlines.clear(timer);
        deadlines.set(timer, TICK);
        deadlines.clear(timer);
        deadlines.clear(timer);
        deadlines.advance(10 * TICK);
        assertThat(timer.fired).isEmpty();
        deadlines.set(timer, 11 * TICK);
        deadlines.advance(12 * TICK);
        assertThat(timer.fired).hasSize(1);
    }

    @Test
    void afterAPauseLongerThanTheWheelEverythingDueFiresAndNothingElse() {
        Deadlines deadlines = new Deadlines(0);
        List<Timer> due = new ArrayList<>();
        List<Timer> later = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            Timer timer = new Timer();
            deadlines.set(timer, i * TICK);
            (i <= 1_500 ? due : later).add(timer);
        }
        deadlines.advance(1_500 * TICK);
        assertThat(due).allSatisfy(timer -> assertThat(timer.fired).hasSize(1));
        assertThat(later).allSatisfy(timer -> assertThat(timer.fired).isEmpty());
    }

    @Test
    void whatFiresMaySetAndClearItselfAndItsNeighbours() {
        Deadlines deadlines = new Deadlines(0);
        Timer first = new Timer();
        Timer cleared = new Timer();
        Timer postponed = new Timer();
        Timer last = new Timer();
        first.then = () -> {
            deadlines.clear(cleared);
            deadlines.set(postponed, 5 * TICK);
            deadlines.set(first, 3 * TICK);
            first.then = () -> {};
        };
        for (Timer timer : List.of(first, cleared, postponed, last)) {
            deadlines.set(timer, TICK);
        }
        deadlines.advance(2 * TICK);
        assertThat(List.of(first.fired.size(), cleared.fired.size(), postponed.fired.size(), last.fired.size()))
                .containsExactly(1, 0, 0, 1);
        deadlines.advance(4 * TICK);
        deadlines.advance(6 * TICK);
        assertThat(List.of(first.fired.size(), cleared.fired.size(), postponed.fired.size(), last.fired.size()))
                .containsExactly(2, 0, 1, 1);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void randomUseAgreesWithANaiveModel(long seed) {
        new Model(seed).run(20_000);
    }

    /** Timers beside what is expected of them, driven at random, from within deadlines too. */
    private static final class Model {
        private static final long UNSET = Long.MAX_VALUE;

        private final SplittableRandom random;
        private final Deadlines deadlines;
        private final List<Timer> timers = new ArrayList<>();
        private final long[] at = new long[64];
        private final long[] setAt = new long[64];
        private long now;
        private int fired;

        Model(long seed) {
            random = new SplittableRandom(seed);
            now = random.nextLong(-1_000_000_000_000L, 1_000_000_000_000L);
            deadlines = new Deadlines(now);
            for (int i = 0; i < at.length; i++) {
                int index = i;
                Timer timer = new Timer();
                timer.then = () -> onFired(index);
                timers.add(timer);
                at[i] = UNSET;
            }
        }

        void run(int steps) {
            for (int i = 0; i < steps; i++) {
                switch (random.nextInt(4)) {
                    case 0, 1 -> act();
                    case 2 -> now += random.nextLong(TICK);
                    default -> advance();
                }
            }
            assertThat(fired).isGreaterThan(steps / 100);
        }

        private void advance() {
            now += random.nextInt(500) == 0 ? random.nextLong(2_000 * TICK) : random.nextLong(2 * TICK);
            deadlines.advance(now);
            for (int i = 0; i < at.length; i++) {
                if (at[i] != UNSET) {
                    assertThat(Math.max(at[i], setAt[i]) + TICK)
                            .as("timer %d is late", i)
                            .isGreaterThan(now);
                }
            }
        }

        private void act() {
            int i = random.nextInt(at.length);
            if (random.nextInt(4) == 0) {
                deadlines.clear(timers.get(i));
                at[i] = UNSET;
            } else {
                long delay =
                        switch (random.nextInt(4)) {
                            case 0 -> -random.nextLong(3 * TICK);
                            case 1 -> random.nextLong(3 * TICK);
                            case 2 -> random.nextLong(100 * TICK);
                            default -> random.nextLong(2_000 * TICK);
                        };
                deadlines.set(timers.get(i), now + delay);
                at[i] = now + delay;
                setAt[i] = now;
            }
        }

        private void onFired(int i) {
            fired++;
            assertThat(at[i]).as("timer %d fires unset or early", i).isLessThanOrEqualTo(now);
            at[i] = UNSET;
            for (int acts = random.nextInt(3); acts > 0; acts--) {
                act();
            }
        }
    }
}
