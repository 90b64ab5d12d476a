package io.drover.server;

import io.drover.testing.Await;
import java.time.Duration;

/** Drains a server as SIGTERM does, for tests outside of this package. */
public final class Draining {
    private final Drain drain;
    private final Thread thread;

    private Draining(ProxyServer server) {
        drain = new Drain(server);
        thread = new Thread(drain::run, "drain");
    }

    /** As the first signal. */
    public static Draining start(ProxyServer server) {
        Draining draining = new Draining(server);
        draining.thread.start();
        // What a test sends next must come after the signal, not beside it.
        Await.until("draining", Duration.ofSeconds(10), () -> server.proxy().isDraining());
        return draining;
    }

    /** As the second signal. */
    public void hurry() {
        drain.stopAtOnce();
    }

    /** Waits for the end. */
    public void join() throws InterruptedException {
        thread.join();
    }

    public boolean isOver() {
        return !thread.isAlive();
    }
}
