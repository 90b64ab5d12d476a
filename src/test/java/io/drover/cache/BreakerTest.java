package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class BreakerTest {
    private static final long QUICK = 5_000_000;
    private static final long SLOW = 5_000_001;
    /** Between two slow answers, so that five of them are more than a pause. */
    private static final long STEP = Breaker.LONGEST_PAUSE_NANOS / (Breaker.SLOW_IN_A_ROW - 1);

    private int opened;
    private long now;
    private final Breaker breaker = new Breaker(Duration.ofMillis(5), () -> opened++);

    @Test
    void slowAnswersInARowOpenIt() {
        for (int i = 0; i < Breaker.SLOW_IN_A_ROW - 1; i++) {
            answer(SLOW, false);
        }
        answer(QUICK, false);
        for (int i = 0; i < Breaker.SLOW_IN_A_ROW - 1; i++) {
            answer(SLOW, false);
        }
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);

        answer(SLOW, true);

        assertThat(breaker.state()).isEqualTo(Breaker.State.OPEN);
        assertThat(breaker.ask(0)).isNull();
        assertThat(opened).isEqualTo(1);
    }

    @Test
    void aSinglePauseThatMakesManyLateDoesNot() {
        Breaker.Question[] underWay = new Breaker.Question[100];
        for (int i = 0; i < underWay.length; i++) {
            underWay[i] = Objects.requireNonNull(breaker.ask(0));
        }
        for (Breaker.Question each : underWay) {
            breaker.onAnswer(each, false, Breaker.LONGEST_PAUSE_NANOS - 1);
        }
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);

        Breaker.Question next = Objects.requireNonNull(breaker.ask(2 * Breaker.LONGEST_PAUSE_NANOS));
        breaker.onAnswer(next, false, 2 * Breaker.LONGEST_PAUSE_NANOS + QUICK);
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);
    }

    @Test
    void questionsWithoutAnAnswerOpenItOnceTheyAreLateForLong() {
        for (int i = 0; i < Breaker.SLOW_IN_A_ROW; i++) {
            assertThat(breaker.ask(i * STEP)).isNotNull();
        }
        long last = (Breaker.SLOW_IN_A_ROW - 1) * STEP;
        assertThat(breaker.ask(last + QUICK)).isNotNull();
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);

        assertThat(breaker.ask(last + STEP + SLOW)).isNull();

        assertThat(breaker.state()).isEqualTo(Breaker.State.OPEN);
    }

    @Test
    void anAnswerIsCountedOnce() {
        Breaker.Question late = Objects.requireNonNull(breaker.ask(0));
        Breaker.Question next = Objects.requireNonNull(breaker.ask(SLOW));
        for (int i = 0; i < Breaker.SLOW_IN_A_ROW; i++) {
            breaker.onAnswer(late, true, 2 * SLOW);
        }
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);

        breaker.onAnswer(next, false, SLOW + 1);
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);
    }

    @Test
    void onlyAQuickCheckClosesIt() {
        Breaker.Question before = Objects.requireNonNull(breaker.ask(0));
        breaker.onCheck(true, 0);
        assertThat(breaker.state()).isEqualTo(Breaker.State.OPEN);

        breaker.onCheck(false, SLOW);
        assertThat(breaker.state()).isEqualTo(Breaker.State.OPEN);
        breaker.onCheck(false, QUICK);
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);
        assertThat(breaker.ask(10 * SLOW)).isNotNull();
        breaker.onAnswer(before, true, 10 * SLOW);
        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);
    }

    @Test
    void aSlowCheckOpensNothing() {
        breaker.onCheck(false, SLOW);

        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);
    }

    private void answer(long nanos, boolean failed) {
        now += STEP;
        Breaker.Question question = Objects.requireNonNull(breaker.ask(now));
        breaker.onAnswer(question, failed, now + nanos);
    }
}
