package io.drover.backend;

import java.util.List;

/**
 * How many backends may be ejected at once because requests fail there: where most of them look bad, the fault is likely
 * one that all share. A connection that is refused is no opinion but a fact, and is not limited by this.
 */
final class EjectionLimit {
    private int percent;
    private List<Backend> herd = List.of();

    /** @param mostPercent of the herd; of a herd of any size one may always be ejected */
    synchronized void onHerd(List<Backend> backends, int mostPercent) {
        herd = backends;
        percent = mostPercent;
    }

    /** Runs {@code ejection} if there is room for one more; one at a time, so that two cannot take the same room. */
    synchronized void eject(Backend candidate, long nowNanos, Runnable ejection) {
        long others = herd.stream()
                .filter(backend -> backend != candidate && backend.takesRoom(nowNanos))
                .count();
        long most = Math.max(1, (long) percent * herd.size() / 100);
        if (others < most) {
            ejection.run();
        }
    }
}
