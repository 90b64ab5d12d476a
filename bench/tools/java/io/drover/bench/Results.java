package io.drover.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.HdrHistogram.Histogram;

/** What was measured: for each figure and each contender one value per round. */
final class Results {
    private final Map<Figure, Map<String, List<Double>>> values = new LinkedHashMap<>();
    private final Map<String, Map<String, Set<String>>> failures = new LinkedHashMap<>();
    private final Map<String, Set<String>> remarks = new LinkedHashMap<>();
    private final Map<String, Histogram> tokenLatencies = new LinkedHashMap<>();

    void add(Figure figure, String contender, double value) {
        values.computeIfAbsent(figure, any -> new LinkedHashMap<>())
                .computeIfAbsent(contender, any -> new ArrayList<>())
                .add(value);
    }

    /** A request of this group failed: what was measured there does not count for this contender. */
    void fail(String group, String contender, String why) {
        failures.computeIfAbsent(group, any -> new LinkedHashMap<>())
                .computeIfAbsent(contender, any -> new TreeSet<>())
                .add(why);
    }

    /** Something that a reader of this group's figures should know. */
    void remark(String group, String text) {
        remarks.computeIfAbsent(group, any -> new TreeSet<>()).add(text);
    }

    /** For the picture of the distribution. */
    void addTokenLatencies(String contender, Histogram latencies) {
        tokenLatencies.computeIfAbsent(contender, any -> Latencies.histogram()).add(latencies);
    }

    Set<Figure> figures() {
        return values.keySet();
    }

    /** The rounds' values, in their order; empty if it was not measured. */
    List<Double> values(Figure figure, String contender) {
        return values.getOrDefault(figure, Map.of()).getOrDefault(contender, List.of());
    }

    /** Why nothing counts; empty if all went well. */
    Set<String> failures(String group, String contender) {
        return failures.getOrDefault(group, Map.of()).getOrDefault(contender, Set.of());
    }

    Set<String> remarks(String group) {
        return remarks.getOrDefault(group, Set.of());
    }

    Map<String, Histogram> tokenLatencies() {
        return Collections.unmodifiableMap(tokenLatencies);
    }
}
