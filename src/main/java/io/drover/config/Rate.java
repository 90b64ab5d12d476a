package io.drover.config;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * So many of something in a unit of time, as in {@code 10/s}.
 *
 * @param count above 0
 * @param unit seconds, minutes, hours or days
 */
public record Rate(int count, TimeUnit unit) {
    /** Beyond so many in a second the rounding to whole nanoseconds from one to the next would show. */
    private static final int HIGHEST_PER_SECOND = 1_000_000;

    /** What {@link #parse} takes, for messages. */
    public static final String EXPECTED = "a rate such as 10/s, 600/m or 3600/h, up to " + HIGHEST_PER_SECOND + "/s";

    private static final Pattern PARTS = Pattern.compile("([0-9]{1,9})/([smhd])");

    /** @return empty if the text is none, or one of 0 */
    public static Optional<Rate> parse(String text) {
        Matcher parts = PARTS.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        int count = Integer.parseInt(parts.group(1));
        TimeUnit unit =
                switch (parts.group(2)) {
                    case "s" -> TimeUnit.SECONDS;
                    case "m" -> TimeUnit.MINUTES;
                    case "h" -> TimeUnit.HOURS;
                    default -> TimeUnit.DAYS;
                };
        return count < 1 || count > HIGHEST_PER_SECOND * unit.toSeconds(1)
                ? Optional.empty()
                : Optional.of(new Rate(count, unit));
    }

    /** As it is written in a file. */
    @Override
    public String toString() {
        return count + "/" + unit.name().substring(0, 1).toLowerCase(Locale.ROOT);
    }
}
