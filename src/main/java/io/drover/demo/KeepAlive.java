package io.drover.demo;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The field {@code keep_alive}: a number of seconds or Go's spelling of a duration; negative means for ever. */
final class KeepAlive {
    private static final Pattern DURATION = Pattern.compile("(\\d+(?:\\.\\d*)?|\\.\\d+)(ns|us|µs|ms|s|m|h)");

    private KeepAlive() {}

    /** Null if the field is absent. */
    static @Nullable Duration of(JsonBody body) throws JsonBody.BadJson {
        Object value = body.get("keep_alive");
        if (value == null) {
            return null;
        }
        if (value instanceof Number seconds) {
            return Duration.ofNanos((long) (seconds.doubleValue() * 1e9));
        }
        if (value instanceof String text) {
            return parse(text);
        }
        throw new JsonBody.BadJson("Unsupported type: '" + value.getClass().getSimpleName() + "'");
    }

    private static Duration parse(String text) throws JsonBody.BadJson {
        boolean negative = text.startsWith("-");
        String rest = negative || text.startsWith("+") ? text.substring(1) : text;
        if (rest.equals("0")) {
            return Duration.ZERO;
        }
        double nanos = 0;
        Matcher part = DURATION.matcher(rest);
        int at = 0;
        while (at < rest.length() && part.find(at) && part.start() == at) {
            nanos += Double.parseDouble(part.group(1)) * nanosPer(part.group(2));
            at = part.end();
        }
        if (rest.isEmpty() || at < rest.length()) {
            boolean number = !rest.isEmpty() && rest.chars().allMatch(Character::isDigit);
            throw new JsonBody.BadJson(
                    "time: " + (number ? "missing unit in" : "invalid") + " duration \"" + text + "\"");
        }
        return Duration.ofNanos((long) (negative ? -nanos : nanos));
    }

    private static double nanosPer(String unit) {
        return switch (unit) {
            case "ns" -> 1;
            case "us", "µs" -> 1e3;
            case "ms" -> 1e6;
            case "s" -> 1e9;
            case "m" -> 60e9;
            default -> 3600e9;
        };
    }
}
