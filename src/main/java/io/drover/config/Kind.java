package io.drover.config;

import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * What a key's value may be. Stricter than typesafe-config, whose conversions turn much into something; strings that
 * look like numbers are taken all the same, since that is what environment variables and flags give.
 */
@FunctionalInterface
interface Kind<T> {

    /** The words of HOCON for it. */
    Kind<Boolean> BOOLEAN = value -> switch (scalar(value, "true or false")) {
        case "true", "yes", "on" -> true;
        case "false", "no", "off" -> false;
        default -> throw new WrongValueException("true or false");
    };

    /** Any text, empty too. */
    Kind<String> TEXT = text("text", any -> true);

    /** An Authorization header's value, or empty; nothing that could end the header (RFC 9110 section 5.5). */
    Kind<String> AUTHORIZATION = text(
            "one line of printable ASCII", Pattern.compile("[\\x20-\\x7e]*").asMatchPredicate());

    /** A backend's name, or empty; it becomes a path segment, a header and a label. */
    Kind<String> NAME = text(
            "a name of letters, digits and . _ - : [ ]",
            Pattern.compile("[A-Za-z0-9._:\\[\\]-]{0,255}").asMatchPredicate());

    /** An allowed origin of web pages. */
    Kind<String> ORIGIN = text(
            "an origin such as https://*.example.com, with at most one *",
            Pattern.compile("\\*|[a-z][a-z0-9+.-]*://(?!.*\\*.*\\*)[^\\s/,]+").asMatchPredicate());

    /** A model's name, or empty. */
    Kind<String> MODEL = text(
            "a model's name, such as nomic-embed-text",
            Pattern.compile("[A-Za-z0-9._:/@-]{0,512}").asMatchPredicate());

    /** How much alike two things must be at least: 1 is the same. */
    Kind<Double> SIMILARITY = value -> {
        String expected = "a number from 0 to 1, such as 0.95";
        String text = scalar(value, expected).trim();
        if (!text.matches("(0?\\.[0-9]{1,9}|0|1(\\.0{1,9})?)")) {
            throw new WrongValueException(expected);
        }
        return Double.parseDouble(text);
    };

    /** Slots of a backend; kept as text while nothing uses them. */
    Kind<String> SLOTS = text(
            "auto or a whole number from 1",
            Pattern.compile("auto|[1-9][0-9]{0,8}").asMatchPredicate());

    /** A Redis to connect to, or empty. */
    Kind<String> REDIS_URI = text(
            "redis://host:port, rediss:// or redis-sentinel://, several with commas",
            Pattern.compile("|(rediss?|redis-sentinel)://[^\\s/,]+\\S*").asMatchPredicate());

    /** A file's name; empty: none. */
    Kind<Optional<Path>> FILE = value -> {
        String text = scalar(value, "a file name");
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
        } catch (InvalidPathException wrong) {
            throw new WrongValueException("a file name");
        }
    };

    /** What a secret is known by; empty: there is none. */
    Kind<Optional<SecretHash>> SECRET_HASH = value -> {
        String expected = "sha256: and 64 hexadecimal digits, as the command key prints it";
        String text = scalar(value, expected).trim();
        Optional<SecretHash> hash = SecretHash.parse(text);
        if (!text.isEmpty() && hash.isEmpty()) {
            throw new WrongValueException(expected);
        }
        return hash;
    };

    T read(ConfigValue value) throws WrongValueException;

    static Kind<String> text(String expected, Predicate<String> valid) {
        return value -> {
            String text = scalar(value, expected);
            if (!valid.test(text)) {
                throw new WrongValueException(expected);
            }
            return text;
        };
    }

    /** A whole number from {@code least} up. */
    static Kind<Integer> number(int least) {
        return number(least, Integer.MAX_VALUE);
    }

    static Kind<Integer> number(int least, int most) {
        String expected = most == Integer.MAX_VALUE
                ? "a whole number from " + least
                : "a whole number from " + least + " to " + most;
        return value -> {
            String text = scalar(value, expected).trim();
            // At most ten digits: parsing cannot overflow a long.
            if (!text.matches("-?[0-9]{1,10}")) {
                throw new WrongValueException(expected);
            }
            long number = Long.parseLong(text);
            if (number < least || number > most) {
                throw new WrongValueException(expected);
            }
            return (int) number;
        };
    }

    /**
     * One of some words.
     *
     * @param values what the words stand for, in their order
     * @param later words that a later version will take
     */
    static <T> Kind<T> word(List<String> words, List<T> values, List<String> later) {
        String expected = words.size() == 1
                ? words.get(0)
                : String.join(", ", words.subList(0, words.size() - 1)) + " or " + words.get(words.size() - 1);
        return value -> {
            String word = scalar(value, expected);
            int at = words.indexOf(word);
            if (at >= 0) {
                return values.get(at);
            }
            throw new WrongValueException(
                    later.contains(word) ? expected + "; " + word + " is not available in this version" : expected);
        };
    }

    /** One of some words that stand for themselves. */
    static Kind<String> word(String... words) {
        return word(List.of(words), List.of(words), List.of());
    }

    /** The text of a string, number or boolean, as it was written. */
    static String scalar(ConfigValue value, String expected) throws WrongValueException {
        ConfigValueType type = value.valueType();
        if (type == ConfigValueType.OBJECT || type == ConfigValueType.LIST || type == ConfigValueType.NULL) {
            throw new WrongValueException(expected);
        }
        return value.atKey("value").getString("value");
    }
}
