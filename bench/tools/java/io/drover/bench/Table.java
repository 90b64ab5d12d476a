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
            row(out, figure, contenders(group));
        }
        return out.toString();
    }

    /** Those that were measured there. */
    private List<Contender> contenders(String group) {
        return contenders.stream()
                .filter(contender -> !results.failures(group, contender.name()).isEmpty()
                        || results.figures().stream()
                                .anyMatch(figure -> figure.group().equals(group)
                                        && !results.values(figure, contender.name())
                                                .isEmpty()))
                .toList();
    }

    /** Drover, or a kind of it, is the first one. */
    private static List<Contender> peers(List<Contender> measured) {
        return measured.subList(Math.min(1, measured.size()), measured.size());
    }

    private void head(StringBuilder out, String group) {
        out.append("\n### ")
                .append(group.substring(0, 1).toUpperCase(Locale.ROOT))
                .append(group.substring(1));
        out.append("\n\n");
        for (String remark : results.remarks(group)) {
            out.append("Note: ").append(remark).append(".\n\n");
        }
        List<Contender> measured = contenders(group);
        out.append("| |");
        measured.forEach(contender -> out.append(' ').append(contender.name()).append(" |"));
        for (Contender peer : peers(measured)) {
            out.append(' ')
                    .append(measured.get(0).name())
                    .append(" / ")
                    .append(peer.name())
                    .append(" |");
        }
        out.append("\n|---|");
        out.append("---:|".repeat(measured.size() + peers(measured).size()));
        out.append('\n');
    }

    private void row(StringBuilder out, Figure figure, List<Contender> measured) {
        out.append("| ").append(figure.name());
        if (!figure.unit().isEmpty()) {
            out.append(", ").append(figure.unit());
        }
        out.append(" |");
        for (Contender contender : measured) {
            out.append(' ').append(cell(figure, contender.name())).append(" |");
        }
        for (Contender peer : peers(measured)) {
            out.append(' ')
                    .append(ratio(figure, measured.get(0).name(), peer.name()))
                    .append(" |");
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

    private String ratio(Figure figure, String first, String peer) {
        List<Double> ours = results.values(figure, first);
        List<Double> theirs = results.values(figure, peer);
        boolean counts = results.failures(figure.group(), peer).isEmpty()
                && results.failures(figure.group(), first).isEmpty()
                && !ours.isEmpty()
                && !theirs.isEmpty();
        // Nothing to nothing is no ratio, and what was added may be less than nothing.
        return counts
                        && ours.stream().allMatch(value -> value >= 0)
                        && theirs.stream().allMatch(value -> value > 0)
                ? Spread.ofRatios(ours, theirs).text(2)
                : "";
    }
}
