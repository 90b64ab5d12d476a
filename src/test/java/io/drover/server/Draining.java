package io.drover.server;

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
