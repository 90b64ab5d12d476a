package io.drover.backend;

/**
 * What something amounts to of late, and as a rule: moving averages of a value that varies by factors, hence of its
 * logarithm, so that one answer at a hundred times the speed does not make all others slow. Immutable.
 *
 * @param learned how many values the rule was learned from
 */
record Trend(int learned, double logRecent, double logUsual) {
    static final Trend NONE = new Trend(0, Double.NaN, Double.NaN);

    /** From so many values on there is a rule. */
    static final int ENOUGH = 5;

    private static final double NEWEST = 0.2;
    /** The rule follows a lasting change within so many values. */
    private static final int MEMORY = 50;

    /** No value changes a rule by more than if it were so many times as large. */
    private static final double LOG_MOST = Math.log(4);

    /** With a value, above 0, that is as it should be. */
    Trend with(double value) {
        double log = Math.log(value);
        double step = isKnown() ? Math.min(log - logUsual, LOG_MOST) : log - logUsual;
        double usual = learned == 0 ? log : logUsual + step / Math.min(learned + 1, MEMORY);
        return new Trend(Math.min(learned + 1, MEMORY), recent(log), usual);
    }

    /** With a value, above 0, that must not become the rule. */
    Trend withUnusual(double value) {
        return new Trend(learned, recent(Math.log(value)), logUsual);
    }

    /** What it amounts to of late is the rule. */
    Trend accepted() {
        return new Trend(ENOUGH, logRecent, logRecent);
    }

    private double recent(double log) {
        return Double.isNaN(logRecent) ? log : logRecent + NEWEST * (log - logRecent);
    }

    /** Whether there is a rule. */
    boolean isKnown() {
        return learned >= ENOUGH;
    }

    /** NaN before the first value. */
    double recent() {
        return Math.exp(logRecent);
    }

    /** NaN before the first value that is as it should be. */
    double usual() {
        return Math.exp(logUsual);
    }
}
