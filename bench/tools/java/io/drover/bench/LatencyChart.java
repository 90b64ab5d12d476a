package io.drover.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** The latency of tokens over the share of tokens that were faster, as HdrHistogram's users draw it. */
final class LatencyChart {
    private static final double[] PERCENTILES = {0, 50, 90, 99, 99.9, 99.99};
    private static final int WIDTH = 760;
    private static final int HEIGHT = 420;
    private static final int LEFT = 70;
    private static final int TOP = 50;
    private static final int BOTTOM = 50;
    private static final int RIGHT = 130;

    /** Micro-seconds at the lower and the upper edge; both axes are logarithmic. */
    private double least = 10;

    private double most = 100_000;

    /** A curve for each of {@code names} that has latencies; its place in the list is its colour. */
    String draw(String title, List<String> names, Map<String, Histogram> latencies) {
        least = decade(latencies.values().stream()
                .mapToDouble(histogram -> histogram.getMinNonZeroValue() / 1e3)
                .min()
                .orElse(least));
        most = 10
                * decade(latencies.values().stream()
                        .mapToDouble(
                                histogram -> histogram.getValueAtPercentile(PERCENTILES[PERCENTILES.length - 1]) / 1e3)
                        .max()
                        .orElse(most));
        Svg svg = new Svg(WIDTH, HEIGHT);
        svg.title(16, 24, title);
        axes(svg);
        int line = 0;
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            Histogram histogram = latencies.get(name);
            if (histogram != null) {
                svg.curve(points(histogram), Svg.colour(i));
                double y = TOP + 10 + 20.0 * line++;
                svg.rectangle(WIDTH - RIGHT + 16.0, y - 8, 16, 4, Svg.colour(i));
                svg.text(WIDTH - RIGHT + 38.0, y - 2, "start", name);
            }
        }
        return svg.end();
    }

    private static double decade(double value) {
        return Math.pow(10, Math.floor(Math.log10(Math.max(value, 1))));
    }

    private void axes(Svg svg) {
        for (double micros = least; micros <= most * 1.01; micros *= 10) {
            svg.line(LEFT, y(micros), WIDTH - RIGHT, y(micros), "#ddd");
            svg.small(
                    LEFT - 8,
                    y(micros) + 4,
                    "end",
                    micros < 1000
                            ? String.format(Locale.ROOT, "%.0f µs", micros)
                            : String.format(Locale.ROOT, "%.0f ms", micros / 1000));
        }
        for (double percentile : PERCENTILES) {
            svg.line(x(percentile), TOP, x(percentile), HEIGHT - BOTTOM, "#ddd");
            svg.small(
                    x(percentile),
                    HEIGHT - BOTTOM + 18,
                    "middle",
                    Double.toString(percentile).replace(".0", "") + "%");
        }
        svg.small((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", "share of the tokens that came sooner");
    }

    private String points(Histogram histogram) {
        StringBuilder points = new StringBuilder();
        double last = PERCENTILES[PERCENTILES.length - 1];
        for (double left = LEFT; left <= x(last); left += 4) {
            double micros = histogram.getValueAtPercentile(percentile(left)) / 1e3;
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", left, y(Math.max(least, Math.min(most, micros)))));
        }
        return points.toString().trim();
    }

    private static double nines(double percentile) {
        return -Math.log10(1 - percentile / 100);
    }

    private static double x(double percentile) {
        double all = nines(PERCENTILES[PERCENTILES.length - 1]);
        return LEFT + nines(percentile) / all * (WIDTH - RIGHT - LEFT);
    }

    private static double percentile(double x) {
        double all = nines(PERCENTILES[PERCENTILES.length - 1]);
        return 100 * (1 - Math.pow(10, -(x - LEFT) / (WIDTH - RIGHT - LEFT) * all));
    }

    private double y(double micros) {
        double share = Math.log10(micros / least) / Math.log10(most / least);
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);
    }
}
