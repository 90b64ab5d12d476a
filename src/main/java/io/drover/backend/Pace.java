package io.drover.backend;

import io.drover.config.DroverConfig.DegradedHealth;
import io.drover.ollama.FinalRecord;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How fast one backend answers with one model, and whether its last answers were slow. A backend is measured by itself,
 * since a herd's machines differ; by its peers only until it has a rule of its own. Where all slow down alike, by load or
 * by long prompts, none of them is to blame.
 *
 * <p>Any thread; a short lock for each answer, none to read.
 */
final class Pace implements Culprit {
    /** What an answer says of the backend. */
    enum Verdict {
        NOTHING,
        /** So many in a row are slow that the backend is degraded. */
        SLOW,
        /** So many in a row are well that one that was slow no longer is. */
        WELL
    }

    private enum Judgement {
        UNKNOWN,
        WELL,
        /** Slow, but so are the others. */
        EXCUSED,
        SLOW
    }

    /** Fewer are too short a time to measure. */
    private static final int LEAST_TOKENS = 8;

    /** Nobody notices less, and a machine that is busy loses as much now and then. */
    private static final double LEAST_LOSS_NANOS = 50e6;

    private static final double LEAST_LATENESS_NANOS = 1e9;
    private static final double NANOS_PER_SECOND = 1e9;

    /** Slow answers in a row, times {@code requests}, after which one that was never faster is known to be what it is. */
    private static final int ACCEPTED = 10;

    private final String model;
    private final double share;
    private final int requests;

    private volatile Trend rates = Trend.NONE;
    private volatile Trend lateness = Trend.NONE;
    private volatile Trend firstTokens = Trend.NONE;
    private volatile long lastNanos;

    // Written under the lock only.
    private final Run rateRun = new Run();
    private final Run firstByteRun = new Run();
    private volatile @Nullable Run guilty;
    private String complaint = "";

    Pace(String model, DegradedHealth config, long nowNanos) {
        this.model = model;
        this.share = config.share() / 100.0;
        this.requests = config.requests();
        this.lastNanos = nowNanos;
    }

    /**
     * Judges an answer that has come to its own end.
     *
     * @param firstByteNanos as in {@link Answer}
     * @param degraded whether the backend already is: then no one else excuses it
     */
    synchronized Verdict judge(FinalRecord record, long firstByteNanos, Peers peers, boolean degraded, long nowNanos) {
        lastNanos = nowNanos;
        rateRun.add(judgeRate(record, peers, degraded));
        firstByteRun.add(judgeFirstByte(record, firstByteNanos, peers));
        if (requests == 0) {
            return Verdict.NOTHING;
        }
        if (rateRun.slow >= ACCEPTED * requests && !rates.isKnown()) {
            // It is an old machine among new ones, and not one that has become slow.
            rates = rates.accepted();
        }
        if (rateRun.slow >= requests || firstByteRun.slow >= requests) {
            guilty = rateRun.slow >= requests ? rateRun : firstByteRun;
            return Verdict.SLOW;
        }
        Run run = guilty;
        if (run == null || run.well < requests) {
            return Verdict.NOTHING;
        }
        guilty = null;
        return Verdict.WELL;
    }

    private Judgement judgeRate(FinalRecord record, Peers peers, boolean degraded) {
        long tokens = record.generatedTokens();
        long nanos = record.generationNanos();
        if (tokens < LEAST_TOKENS || nanos <= 0) {
            return Judgement.UNKNOWN;
        }
        double rate = tokens * NANOS_PER_SECOND / nanos;
        boolean known = rates.isKnown();
        double usual = known ? rates.usual() : peers.usualRate();
        double lostNanos = nanos - tokens * NANOS_PER_SECOND / usual;
        // Without anything to compare with this is NaN, and false.
        boolean slow = rate < share * usual && lostNanos >= LEAST_LOSS_NANOS;
        if (!slow) {
            rates = rates.with(rate);
            return Judgement.WELL;
        }
        rates = rates.withUnusual(rate);
        if (!degraded && rate >= share * usual * peers.slowdown()) {
            return Judgement.EXCUSED;
        }
        complaint = "slow: " + model + " at " + text(rate) + " tokens/s (" + (known ? "usually " : "its peers: ")
                + text(usual) + ")";
        return Judgement.SLOW;
    }

    /**
     * Of the time to the first byte only what the backend does not account for itself: loading, waiting for a slot and
     * reading the prompt take what they take, and vary by more than any fault does.
     */
    private Judgement judgeFirstByte(FinalRecord record, long firstByteNanos, Peers peers) {
        if (firstByteNanos < 0 || record.totalNanos() < 0 || record.generationNanos() < 0) {
            return Judgement.UNKNOWN;
        }
        firstTokens = firstTokens.with(positive(firstByteNanos - Math.max(0, record.loadNanos())));
        double late = positive(firstByteNanos - (record.totalNanos() - record.generationNanos()));
        double usual = lateness.usual();
        boolean slow = late >= LEAST_LATENESS_NANOS
                && lateness.isKnown()
                && late * share > usual
                && late * share > peers.lateness();
        if (!slow) {
            lateness = lateness.with(late);
            return Judgement.WELL;
        }
        lateness = lateness.withUnusual(late);
        complaint = "late: " + model + " " + text(late / NANOS_PER_SECOND) + " s later than it tells (usually "
                + text(usual / NANOS_PER_SECOND) + ")";
        return Judgement.SLOW;
    }

    /** In nanoseconds; clocks of two machines may disagree, and a logarithm needs more than nothing. */
    private static double positive(long nanos) {
        return Math.max(1e6, (double) nanos);
    }

    private static String text(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.1f" : "%.0f", value);
    }

    /** What was wrong with the last answer that was slow. */
    synchronized String complaint() {
        return complaint;
    }

    Trend rates() {
        return rates;
    }

    Trend lateness() {
        return lateness;
    }

    @Override
    public long lastNanos() {
        return lastNanos;
    }

    @Override
    public synchronized void forget() {
        rateRun.clear();
        firstByteRun.clear();
        guilty = null;
    }

    ModelPace view() {
        return new ModelPace(
                model, rates.recent(), rates.usual(), firstTokens.recent() / NANOS_PER_SECOND, guilty != null);
    }

    /** How many answers in a row were slow, or well; those that tell nothing do not break a row. */
    private static final class Run {
        private int slow;
        private int well;

        void add(Judgement judgement) {
            if (judgement == Judgement.SLOW) {
                slow++;
                well = 0;
            } else if (judgement == Judgement.WELL) {
                well++;
                slow = 0;
            }
        }

        void clear() {
            slow = 0;
            well = 0;
        }
    }
}
