package io.drover.bench;

import io.drover.bench.SeenAnswer.Ending;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What Drover promises of failing backends, held against what was seen. */
final class Promises {
    private static final String[] OUT = {"down", "ejected", "suspect", "wedged", "degraded", "unknown"};
    private static final int REQUESTS_TO_DEGRADED = 10;

    /** Between a refusal and the others that were under way then, each event loop's, and the look that finds them. */
    private static final double AT_THE_SAME_TIME = 0.25;

    private final List<Ordeal> ordeals;
    private final ChaosTimes times;
    private final List<Promise> promises = new ArrayList<>();

    private Promises(List<Ordeal> ordeals, ChaosTimes times) {
        this.ordeals = ordeals;
        this.times = times;
    }

    /** @param ordeals of Drover */
    static List<Promise> of(List<Ordeal> ordeals, ChaosTimes times) {
        Promises all = new Promises(ordeals, times);
        all.none(Ending.FAILED, "no request that had not begun to be answered fails");
        all.none(Ending.BROKEN_UNTOLD, "no broken answer looks complete");
        all.healthy();
        for (Ordeal ordeal : ordeals) {
            all.of(ordeal);
        }
        return all.promises;
    }

    private void of(Ordeal ordeal) {
        if (ordeal.disaster() == null) {
            return;
        }
        switch (ordeal.disaster()) {
            case KILL -> killed(ordeal);
            case FREEZE -> frozen(ordeal);
            case SLOW -> slowed(ordeal);
            default -> {}
        }
        back(ordeal);
    }

    private void none(Ending ending, String what) {
        long requests =
                ordeals.stream().mapToLong(ordeal -> ordeal.answers().size()).sum();
        long bad = ordeals.stream().mapToLong(ordeal -> ordeal.count(ending)).sum();
        promises.add(new Promise(what, text("%,d of %,d", bad, requests), bad == 0));
    }

    /** Of those that nothing had happened to. */
    private void healthy() {
        List<String> bad = new ArrayList<>();
        for (Ordeal ordeal : ordeals) {
            ordeal.sightings().stream()
                    .filter(each -> !each.backend().equals(ordeal.backend()) && each.isIn("ejected", "down"))
                    .findFirst()
                    .ifPresent(each -> bad.add(text(
                            "%s %s (%s) while another is: %s",
                            each.backend(), each.state(), each.reason(), ordeal.words())));
        }
        promises.add(new Promise(
                "a healthy backend is not ejected while another fails",
                bad.isEmpty() ? "none was" : String.join("; ", bad),
                bad.isEmpty()));
    }

    private void killed(Ordeal ordeal) {
        List<Long> refused = ordeal.toIt();
        long late = refused.isEmpty()
                ? 0
                : refused.stream()
                        .mapToDouble(at -> (at - refused.get(0)) / Ordeal.SECOND)
                        .filter(after -> after > AT_THE_SAME_TIME && after < seconds(ChaosTimes.EJECT))
                        .count();
        promises.add(new Promise(
                "killed: no request for `eject` after the first refusal",
                refused.isEmpty()
                        ? "none was refused: it was out before"
                        : text("%d refused at once, %d later", refused.size() - late, late),
                late == 0));
    }

    private void frozen(Ordeal ordeal) {
        double limit = seconds(ChaosTimes.longestInterval()
                .plus(ChaosTimes.TIMEOUT.multipliedBy(2))
                .plus(ChaosTimes.SLACK));
        double last =
                ordeal.toIt().stream().mapToDouble(ordeal::sinceStruck).max().orElse(0);
        promises.add(new Promise(
                text(
                        "frozen: no request after two probe timeouts (%.1f s: the first probe may begin an interval later)",
                        limit),
                text("%d, the last after %.2f s", ordeal.toIt().size(), last),
                last <= limit));
    }

    private void slowed(Ordeal ordeal) {
        Optional<Sighting> degraded = ordeal.ofIt().stream()
                .filter(each -> each.isIn("degraded") && each.nanos() - ordeal.restoredNanos() < 0)
                .findFirst();
        long until = degraded.map(Sighting::nanos).orElse(ordeal.restoredNanos());
        long answers = ordeal.answers().stream()
                .filter(answer -> answer.backend().equals(ordeal.backend())
                        && answer.startedNanos() - ordeal.struckNanos() >= 0
                        && answer.endedNanos() - until < 0)
                .count();
        promises.add(new Promise(
                "slowed: degraded within ten requests",
                degraded.isEmpty()
                        ? text("never, after %d answers that began since", answers)
                        : text("after %.2f s and %d answers that began since", ordeal.sinceStruck(until), answers),
                degraded.isPresent() && answers <= REQUESTS_TO_DEGRADED));
    }

    private void back(Ordeal ordeal) {
        List<Sighting> after = ordeal.ofIt().stream()
                .filter(each -> each.nanos() - ordeal.restoredNanos() >= 0)
                .toList();
        long in = ordeal.restoredNanos();
        String lastOut = "";
        for (Sighting each : after) {
            if (each.isIn(OUT)) {
                in = each.nanos();
                lastOut = each.state();
            }
        }
        long since = in;
        Optional<Sighting> full = after.stream()
                .filter(each -> each.nanos() - since >= 0 && each.isFull())
                .findFirst();
        double waited = ordeal.sinceRestored(in);
        double grown = full.map(each -> (each.nanos() - since) / Ordeal.SECOND).orElse(Double.NaN);
        boolean kept = full.isPresent()
                && grown <= seconds(times.slowStart().plus(ChaosTimes.SLACK))
                && waited <= seconds(mayStayOut(lastOut).plus(ChaosTimes.SLACK));
        promises.add(new Promise(
                ordeal.words() + ": back in full within slow start",
                full.isEmpty()
                        ? text("not within %.1f s", ordeal.sinceRestored(ordeal.endedNanos()))
                        : text(
                                "%s %.2f s more, then full after %.2f s",
                                lastOut.isEmpty() ? "out" : lastOut, waited, grown),
                kept));
    }

    /** How long one that is well may yet be out: until probes have risen, its ejection has run out or answers were fast. */
    private Duration mayStayOut(String state) {
        return switch (state) {
            case "ejected" -> ChaosTimes.EJECT;
            case "degraded" -> times.slowStart();
            default ->
                ChaosTimes.longestInterval().multipliedBy(ChaosTimes.RISE).plus(ChaosTimes.TIMEOUT);
        };
    }

    private static double seconds(Duration time) {
        return time.toNanos() / Ordeal.SECOND;
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
