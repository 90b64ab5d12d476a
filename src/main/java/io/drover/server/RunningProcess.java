package io.drover.server;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** The life of a server as a process: until a signal, then the drain, then the end with status 0. */
final class RunningProcess {
    private RunningProcess() {}

    /** Blocks until the first SIGTERM or SIGINT, drains, and returns; a second one hurries the drain. */
    static void untilSignalled(ProxyServer server) {
        Drain drain = new Drain(server);
        CountDownLatch stop = new CountDownLatch(1);
        AtomicInteger seen = new AtomicInteger();
        Runnable onStop = () -> {
            if (seen.incrementAndGet() > 1) {
                drain.stopAtOnce();
            }
            stop.countDown();
        };
        Signals.on("TERM", onStop);
        Signals.on("INT", onStop);
        Signals.on("HUP", server::reloadOnSignal);
        try {
            stop.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        drain.run();
    }
}
