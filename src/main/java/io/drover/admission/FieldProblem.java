package io.drover.admission;

import java.util.Collection;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One mistake in what is said of a caller.
 *
 * @param field its name; empty where the whole is wrong
 * @param value as it was found, without anything that may be secret
 * @param expected what it should have been
 */
public record FieldProblem(String field, String value, String expected) {
    private static final int LONGEST_VALUE = 100;

    /** What looks like a secret or a hash may stand in any field, by a slip. */
    private static final Pattern SECRET = Pattern.compile("drover_|[A-Za-z0-9_+/-]{40}");

    static FieldProblem of(String field, @Nullable Object value, String expected) {
        return new FieldProblem(field, show(value), expected);
    }

    private static String show(@Nullable Object value) {
        if (value instanceof Map) {
            return "an object";
        }
        if (value instanceof Collection) {
            return "a list";
        }
        return value instanceof String text ? quote(text) : quietly(String.valueOf(value));
    }

    static String quote(String text) {
        String quiet = quietly(text);
        return quiet.equals(text) || quiet.endsWith("...") ? '"' + quiet + '"' : quiet;
    }

    private static String quietly(String text) {
        if (SECRET.matcher(text).find()) {
            return "(hidden)";
        }
        return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "...";
    }

    /** As people read it. */
    @Override
    public String toString() {
        return (field.isEmpty() ? "" : field + ": ") + value + " (expected: " + expected + ")";
    }
}
