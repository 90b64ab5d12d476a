package io.drover.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a backend that is struck is asked nevertheless: it tells itself, or the kernel, or the proxy. */
final class Suffering {
    private final Disaster disaster;
    private final RunningBackend backend;
    private final Refusals refusals;
    private final List<Long> seen = new ArrayList<>();
    private final long refusedBefore;
    private @Nullable UnreadRequests unread;

    Suffering(Disaster disaster, RunningBackend backend, Refusals refusals) throws IOException {
        this.disaster = disaster;
        this.backend = backend;
        this.refusals = refusals;
        this.refusedBefore = disaster.isAbsence() ? refusals.at(backend.port()) : 0;
    }

    /** Right after the strike. */
    void begin() throws IOException {
        unread = disaster == Disaster.FREEZE ? new UnreadRequests(backend.port()) : null;
    }

    void look() throws IOException {
        long now = System.nanoTime();
        if (disaster.isAbsence()) {
            note(refusals.at(backend.port()) - refusedBefore, now);
        } else if (unread != null) {
            unread.look(now);
            note(unread.sent(), now);
        }
    }

    private void note(long count, long now) {
        while (seen.size() < count) {
            seen.add(now);
        }
    }

    /** When requests came, since {@code struck}; to be called before the disaster ends. */
    List<Long> end(long struck) throws IOException {
        look();
        return disaster.isAbsence() || unread != null ? List.copyOf(seen) : backend.arrivalsSince(struck);
    }

    /** Requests that a process which goes on finds waiting: they were sent while it was stopped. */
    int stale() {
        return unread == null ? 0 : unread.waiting();
    }
}
