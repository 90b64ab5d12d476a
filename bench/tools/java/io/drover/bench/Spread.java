package io.drover.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** Median, least and greatest of some values. */
record Spread(double median, double least, double greatest) {
    /** Of at least one value. */
    static Spread of(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        int n = sorted.size();
        return new Spread((sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2, sorted.get(0), sorted.get(n - 1));
    }

    /** Of the quotients of values that were measured in the same round: what slows the whole machine cancels out. */
    static Spread ofRatios(List<Double> values, List<Double> others) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < Math.min(values.size(), others.size()); i++) {
            ratios.add(values.get(i) / others.get(i));
        }
        return of(ratios);
    }

    String text(int decimals) {
        return String.format(
                Locale.ROOT,
                "%,.{d}f [%,.{d}f..%,.{d}f]".replace("{d}", String.valueOf(decimals)),
                median,
                least,
                greatest);
    }
}
