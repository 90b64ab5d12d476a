package io.drover.config;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/** Durations, sizes and rates: what is accepted for them and how they are printed. */
final class Quantities {
    /** Far below the 292 years at which a sum of nanoseconds overflows. */
    private static final Duration LONGEST = Duration.ofDays(365);

    /** Zero or more, for keys where zero means "off" or "at once". */
    static final Kind<Duration> DURATION = duration(Duration.ZERO);

    /** For keys where zero would mean that nothing ever works; deadlines are kept in milliseconds. */
    static final Kind<Duration> POSITIVE_DURATION = duration(Duration.ofMillis(1));

    /** Events in a unit of time; empty for {@code 0}: off. */
    static final Kind<Optional<Rate>> RATE = Quantities::parseRate;

    /** Less would take every hiccup of the network for an outage, and more would make requests wait. */
    static final Kind<Duration> LEASE = duration(Duration.ofMillis(10), Duration.ofSeconds(10));

    /** A look-up that takes longer than a second is no look-up any more: the backend would have begun to answer. */
    static final Kind<Duration> LOOKUP = duration(Duration.ofMillis(1), Duration.ofSeconds(1));

    private static final Duration SHORTEST_WAIT = Duration.ofMillis(10);

    /**
     * Zero for "not at all". A shorter one would end before Redis has answered twice; whoever waits longer for another
     * replica had better ask by itself.
     */
    static final Kind<Duration> WAIT_FOR_ANOTHER = value -> {
        Duration wait = duration(Duration.ZERO, Duration.ofMinutes(10)).read(value);
        if (!wait.isZero() && wait.compareTo(SHORTEST_WAIT) < 0) {
            throw new WrongValueException("0s, or a duration of at least " + text(SHORTEST_WAIT));
        }
        return wait;
    };

    /** Of one short text; whoever waits longer could have had half an answer. */
    static final Kind<Duration> EMBEDDING = duration(Duration.ofMillis(1), Duration.ofMinutes(1));

    private static final String DURATION_EXPECTED = "a duration such as 2m";
    private static final Pattern WITH_UNIT = Pattern.compile("[+-]?[0-9]+(\\.[0-9]+)?\\s*[A-Za-z]+");
    private static final Pattern PLAIN = Pattern.compile("[+-]?[0-9]+(\\.[0-9]+)?");
    private static final Pattern SIZE = Pattern.compile("-?[0-9]+(\\.[0-9]+)?\\s*[A-Za-z]*");

    /** How many of something, from 0. */
    static final Kind<Long> COUNT = value -> {
        String expected = "a whole number from 0, of at most 15 digits";
        String text = Kind.scalar(value, expected).trim();
        if (!text.matches("[0-9]{1,15}")) {
            throw new WrongValueException(expected);
        }
        return Long.parseLong(text);
    };

    private Quantities() {}

    private static Optional<Rate> parseRate(ConfigValue value) throws WrongValueException {
        String expected = Rate.EXPECTED + "; 0: off";
        String text = Kind.scalar(value, expected).trim();
        if (text.equals("0")) {
            return Optional.empty();
        }
        Optional<Rate> rate = Rate.parse(text);
        if (rate.isEmpty()) {
            throw new WrongValueException(expected);
        }
        return rate;
    }

    private static Kind<Duration> duration(Duration least) {
        return duration(least, LONGEST);
    }

    private static Kind<Duration> duration(Duration least, Duration longest) {
        return value -> {
            Duration duration = parseDuration(value);
            if (duration.compareTo(least) < 0) {
                throw new WrongValueException("a duration of at least " + text(least));
            }
            if (duration.compareTo(longest) > 0) {
                throw new WrongValueException("a duration of at most " + text(longest));
            }
            return duration;
        };
    }

    private static Duration parseDuration(ConfigValue value) throws WrongValueException {
        String text = Kind.scalar(value, DURATION_EXPECTED).trim();
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        if (PLAIN.matcher(text).matches()) {
            // typesafe-config takes milliseconds, where a reader of "idle = 120" thinks of seconds.
            throw new WrongValueException("a duration with a unit, such as 2m");
        }
        if (!WITH_UNIT.matcher(text).matches()) {
            throw new WrongValueException(DURATION_EXPECTED);
        }
        try {
            return ConfigValueFactory.fromAnyRef(text).atKey("value").getDuration("value");
        } catch (ConfigException.BadValue wrong) {
            throw new WrongValueException(DURATION_EXPECTED);
        }
    }

    /** A size from {@code least} to {@code most} bytes. */
    static Kind<Long> size(long least, long most) {
        String expected = "a size such as 32KiB";
        return value -> {
            String text = Kind.scalar(value, expected).trim();
            if (!SIZE.matcher(text).matches()) {
                throw new WrongValueException(expected);
            }
            String range = "a size from " + text(least) + " to " + text(most);
            if (text.startsWith("-")) {
                throw new WrongValueException(range);
            }
            long size;
            try {
                size = ConfigValueFactory.fromAnyRef(text).atKey("value").getBytes("value");
            } catch (ConfigException.BadValue wrong) {
                throw new WrongValueException(expected);
            }
            if (size < least || size > most) {
                throw new WrongValueException(range);
            }
            return size;
        };
    }

    /** The shortest exact form: {@code 2m}, {@code 1500ms}. */
    static String text(Duration duration) {
        long millis = duration.toMillis();
        if (!duration.equals(Duration.ofMillis(millis))) {
            return duration.toNanos() + "ns";
        }
        if (millis % 1000 != 0) {
            return millis + "ms";
        }
        long seconds = millis / 1000;
        if (seconds == 0 || seconds % 60 != 0) {
            return seconds + "s";
        }
        if (seconds % 3600 != 0) {
            return seconds / 60 + "m";
        }
        // One day stays 24h, as one writes it; the year of the longest duration reads better in days.
        return seconds % 86_400 == 0 && seconds > 86_400 ? seconds / 86_400 + "d" : seconds / 3600 + "h";
    }

    /** The shortest exact form of some bytes: {@code 32KiB}, {@code 1000B}. */
    static String text(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        long rest = bytes;
        while (rest != 0 && rest % 1024 == 0 && unit < units.length - 1) {
            rest /= 1024;
            unit++;
        }
        return rest + units[unit];
    }
}
