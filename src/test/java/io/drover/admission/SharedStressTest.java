package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.Period;
import io.drover.testing.Race;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Threads that take, give back and settle while a store answers at once, late or not at all: each unit counts once. */
@Timeout(60)
class SharedStressTest {
    private static final int THREADS = 4;
    private static final int EACH = 10_000;
    private static final int HELD = 1_000;
    private static final String REQUESTS = "drover:limit:requests:requests:";
    private static final String TOKENS = "drover:limit:tokens:tokens:";

    /** A minute has so many units. */
    private static final int A_MINUTE = 60_000;

    private static final long UNIT_MICROS = 1_000;

    private final ModelStore store = new ModelStore();
    private final Rig rig = new Rig();
    private final Replicas replicas;
    private final Limiter limiter;
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong tokens = new AtomicLong();

    SharedStressTest() {
        ScheduledThreadPoolExecutor never = new ScheduledThreadPoolExecutor(1, new ThreadPoolExecutor.DiscardPolicy());
        never.shutdown();
        replicas = new Replicas(store, Duration.ofMillis(100), never, rig.clock::get);
        rig.inFlight = THREADS;
        rig.requests(Rig.limit("requests", Rig.ALL, A_MINUTE, 10_000_000))
                .tokens(Rig.limit("tokens", Rig.ALL, A_MINUTE, 1_000_000_000))
                .budgets(Rig.budget("daily", Period.DAY, 1L << 40, 0));
        limiter = new Limiter(rig.limits(), LimitObserver.NONE, rig.wall::get, replicas, rig.clock::get);
        beat();
        // What is given back before it is counted must not meet a full bucket.
        for (int i = 0; i < HELD; i++) {
            one(new SplittableRandom(1), HELD, true);
        }
    }

    private void beat() {
        replicas.start();
        answerAll();
    }

    private void answerAll() {
        while (store.answerOne()) {
            // Each may send another report.
        }
    }

    /** One request, from its head to its end. */
    private void one(SplittableRandom random, int estimate, boolean settled) {
        Charge charge = new Charge();
        Asked asked = new Asked();
        while (limiter.atHead(asked, charge, rig.clock.incrementAndGet()) == Limiter.ASK_AGAIN) {
            store.answerOne();
        }
        while (limiter.atModel(asked, charge, 1, estimate - 1, rig.clock.incrementAndGet()) == Limiter.ASK_AGAIN) {
            store.answerOne();
        }
        assertThat(charge.isRefused()).as(charge.message()).isFalse();
        if (!settled) {
            limiter.cancel(charge, rig.clock.incrementAndGet());
            return;
        }
        long used = estimate == HELD ? HELD : random.nextLong(2L * estimate);
        requests.incrementAndGet();
        tokens.addAndGet(used);
        limiter.settle(charge, 0, used, 0, rig.clock.incrementAndGet());
    }

    private void race() throws Exception {
        Race.run(THREADS, thread -> {
            SplittableRandom random = new SplittableRandom(thread);
            for (int i = 0; i < EACH; i++) {
                one(random, random.nextInt(2, 300), random.nextInt(4) > 0);
                if (thread == 0 && i % 50 == 0) {
                    replicas.start();
                }
                if (random.nextInt(3) == 0) {
                    store.answerOne();
                }
            }
        });
        answerAll();
    }

    private void assertNobodyIsInFlight() {
        for (int i = 0; i < THREADS; i++) {
            Charge charge = new Charge();
            while (limiter.atHead(new Asked(), charge, rig.clock.incrementAndGet()) == Limiter.ASK_AGAIN) {
                store.answerOne();
            }
            assertThat(charge.isRefused()).as(charge.message()).isFalse();
        }
    }

    private long missing(String limit) {
        return store.missing(limit) / UNIT_MICROS;
    }

    @Test
    void aStoreThatIsLateCountsEachUnitOnce() throws Exception {
        race();

        assertThat(missing(REQUESTS)).isEqualTo(requests.get());
        assertThat(missing(TOKENS)).isEqualTo(tokens.get());
        assertThat(store.tokens()).isEqualTo(tokens.get());
        assertNobodyIsInFlight();
    }

    @Test
    void aStoreThatFailsForgetsNothing() throws Exception {
        store.shaky(true);
        race();
        store.shaky(false);
        beat();
        beat();
        one(new SplittableRandom(1), HELD, true);
        answerAll();

        assertThat(store.tokens()).as("budgets are exact").isEqualTo(tokens.get());
        assertThat(missing(REQUESTS)).isGreaterThanOrEqualTo(requests.get());
        assertThat(missing(TOKENS)).isGreaterThanOrEqualTo(tokens.get());
        assertNobodyIsInFlight();
    }
}
