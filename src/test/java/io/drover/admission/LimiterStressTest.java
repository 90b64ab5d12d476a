package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Race;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Threads that ask at the same time get what there is and no more, and leave nothing behind. */
class LimiterStressTest {
    private static final int THREADS = 4;
    private static final int EACH = 30_000;

    private final Rig rig = new Rig();
    private final Limiter limiter;

    LimiterStressTest() {
        rig.inFlight = 3;
        rig.requests(Rig.limit("requests", Rig.CLIENT, 60, 1_000_000)).tokens(Rig.limit("tokens", Rig.ALL, 60, 20_000));
        limiter = new Limiter(rig.limits(), LimitObserver.NONE, rig.wall::get, null, rig.clock::get);
    }

    @Test
    void noBucketIsOverrunWhateverIsGivenBack() throws Exception {
        AtomicLong used = new AtomicLong();
        AtomicInteger inFlight = new AtomicInteger();
        AtomicInteger tooMany = new AtomicInteger();
        long now = rig.clock.get();
        Race.run(THREADS, thread -> {
            SplittableRandom random = new SplittableRandom(thread);
            Charge charge = new Charge();
            for (int i = 0; i < EACH; i++) {
                charge.reset();
                if (limiter.atHead(new Asked(), charge, now) < 0) {
                    continue;
                }
                tooMany.addAndGet(inFlight.incrementAndGet() > 3 ? 1 : 0);
                int estimate = random.nextInt(2, 30);
                inFlight.decrementAndGet();
                if (limiter.atModel(new Asked(), charge, 1, estimate - 1, now) < 0) {
                    continue;
                }
                if (random.nextBoolean()) {
                    limiter.cancel(charge, now);
                } else {
                    int counted = random.nextInt(1, estimate);
                    used.addAndGet(counted);
                    limiter.settle(charge, 0, counted, 0, now);
                }
            }
        });
        assertThat(tooMany).hasValue(0);
        assertThat(used.get()).isBetween(19_000L, 20_000L);
        Charge left = new Charge();
        long taken = 0;
        for (int i = 0; i < 3; i++) {
            assertThat(limiter.atHead(new Asked(), new Charge(), now))
                    .as("none is in flight")
                    .isZero();
        }
        limiter.atHead(Asked.from("192.0.2.7"), left, now);
        if (limiter.atModel(Asked.from("192.0.2.7"), left, 1, 0, now) >= 0) {
            taken = 1 + left.remaining();
        }
        assertThat(used.get() + taken).as("every token is used, or there yet").isEqualTo(20_000);
    }
}
