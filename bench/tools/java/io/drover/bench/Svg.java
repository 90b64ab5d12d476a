package io.drover.bench;

import java.util.Locale;

/** A picture in the making; co-ordinates in pixels, the origin at the upper left. */
final class Svg {
    /** One colour per contender, in their order; told apart by most eyes, also without colour. */
    private static final String[] COLOURS = {"#0b5fa5", "#7db4dd", "#2f2f2f", "#c2703d", "#7a9a3a", "#8a5fa8", "#b0b0b0"
    };

    private final StringBuilder out = new StringBuilder();

    Svg(int width, int height) {
        add(
                "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d' "
                        + "font-family='Helvetica, Arial, sans-serif' font-size='12' fill='#222'>",
                width, height, width, height);
        add("<rect width='%d' height='%d' fill='#ffffff'/>", width, height);
    }

    static String colour(int contender) {
        return COLOURS[contender % COLOURS.length];
    }

    void text(double x, double y, String anchor, String text) {
        add("<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>", x, y, anchor, escape(text));
    }

    void title(double x, double y, String text) {
        add("<text x='%.1f' y='%.1f' font-weight='bold' font-size='13'>%s</text>", x, y, escape(text));
    }

    void small(double x, double y, String anchor, String text) {
        add(
                "<text x='%.1f' y='%.1f' text-anchor='%s' font-size='11' fill='#555'>%s</text>",
                x, y, anchor, escape(text));
    }

    void rectangle(double x, double y, double width, double height, String colour) {
        add("<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='%s'/>", x, y, width, height, colour);
    }

    void line(double x1, double y1, double x2, double y2, String colour) {
        add("<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>", x1, y1, x2, y2, colour);
    }

    /** @param points as the attribute has them */
    void curve(String points, String colour) {
        add("<polyline points='%s' fill='none' stroke='%s' stroke-width='2'/>", points, colour);
    }

    String end() {
        return out + "</svg>\n";
    }

    private void add(String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;");
    }
}
