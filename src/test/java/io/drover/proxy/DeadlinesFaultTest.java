package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeadlinesFaultTest {
    private static final long TICK = Deadlines.TICK_NANOS;

    @Test
    void aDeadlineThatThrowsDoesNotTakeItsNeighboursWithIt() {
        Deadlines deadlines = new Deadlines(0);
        List<String> fired = new ArrayList<>();
        deadlines.set(
                node(() -> {
                    throw new IllegalStateException("fault");
                }),
                TICK);
        deadlines.set(node(() -> fired.add("neighbour")), TICK);
        deadlines.set(node(() -> fired.add("next")), 2 * TICK);
        assertThatThrownBy(() -> deadlines.advance(2 * TICK)).isInstanceOf(IllegalStateException.class);
        deadlines.advance(4 * TICK);
        deadlines.advance(2_000 * TICK);
        assertThat(fired).containsExactlyInAnyOrder("neighbour", "next");
    }

    private static Deadlines.Node node(Runnable then) {
        return new Deadlines.Node() {
            @Override
            void onDeadline(long nowNanos) {
                then.run();
            }
        };
    }
}
