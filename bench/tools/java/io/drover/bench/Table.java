package io.drover.bench;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What was found, as Markdown, which a terminal shows as well. */
final class Table {
    private final Results results;
    private final List<Contender> contenders;

    Table(Results results, List<Contender> contenders) {
        this.results = results;
        this.contenders = contenders;
    }

    /** Medians with their spread, and Drover's ratio to each peer: the median of the rounds' ratios, with its spread. */
    String render() {
        StringBuilder out = new StringBuilder();
        String group = "";
        for (Figure figure : results.figures()) {
            if (!figure.group().equals(group)) {
                group = figure.group();
                head(out, group);
            }
            row(out, figure);
        }
        return out.toString();
    }

    private List<Contender> peers() {
        return contenders.stream()
                .filter(contender -> !contender.name().equals(Contenders.DROVER))
                .toList();
    }

    private void head(StringBuilder out, String group) {
        out.append("\n### ")
                .append(group.substring(0, 1).toUpperCase(Locale.ROOT))
                .append(group.substring(1));
        out.append("\n\n");
        for (String remark : results.remarks(group)) {
            out.append("Note: ").append(remark).append(".\n\n");
        }
        out.append("| |");
        contenders.forEach(contender -> out.append(' ').append(contender.name()).append(" |"));
        peers().forEach(peer -> out.append(" drover / ").append(peer.name()).append(" |"));
        out.append("\n|---|");
        out.append("---:|".repeat(contenders.size() + peers().size()));
        out.append('\n');
    }

    private void row(StringBuilder out, Figure figure) {
        out.append("| ").append(figure.name());
        if (!figure.unit().isEmpty()) {
            out.append(", ").append(figure.unit());
        }
        out.append(" |");
        for (Contender contender : contenders) {
            out.append(' ').append(cell(figure, contender.name())).append(" |");
        }
        for (Contender peer : peers()) {
            out.append(' ').append(ratio(figure, peer.name())).append(" |");
        }
        out.append('\n');
    }

    private String cell(Figure figure, String contender) {
        Set<String> failures = results.failures(figure.group(), contender);
        List<Double> values = results.values(figure, contender);
        if (!failures.isEmpty()) {
            return "void: " + failures.iterator().next().replace("|", "/");
        }
        return values.isEmpty() ? "" : Spread.of(values).text(figure.decimals());
    }

    private String ratio(Figure figure, String peer) {
        List<Double> ours = results.values(figure, Contenders.DROVER);
        List<Double> theirs = results.values(figure, peer);
        boolean counts = results.failures(figure.group(), peer).isEmpty()
                && results.failures(figure.group(), Contenders.DROVER).isEmpty()
                && !ours.isEmpty()
                && !theirs.isEmpty();
        return counts ? Spread.ofRatios(ours, theirs).text(2) : "";
    }
}
