package io.drover.proxy;

import static io.drover.metrics.Phase.ADMIT;
import static io.drover.metrics.Phase.AWAIT_HEAD;
import static io.drover.metrics.Phase.CONNECT;
import static io.drover.metrics.Phase.DONE;
import static io.drover.metrics.Phase.LOOKUP;
import static io.drover.metrics.Phase.QUEUE;
import static io.drover.metrics.Phase.READ_BODY;
import static io.drover.metrics.Phase.READ_HEAD;
import static io.drover.metrics.Phase.RELAY;
import static io.drover.metrics.Phase.SEND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.metrics.Phase;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every step from phase to phase: the ones that exist, and the ones that must not. */
class TimelineTest {
    private static final Map<Phase, Set<Phase>> LEGAL = Map.of(
            READ_HEAD, Set.of(ADMIT, DONE),
            ADMIT, Set.of(READ_BODY, DONE),
            READ_BODY, Set.of(LOOKUP, QUEUE, DONE),
            LOOKUP, Set.of(QUEUE, RELAY, DONE),
            QUEUE, Set.of(CONNECT, LOOKUP, RELAY, DONE),
            CONNECT, Set.of(SEND, QUEUE, CONNECT, RELAY, DONE),
            SEND, Set.of(AWAIT_HEAD, RELAY, QUEUE, CONNECT, DONE),
            AWAIT_HEAD, Set.of(RELAY, QUEUE, CONNECT, DONE),
            RELAY, Set.of(QUEUE, CONNECT, RELAY, DONE),
            DONE, Set.of());

    /** The shortest way to each phase. */
    private static final Map<Phase, Phase[]> WAYS = Map.of(
            READ_HEAD,
            new Phase[] {},
            ADMIT,
            new Phase[] {ADMIT},
            READ_BODY,
            new Phase[] {ADMIT, READ_BODY},
            LOOKUP,
            new Phase[] {ADMIT, READ_BODY, LOOKUP},
            QUEUE,
            new Phase[] {ADMIT, READ_BODY, QUEUE},
            CONNECT,
            new Phase[] {ADMIT, READ_BODY, QUEUE, CONNECT},
            SEND,
            new Phase[] {ADMIT, READ_BODY, QUEUE, CONNECT, SEND},
            AWAIT_HEAD,
            new Phase[] {ADMIT, READ_BODY, QUEUE, CONNECT, SEND, AWAIT_HEAD},
            RELAY,
            new Phase[] {ADMIT, READ_BODY, QUEUE, CONNECT, SEND, RELAY},
            DONE,
            new Phase[] {DONE});

    @ParameterizedTest
    @EnumSource
    void eachStepIsTakenOrRefused(Phase from) {
        for (Phase to : Phase.values()) {
            Timeline timeline = new Timeline(new LoopClock(), 0);
            for (Phase step : WAYS.getOrDefault(from, new Phase[0])) {
                timeline.enter(step);
            }
            assertThat(timeline.phase()).isEqualTo(from);
            if (LEGAL.getOrDefault(from, Set.of()).contains(to)) {
                timeline.enter(to);
                assertThat(timeline.phase()).isEqualTo(to);
            } else {
                assertThatThrownBy(() -> timeline.enter(to))
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining(from.name())
                        .hasMessageContaining(to.name());
                assertThat(timeline.phase()).isEqualTo(from);
            }
        }
    }

    @Test
    void theFirstByteIsThatOfTheResponseThatIsSent() {
        Timeline timeline = new Timeline(new LoopClock(), 42);
        assertThat(timeline.bytesBefore()).isEqualTo(42);
        assertThat(timeline.hasFirstByte()).isFalse();
        assertThat(timeline.timeToFirstByteNanos()).isEqualTo(-1);
        timeline.onFirstByte(timeline.startNanos() + 5);
        timeline.forgetFirstByte();
        assertThat(timeline.hasFirstByte()).isFalse();
        timeline.onFirstByte(timeline.startNanos() + 7);
        assertThat(timeline.timeToFirstByteNanos()).isEqualTo(7);
    }
}
