package io.drover.backend;

import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.Health;
import io.drover.metrics.BackendView;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A configured Ollama server: how many requests run on it, whether it is in rotation, and where it is.
 *
 * <p>Event loops report what became of requests, the prober what it found; the selection reads. Reading takes no lock;
 * reports take a short one, and only if there is something to change. Times are those of {@link System#nanoTime}.
 */
public final class Backend implements BackendView {
    private final BackendConfig config;
    private final int index;
    private final Health health;
    private final BackendObserver observer;
    private final InFlight inFlight = new InFlight();

    private volatile Condition condition = Condition.UNKNOWN;
    private volatile List<InetSocketAddress> addresses = List.of();
    private volatile boolean lookupFailed;

    // Written under the lock only.
    private final Object lock = new Object();
    private volatile int failures;
    private int probeSuccesses;
    private int probeFailures;

    /** @param index its place in the herd, from 0 */
    public Backend(BackendConfig config, int index, Health health, BackendObserver observer) {
        this.config = config;
        this.index = index;
        this.health = health;
        this.observer = observer;
    }

    public BackendConfig config() {
        return config;
    }

    public int index() {
        return index;
    }

    @Override
    public String name() {
        return config.name();
    }

    @Override
    public int inFlight() {
        return inFlight.get();
    }

    @Override
    public boolean up() {
        return isUp(System.nanoTime());
    }

    /** Whether it is in rotation. */
    public boolean isUp(long nowNanos) {
        return condition.isUp(nowNanos);
    }

    public BackendState state(long nowNanos) {
        return condition.state(nowNanos);
    }

    /** Why it is not in rotation, in a few words; null if it is. */
    public @Nullable String downReason(long nowNanos) {
        return condition.downReason(nowNanos);
    }

    /** Where to connect to first; null while its name is not resolved. */
    public @Nullable InetSocketAddress address() {
        List<InetSocketAddress> known = addresses;
        return known.isEmpty() ? null : known.get(0);
    }

    /** All addresses of its name, in the resolver's order; empty while it is not resolved. */
    public List<InetSocketAddress> addresses() {
        return addresses;
    }

    /** A look-up of its name has failed; the last addresses stay. */
    public void onLookupFailed() {
        lookupFailed = true;
    }

    /** Whether the last look-up of its name failed; false while the first one is under way. */
    public boolean isLookupFailed() {
        return lookupFailed;
    }

    /** Takes the addresses that its name has now. */
    public void onResolved(InetAddress[] resolved) {
        if (resolved.length == 0) {
            throw new IllegalArgumentException("addresses of " + name() + ": none (expected: at least one)");
        }
        lookupFailed = false;
        addresses = Arrays.stream(resolved)
                .map(address -> new InetSocketAddress(address, config.port()))
                .toList();
    }

    private volatile Models models = Models.UNKNOWN;

    /** Its models as last listed, however long ago; {@link Models#UNKNOWN} before that. */
    public Models models() {
        return models;
    }

    /** Takes a new listing of its models; from one thread at a time. Says nothing about its health. */
    public void onModels(Models listed) {
        models = listed;
    }

    /** A request succeeded here: proof enough to end an ejection. */
    public void onSuccess() {
        // The usual case, on every request, takes no lock.
        if (failures == 0 && !condition.ejected()) {
            return;
        }
        Change change = null;
        synchronized (lock) {
            failures = 0;
            if (condition.ejected()) {
                change = become(condition.notEjected(), "a request succeeded");
            }
        }
        tell(change);
    }

    /** A request failed here by the backend's fault; the last of so many in a row ejects it. */
    public void onFailure(String reason, long nowNanos) {
        Change change = null;
        synchronized (lock) {
            failures = failures + 1;
            if (failures >= health.passive().failures()) {
                change = eject(reason, nowNanos);
            }
        }
        tell(change);
    }

    /** A connection was refused or timed out: proof enough to eject it at once. */
    public void onConnectFailure(String reason, long nowNanos) {
        Change change;
        synchronized (lock) {
            failures = failures + 1;
            change = eject(reason, nowNanos);
        }
        tell(change);
    }

    /**
     * A probe ended. The very first decides at once; later ones only when {@code rise} or {@code fall} in a row agree.
     * A backend that comes up this way is no longer ejected either.
     *
     * @param reason why it failed, in a few words; ignored if it did not
     */
    public void onProbe(boolean ok, String reason) {
        Change change;
        synchronized (lock) {
            probeSuccesses = ok ? probeSuccesses + 1 : 0;
            probeFailures = ok ? 0 : probeFailures + 1;
            change = ok ? probeSucceeded() : probeFailed(reason);
        }
        tell(change);
    }

    private @Nullable Change probeSucceeded() {
        BackendState probed = condition.probed();
        boolean rises = probed == BackendState.UNKNOWN
                || (probed == BackendState.DOWN
                        && probeSuccesses >= health.active().rise());
        if (!rises) {
            return null;
        }
        failures = 0;
        return become(Condition.UP, "probe succeeded");
    }

    private @Nullable Change probeFailed(String reason) {
        BackendState probed = condition.probed();
        boolean falls =
                probed != BackendState.UP || probeFailures >= health.active().fall();
        return falls ? become(condition.down(reason), reason) : null;
    }

    private @Nullable Change eject(String reason, long nowNanos) {
        // One that probes found down is out of rotation already, and only they can say when it is back.
        if (health.passive().failures() == 0 || condition.probed() == BackendState.DOWN) {
            return null;
        }
        Condition before = condition;
        condition = before.ejected(nowNanos + health.passive().eject().toNanos(), reason);
        // What was already running when it was ejected, and fails now, only makes it last longer.
        return before.isEjected(nowNanos) ? null : new Change(before.probed(), BackendState.EJECTED, reason);
    }

    private @Nullable Change become(Condition next, String reason) {
        BackendState from = condition.lastTold();
        condition = next;
        BackendState to = next.lastTold();
        return from == to ? null : new Change(from, to, reason);
    }

    /** Outside the lock: who is told may log. */
    private void tell(@Nullable Change change) {
        if (change != null) {
            observer.onChange(this, change.from, change.to, change.reason);
        }
    }

    int weight() {
        return config.weight();
    }

    /** Takes a slot if as many requests run here as the caller saw; null if that has changed. */
    @Nullable
    Slot tryAcquire(int seenInFlight) {
        return inFlight.increment(seenInFlight) ? new Slot(this) : null;
    }

    /** Takes a slot whatever else runs here: for a request that was already counted and goes on. */
    public Slot acquire() {
        inFlight.increment();
        return new Slot(this);
    }

    void onRelease() {
        inFlight.decrement();
    }

    @Override
    public String toString() {
        return name();
    }

    private record Change(BackendState from, BackendState to, String reason) {}
}
