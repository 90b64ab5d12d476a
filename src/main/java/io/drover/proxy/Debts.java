package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Owed;
import io.drover.metrics.Phase;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Looks over one worker's exchanges once a second and tells each backend what it owes them, so that nothing has to be
 * noted down when bytes pass. Belongs to one event loop.
 */
final class Debts {
    private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private long lookedNanos;
    private Map<Backend, Owed> told = new HashMap<>();
    private Map<Backend, Owed> found = new HashMap<>();

    Debts(long nowNanos) {
        lookedNanos = nowNanos;
    }

    /** Looks, if it is time to. */
    void look(Set<ClientConnection> clients, long nowNanos) {
        if (nowNanos - lookedNanos < EVERY_NANOS) {
            return;
        }
        lookedNanos = nowNanos;
        for (ClientConnection client : clients) {
            Exchange running = client.running();
            if (running != null) {
                running.tell(this);
            }
        }
        Map<Backend, Owed> before = told;
        told = found;
        told.forEach((backend, owed) -> {
            backend.onOwed(this, owed);
            before.remove(backend);
        });
        before.keySet().forEach(backend -> backend.onOwed(this, null));
        before.clear();
        found = before;
    }

    /**
     * Adds what a backend owes one exchange.
     *
     * @param call the try that runs, if any does
     */
    void add(Phase phase, @Nullable Call call, Waits waits) {
        if (call == null || !waits.isForInference() || (phase != Phase.AWAIT_HEAD && phase != Phase.RELAY)) {
            return;
        }
        Owed owed = found.computeIfAbsent(call.backend(), backend -> new Owed(lookedNanos));
        if (call.isAnswered()) {
            owed.onByte(call.lastReadNanos());
        }
        if (phase == Phase.RELAY) {
            if (waits.isReading()) {
                owed.onStream(call.lastReadNanos());
            }
        } else if (waits.isForStream() && waits.isForLoadedModel()) {
            owed.onWait(waits.sentNanos());
        } else {
            owed.onPatience();
        }
    }
}
