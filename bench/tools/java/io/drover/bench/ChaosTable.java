package io.drover.bench;

import io.drover.bench.SeenAnswer.Ending;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;

/** What was found, as Markdown, which a terminal shows as well. */
final class ChaosTable {
    private ChaosTable() {}

    /** One row for each disaster and each proxy; one disaster's rows together. */
    static String figures(List<Ordeal> ordeals) {
        StringBuilder out = new StringBuilder();
        out.append("| backend | proxy | requests | failed | broken, told | broken, looks whole | to it meanwhile |")
                .append(" the last after, s | again after, s | its share after, s | longest wait, s |\n")
                .append("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        Map<String, List<Ordeal>> rows = new LinkedHashMap<>();
        ordeals.forEach(ordeal ->
                rows.computeIfAbsent(ordeal.words(), any -> new ArrayList<>()).add(ordeal));
        rows.values().forEach(same -> same.forEach(ordeal -> row(out, ordeal)));
        return out.toString();
    }

    private static void row(StringBuilder out, Ordeal ordeal) {
        boolean calm = ordeal.disaster() == null;
        List<Long> toIt = ordeal.toIt();
        List<String> cells = List.of(
                ordeal.words(),
                ordeal.proxy(),
                whole(ordeal.answers().size()),
                whole(ordeal.count(Ending.FAILED)),
                whole(ordeal.count(Ending.BROKEN)),
                whole(ordeal.count(Ending.BROKEN_UNTOLD)),
                calm ? "" : whole(toIt.size()),
                toIt.isEmpty() ? "" : seconds(ordeal.sinceStruck(toIt.get(toIt.size() - 1))),
                calm ? "" : after(ordeal, Ordeal::againNanos),
                calm ? "" : after(ordeal, Ordeal::fullNanos),
                seconds(ordeal.longestWaitSeconds()));
        out.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private static String after(Ordeal ordeal, ToLongFunction<Ordeal> time) {
        long nanos = time.applyAsLong(ordeal);
        return nanos == 0 ? "never" : seconds(Math.max(0, ordeal.sinceRestored(nanos)));
    }

    static String promises(List<Promise> promises) {
        StringBuilder out = new StringBuilder("| Drover's promise | found | |\n|---|---|---|\n");
        for (Promise promise : promises) {
            out.append("| ")
                    .append(promise.what())
                    .append(" | ")
                    .append(promise.found().replace("|", "/"))
                    .append(" | ")
                    .append(promise.kept() ? "kept" : "BROKEN")
                    .append(" |\n");
        }
        return out.toString();
    }

    /** What Drover said of each backend that was struck, in order, with the times since the strike; + after its end. */
    static String states(List<Ordeal> ordeals) {
        StringBuilder out = new StringBuilder();
        for (Ordeal ordeal : ordeals) {
            if (ordeal.disaster() != null && !ordeal.sightings().isEmpty()) {
                out.append("- ")
                        .append(ordeal.words())
                        .append(": ")
                        .append(states(ordeal))
                        .append('\n');
            }
        }
        return out.toString();
    }

    private static String states(Ordeal ordeal) {
        List<String> changes = new ArrayList<>();
        List<Sighting> all = ordeal.ofIt();
        Sighting first = all.get(0);
        for (int i = 0; i < all.size(); i++) {
            Sighting each = all.get(i);
            boolean last = i == all.size() - 1 || !all.get(i + 1).state().equals(each.state());
            first = each.state().equals(first.state()) ? first : each;
            if (last) {
                changes.add(changes.isEmpty() ? each.state() : at(ordeal, first.nanos()) + " " + said(each));
            }
        }
        return String.join(", ", changes);
    }

    /** The reason of a change that time alone makes is known a little later than the state. */
    private static String said(Sighting last) {
        return last.state() + " (" + last.reason() + ")";
    }

    private static String at(Ordeal ordeal, long nanos) {
        return nanos - ordeal.restoredNanos() >= 0
                ? "+" + seconds(ordeal.sinceRestored(nanos)) + " s"
                : seconds(ordeal.sinceStruck(nanos)) + " s";
    }

    /** Why requests failed and answers broke, and how often. */
    static String reasons(List<Ordeal> ordeals) {
        Map<String, Integer> reasons = new LinkedHashMap<>();
        for (Ordeal ordeal : ordeals) {
            for (SeenAnswer answer : ordeal.answers()) {
                if (!answer.why().isEmpty()) {
                    reasons.merge(
                            ordeal.proxy() + ", " + ordeal.words() + ": "
                                    + answer.ending()
                                            .name()
                                            .toLowerCase(Locale.ROOT)
                                            .replace('_', ' ') + ": "
                                    + answer.why(),
                            1,
                            Integer::sum);
                }
            }
        }
        StringBuilder out = new StringBuilder();
        reasons.forEach((reason, times) ->
                out.append("- ").append(times).append(" x ").append(reason).append('\n'));
        return out.toString();
    }

    private static String whole(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String seconds(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
