package io.drover.backend;

import java.util.Arrays;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * How the other backends of a herd answer with a model. Asks them only when it is asked, which is seldom. NaN where none
 * of them knows.
 */
final class Peers {
    private static final long RECENT_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Backend self;
    private final Collection<Backend> herd;
    private final String key;
    private final long nowNanos;

    Peers(Backend self, Collection<Backend> herd, String key, long nowNanos) {
        this.self = self;
        this.herd = herd;
        this.key = key;
        this.nowNanos = nowNanos;
    }

    /** Tokens per second that are usual there; of one with more weight, what its weight promises of this one. */
    double usualRate() {
        return median(false, peer -> {
            Pace pace = peer.pace(key);
            if (pace == null || !pace.rates().isKnown()) {
                return Double.NaN;
            }
            double weights = (double) self.config().weight() / peer.config().weight();
            return pace.rates().usual() * Math.min(1, weights);
        });
    }

    /** What is left now of the tokens per second that are usual there, at most 1; 1 where none of them knows. */
    double slowdown() {
        double left = median(true, peer -> {
            Pace pace = peer.pace(key);
            if (pace == null || peer.isDegraded() || nowNanos - pace.lastNanos() >= RECENT_NANOS) {
                return Double.NaN;
            }
            return pace.rates().isKnown() ? pace.rates().recent() / pace.rates().usual() : Double.NaN;
        });
        return Double.isNaN(left) ? 1 : Math.min(1, left);
    }

    /** Nanoseconds to the first byte of late that they do not account for. */
    double lateness() {
        return median(true, peer -> {
            Pace pace = peer.pace(key);
            return pace == null ? Double.NaN : pace.lateness().recent();
        });
    }

    /** @param upper which one of an even number */
    private double median(boolean upper, ToDoubleFunction<Backend> value) {
        double[] known = herd.stream()
                .filter(peer -> peer != self)
                .mapToDouble(value)
                .filter(one -> !Double.isNaN(one))
                .toArray();
        if (known.length == 0) {
            return Double.NaN;
        }
        Arrays.sort(known);
        return known[(upper ? known.length : known.length - 1) / 2];
    }
}
