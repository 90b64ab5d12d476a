package io.drover.bench;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How many streams one core carries before the first of them stalls. The load has as much to do per token as the
 * proxy, and must not be the first to tire: its clients look at their sockets only ten times a second.
 */
final class Capacity implements Measurement {
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final int FIRST_STEP = 1000;
    private static final int FEWEST = 100;
    private static final int MOST = 9000;
    private static final double COARSE = 1.25;
    private static final double FINE = 1.06;
    private static final double BACK = 0.85;
    private static final Duration OPENING = Duration.ofMillis(500);
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final ModelServer models;
    private final Duration hold;
    private final Map<String, Integer> found = new HashMap<>();
    private final Figure streams = Figure.more(group(), "without a stall", "", 0);

    /** @param hold how long a number of streams has to go without a stall */
    Capacity(ModelServer models, Duration hold) {
        this.models = models;
        this.hold = hold;
    }

    @Override
    public String group() {
        return "streams per core";
    }

    /** Finds roughly where to look. */
    @Override
    public void warm(RunningProxy proxy) {
        found.put(proxy.name(), search(proxy, FIRST_STEP, COARSE, new Results()));
    }

    @Override
    public void measure(RunningProxy proxy, Results results) {
        int first = (int) (BACK * found.getOrDefault(proxy.name(), FIRST_STEP));
        int most = search(proxy, first, FINE, results);
        while (most == 0 && first > FEWEST) {
            first = (int) (first / COARSE);
            most = search(proxy, first, FINE, results);
        }
        found.put(proxy.name(), Math.max(FEWEST, most));
        results.add(streams, proxy.name(), most);
    }

    /** The last number of streams that all began and went without a stall; 0 if not even {@code first} did. */
    private int search(RunningProxy proxy, int first, double factor, Results results) {
        int good = 0;
        try (Loops loops = Loops.drowsy(PAUSE);
                StreamLoad load = new StreamLoad(loops, proxy.port(), Streams.TOKENS_PER_SECOND)) {
            for (int next = first; next <= MOST; next = (int) (next * factor)) {
                load.open(next - load.open(), good == 0 ? OPENING.multipliedBy(4) : OPENING);
                Pause.of(OPENING);
                StreamWindow opening = load.takeWindow();
                opening.failures().forEach(failure -> results.fail(group(), proxy.name(), failure));
                models.lateness();
                Pause.of(hold);
                StreamWindow seen = load.takeWindow();
                seen.failures().forEach(failure -> results.fail(group(), proxy.name(), failure));
                boolean allBegan = models.streams() == next;
                if (seen.stalls() > 0 || seen.failed() + opening.failed() > 0 || !allBegan) {
                    if (models.lateness().getValueAtPercentile(99) > LATE_NANOS) {
                        results.remark(group(), "the load's own limit was met with " + proxy.name());
                    }
                    break;
                }
                good = next;
            }
        }
        StreamLoad.awaitNone(models);
        return good;
    }
}
