package io.drover.deploy;

import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** An expression in PromQL, and where it stands. */
record Expression(String where, String text) {
    /** What stands in quotes, or between braces with the names of labels; a comparison. */
    private static final Pattern QUOTED_OR_COMPARISON =
            Pattern.compile("\\{[^{}]*}|\"[^\"]*\"|\\s(==|!=|<=|>=|<|>)\\s(?!bool\\b)");

    private static final Pattern METRIC = Pattern.compile(
            "\\{[^{}]*}|\"[^\"]*\"|\\b((?:llm|drover|jvm|process|redis|DCGM|node)_\\w+|drover:[\\w:]+)");

    private static final Pattern SELECTOR = Pattern.compile("\\b[a-zA-Z_:][\\w:]*\\{[^{}]*}");

    /**
     * The same with comparisons that tell 0 or 1: so it has a sample for all that is compared, and not only for what an
     * alert would fire for.
     */
    Expression withoutFilters() {
        Matcher found = QUOTED_OR_COMPARISON.matcher(text);
        return new Expression(
                where,
                found.replaceAll(match ->
                        Matcher.quoteReplacement(match.group(1) == null ? match.group() : match.group() + "bool ")));
    }

    /** What it selects by labels, each by itself: the other side of an {@code or} would hide one that finds nothing. */
    Stream<Expression> selectors() {
        return SELECTOR.matcher(text).results().map(found -> new Expression(where, found.group()));
    }

    /** The metrics that it asks for, of those whose names tell where they are from. */
    Set<String> metrics() {
        Set<String> names = new TreeSet<>();
        Matcher found = METRIC.matcher(text);
        while (found.find()) {
            if (found.group(1) != null) {
                names.add(found.group(1));
            }
        }
        return names;
    }

    @Override
    public String toString() {
        return where + ": " + text;
    }
}
