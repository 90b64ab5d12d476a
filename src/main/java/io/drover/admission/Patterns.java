package io.drover.admission;

import java.util.List;

/**
 * Texts that are allowed, each with any number of {@code *} that stand for any text; none: everything is. Immutable;
 * asking allocates nothing.
 */
public final class Patterns {
    /** Everything is allowed. */
    public static final Patterns ALL = new Patterns(List.of());

    private final List<String> patterns;

    private Patterns(List<String> patterns) {
        this.patterns = patterns;
    }

    public static Patterns of(List<String> patterns) {
        return patterns.isEmpty() ? ALL : new Patterns(List.copyOf(patterns));
    }

    /** Whether everything is allowed. */
    public boolean isAll() {
        return patterns.isEmpty();
    }

    public boolean allow(String text) {
        return allow(text, 0, text.length());
    }

    /** Whether the part of {@code text} from {@code from} to {@code to} is allowed. */
    boolean allow(String text, int from, int to) {
        if (patterns.isEmpty()) {
            return true;
        }
        for (int i = 0; i < patterns.size(); i++) {
            if (matches(patterns.get(i), text, from, to)) {
                return true;
            }
        }
        return false;
    }

    /** Greedy from left to right; where it fails, the last star takes one more. At worst the product of both lengths. */
    private static boolean matches(String pattern, String text, int start, int end) {
        int at = start;
        int from = 0;
        int star = -1;
        int resume = start;
        while (at < end) {
            if (from < pattern.length() && pattern.charAt(from) == '*') {
                star = from++;
                resume = at;
            } else if (from < pattern.length() && pattern.charAt(from) == text.charAt(at)) {
                from++;
                at++;
            } else if (star >= 0) {
                from = star + 1;
                at = ++resume;
            } else {
                return false;
            }
        }
        while (from < pattern.length() && pattern.charAt(from) == '*') {
            from++;
        }
        return from == pattern.length();
    }

    /** The patterns, for people. */
    @Override
    public String toString() {
        return patterns.isEmpty() ? "all" : String.join(", ", patterns);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Patterns same && same.patterns.equals(patterns);
    }

    @Override
    public int hashCode() {
        return patterns.hashCode();
    }
}
