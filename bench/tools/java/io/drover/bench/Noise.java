package io.drover.bench;

import io.drover.bench.SeenAnswer.Ending;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/** Load of all kinds on a herd in good health, whose speed varies: nothing of it is a reason to eject a backend. */
final class Noise {
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final double LEAST = 0.6;

    private Noise() {}

    /** Of each backend, as a program's options: some requests wait for a slot. */
    static List<String> options() {
        return List.of("--slots", "16");
    }

    /** What was seen. */
    record Heard(List<SeenAnswer> answers, List<Sighting> changes) {
        Promise promise(Duration time) {
            List<Sighting> bad = changes.stream()
                    .filter(each -> each.isIn("ejected", "down"))
                    .toList();
            long others = changes.stream()
                    .filter(each -> each.isIn("suspect", "degraded", "wedged"))
                    .count();
            long failed = answers.stream()
                    .filter(answer -> answer.ending() != Ending.COMPLETE && answer.ending() != Ending.LEFT)
                    .count();
            return new Promise(
                    "a healthy backend is never ejected in " + time.toSeconds() + " s of noisy load",
                    String.format(
                            Locale.ROOT,
                            "%d ejected or down, %d suspect, degraded or wedged; %,d requests, %d failed or broken%s",
                            bad.size(),
                            others,
                            answers.size(),
                            failed,
                            bad.isEmpty()
                                    ? ""
                                    : "; first: " + bad.get(0).backend() + " "
                                            + bad.get(0).reason()),
                    bad.isEmpty());
        }
    }

    static Heard make(List<RunningBackend> herd, ChaosClients clients, HerdWatch watch, Duration time)
            throws IOException {
        Random random = new Random(0);
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < time.toNanos()) {
            for (RunningBackend backend : herd) {
                backend.tell("pace " + RunningBackend.PACE * (LEAST + (2 - 2 * LEAST) * random.nextDouble()));
            }
            Pause.of(PERIOD);
        }
        return new Heard(clients.endedSince(begun), changes(watch.since(begun)));
    }

    /** Those that differ from what was last said of the same backend. */
    private static List<Sighting> changes(List<Sighting> sightings) {
        List<Sighting> changes = new ArrayList<>();
        Map<String, String> last = new HashMap<>();
        for (Sighting each : sightings) {
            if (!each.state().equals(last.put(each.backend(), each.state()))) {
                changes.add(each);
            }
        }
        return changes;
    }
}
