package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Race;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SlotTest {
    private final Backend backend = Herd.of(1).get(0);

    @Test
    void onlyTheFirstReleaseCounts() {
        Slot one = backend.acquire();
        Slot two = backend.acquire();
        assertThat(backend.inFlight()).isEqualTo(2);
        assertThat(one.backend()).isSameAs(backend);

        one.release();
        one.release();
        assertThat(backend.inFlight()).isEqualTo(1);
        two.release();
        assertThat(backend.inFlight()).isZero();
    }

    @Test
    void aSlotIsTakenOnlyFromTheCountThatWasSeen() {
        assertThat(backend.tryAcquire(1)).isNull();
        assertThat(backend.inFlight()).isZero();
        assertThat(backend.tryAcquire(0)).isNotNull();
        assertThat(backend.tryAcquire(0)).isNull();
        assertThat(backend.inFlight()).isEqualTo(1);
    }

    @Test
    void releasesThatRaceCountOnce() throws Exception {
        int rounds = 5_000;
        List<Slot> slots = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            slots.add(backend.acquire());
        }
        Race.run(4, thread -> slots.forEach(Slot::release));
        assertThat(backend.inFlight()).isZero();
    }
}
