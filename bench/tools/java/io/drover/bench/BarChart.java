package io.drover.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Bars of medians with their spread, one panel per figure. */
final class BarChart {
    private static final int COLUMNS = 3;
    private static final int WIDTH = 340;
    private static final int BAR = 22;
    private static final int HEAD = 44;
    private static final int FOOT = 26;
    private static final int NAMES = 96;
    private static final int VALUES = 62;

    private final Results results;
    private final List<Contender> contenders;

    BarChart(Results results, List<Contender> contenders) {
        this.results = results;
        this.contenders = contenders;
    }

    /** Draws those of {@code figures} of which something counts. */
    String draw(List<Figure> figures) {
        List<Figure> drawn = new ArrayList<>(figures);
        drawn.removeIf(figure -> contenders.stream().noneMatch(contender -> counts(figure, contender)));
        int rows = (drawn.size() + COLUMNS - 1) / COLUMNS;
        int height = HEAD + BAR * contenders.size() + FOOT;
        Svg svg = new Svg(COLUMNS * WIDTH, rows * height);
        for (int i = 0; i < drawn.size(); i++) {
            panel(svg, drawn.get(i), i % COLUMNS * WIDTH + 10, i / COLUMNS * height + 10);
        }
        return svg.end();
    }

    private boolean counts(Figure figure, Contender contender) {
        return results.failures(figure.group(), contender.name()).isEmpty()
                && !results.values(figure, contender.name()).isEmpty();
    }

    private void panel(Svg svg, Figure figure, double x, double y) {
        svg.title(x, y + 14, figure.title());
        svg.small(
                x,
                y + 29,
                "start",
                (figure.unit().isEmpty() ? "" : figure.unit() + "; ")
                        + (figure.moreIsBetter() ? "longer is better" : "shorter is better"));
        double most = contenders.stream()
                .filter(contender -> counts(figure, contender))
                .mapToDouble(contender ->
                        Spread.of(results.values(figure, contender.name())).greatest())
                .max()
                .orElse(1);
        double scale = (WIDTH - 20 - NAMES - VALUES) / Math.max(most, 1e-9);
        for (int i = 0; i < contenders.size(); i++) {
            double top = y + HEAD - 8 + (double) i * BAR;
            Contender contender = contenders.get(i);
            svg.text(x + NAMES - 8, top + 14, "end", contender.name());
            if (counts(figure, contender)) {
                bar(svg, Spread.of(results.values(figure, contender.name())), figure, i, x + NAMES, top, scale);
            } else {
                svg.small(x + NAMES, top + 14, "start", "void");
            }
        }
    }

    private static void bar(Svg svg, Spread spread, Figure figure, int colour, double x, double top, double scale) {
        double least = x + Math.max(0, spread.least()) * scale;
        double greatest = x + Math.max(0, spread.greatest()) * scale;
        double middle = top + BAR / 2.0 - 2;
        svg.rectangle(x, top + 2, Math.max(0, spread.median()) * scale, BAR - 8.0, Svg.colour(colour));
        svg.line(least, middle, greatest, middle, "#d23");
        svg.line(least, middle - 4, least, middle + 4, "#d23");
        svg.line(greatest, middle - 4, greatest, middle + 4, "#d23");
        String value = String.format(Locale.ROOT, "%,." + figure.decimals() + "f", spread.median());
        svg.text(Math.max(greatest, x) + 6, top + 14, "start", value);
    }
}
