package io.drover.bench;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One disaster, as one proxy and its clients went through it. Times are those of {@link System#nanoTime}.
 *
 * @param disaster null: nothing happened
 * @param backend HOST:PORT, to which it happened
 * @param restoredNanos since when the backend is well again
 * @param answers that ended between {@code struckNanos} and {@code endedNanos}
 * @param toIt when requests came to the backend while it was faulty; where it was gone, when connects were refused
 * @param againNanos when its first request came after that; 0: none did
 * @param fullNanos since when it had three quarters of its fair share of requests; 0: it never did
 * @param sightings by Drover, of all backends, in that time; empty of others
 */
record Ordeal(
        String proxy,
        @Nullable Disaster disaster,
        String backend,
        long struckNanos,
        long restoredNanos,
        long endedNanos,
        List<SeenAnswer> answers,
        List<Long> toIt,
        long againNanos,
        long fullNanos,
        List<Sighting> sightings) {
    static final double SECOND = 1e9;

    long count(SeenAnswer.Ending ending) {
        return answers.stream().filter(answer -> answer.ending() == ending).count();
    }

    /** Of those that began. */
    double longestWaitSeconds() {
        return answers.stream()
                        .filter(answer -> answer.firstNanos() != 0)
                        .mapToLong(answer -> answer.firstNanos() - answer.startedNanos())
                        .max()
                        .orElse(0)
                / SECOND;
    }

    double sinceStruck(long nanos) {
        return (nanos - struckNanos) / SECOND;
    }

    double sinceRestored(long nanos) {
        return (nanos - restoredNanos) / SECOND;
    }

    /** What Drover said of the backend that is struck. */
    List<Sighting> ofIt() {
        return sightings.stream()
                .filter(sighting -> sighting.backend().equals(backend))
                .toList();
    }

    String words() {
        return disaster == null ? "all well" : disaster.words();
    }
}
