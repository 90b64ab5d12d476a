package io.drover.e2e;

import static io.drover.e2e.StagedBackend.ask;
import static io.drover.e2e.StagedBackend.awaitFollowers;

import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;

/** Where many ask the same at once: a backend that answers when the test lets it, and what is open until the test's end. */
abstract class Coalescing {
    final CountDownLatch first = new CountDownLatch(1);
    final CountDownLatch second = new CountDownLatch(1);
    private final List<AutoCloseable> opened = new ArrayList<>();

    /** The first one that was started. */
    @SuppressWarnings("NullAway.Init") // by each test, with what it is about
    StagedBackend backend;

    @SuppressWarnings("NullAway.Init")
    Drover drover;

    @AfterEach
    void stop() throws Exception {
        first.countDown();
        second.countDown();
        Collections.reverse(opened);
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    StagedBackend play(StagedBackend.Play play) throws IOException {
        StagedBackend started = StagedBackend.start(play);
        if (opened.isEmpty()) {
            backend = started;
        }
        opened.add(started);
        return started;
    }

    Drover.Setup setup() {
        return Drover.over(backend.url()).loops(2);
    }

    /** Whatever a test does, nothing may be left of it. */
    void begin(Drover.Setup setup) {
        drover = StagedBackend.start(setup);
        opened.add(drover);
        opened.add(() -> {
            drover.drained();
            Drover.await("nothing is recorded", () -> drover.metric("drover_cache_bytes{tier=\"recording\",}") == 0);
            awaitFollowers(drover, 0);
        });
    }

    /** Closed at the test's end. */
    <T extends AutoCloseable> T keep(T closeable) {
        opened.add(closeable);
        return closeable;
    }

    /** One whose answer others will follow; the backend has it when this returns. */
    RawClient leader() {
        RawClient leader = keep(ask(drover));
        backend.awaitAsked(1);
        return leader;
    }

    RawClient follower(int number) {
        RawClient follower = keep(ask(drover));
        awaitFollowers(drover, number);
        return follower;
    }
}
