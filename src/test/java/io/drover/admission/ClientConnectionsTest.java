package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Race;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Each address has so many connections at once, and none is counted for ever. */
class ClientConnectionsTest {
    private final ClientConnections connections = new ClientConnections(10);

    @Test
    void anAddressHasSoManyAtOnce() {
        assertThat(connections.open("a", 2)).isTrue();
        assertThat(connections.open("a", 2)).isTrue();
        assertThat(connections.open("a", 2)).isFalse();
        assertThat(connections.open("b", 2)).isTrue();
        connections.close("a");
        assertThat(connections.of("a")).isOne();
        assertThat(connections.open("a", 2)).isTrue();
        assertThat(connections.open("a", 0)).as("any number").isTrue();
    }

    @Test
    void addressesWithoutConnectionsAreForgottenAndOthersAreNot() {
        connections.open("stays", 1);
        for (int i = 0; i < 10_000; i++) {
            assertThat(connections.open("a" + i, 1)).isTrue();
            connections.close("a" + i);
        }
        assertThat(connections.size()).isLessThanOrEqualTo(20);
        assertThat(connections.open("stays", 1)).isFalse();
    }

    @Test
    void threadsThatRaceKeepToTheBoundAndEndAtNone() throws Exception {
        AtomicInteger[] open = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
        AtomicInteger tooMany = new AtomicInteger();
        Race.run(4, thread -> {
            for (int i = 0; i < 50_000; i++) {
                int of = i % 3;
                String key = "k" + of;
                if (connections.open(key, 2)) {
                    tooMany.addAndGet(open[of].incrementAndGet() > 2 ? 1 : 0);
                    open[of].decrementAndGet();
                    connections.close(key);
                }
                String other = thread + "-" + i;
                connections.open(other, 1);
                connections.close(other);
            }
        });
        assertThat(tooMany).hasValue(0);
        assertThat(connections.of("k0") + connections.of("k1") + connections.of("k2"))
                .isZero();
        assertThat(connections.size()).isLessThanOrEqualTo(40);
    }
}
