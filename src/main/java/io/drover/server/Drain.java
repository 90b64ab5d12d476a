package io.drover.server;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The orderly end: not ready, then no new connections, then what runs may finish within its time, then the rest is cut.
 */
final class Drain {
    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);
    private static final long LOOK_MILLIS = 20;

    private final ProxyServer server;
    private final CountDownLatch hurry = new CountDownLatch(1);

    Drain(ProxyServer server) {
        this.server = server;
    }

    /** Whatever is being waited for, it is not any longer. */
    void stopAtOnce() {
        hurry.countDown();
    }

    /** Runs the whole of it; blocks until the server has ended. */
    void run() {
        Duration delay = server.config().drainDelay();
        Duration timeout = server.config().drainTimeout();
        server.becomeUnready();
        LOG.info("draining: not ready, accepting for another {} ms", delay.toMillis());
        waitUpTo(delay, false);
        server.stopAccepting();
        LOG.info("draining: {} connections, up to {} ms", server.proxy().openClients(), timeout.toMillis());
        waitUpTo(timeout, true);
        int left = server.proxy().openClients();
        if (left > 0) {
            LOG.warn("drained: {} connections did not end in time and are cut", left);
        } else {
            LOG.info("drained");
        }
        server.close();
    }

    private void waitUpTo(Duration limit, boolean untilIdle) {
        long end = System.nanoTime() + limit.toNanos();
        try {
            while (System.nanoTime() < end && !(untilIdle && server.proxy().openClients() == 0)) {
                if (hurry.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
                if (untilIdle) {
                    server.closeIdle();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
