package io.drover.config;

import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What came up while one configuration was read: problems, warnings, and which keys were asked for. Knows where values
 * come from and how to print them without their secrets. One thread.
 */
final class Findings {
    /** How the origin of a value of {@link EnvironmentVariables} begins. */
    static final String ENVIRONMENT_ORIGIN = ConfigProblem.ENVIRONMENT + " ";

    static final String REFERENCE = "reference.conf";

    private static final Set<String> SECRETS = Set.of("uri", "authorization", "token-hash", "scrape-token-hash");
    private static final int LONGEST_VALUE = 100;
    private static final Pattern FILE_IN_MERGE =
            Pattern.compile("merge of (?:.*,)?([^,]+): ([0-9]+)(?:-[0-9]+)?(,.*)?");
    private static final Comparator<ConfigProblem> ORDER = Comparator.comparing(ConfigProblem::file)
            .thenComparingInt(ConfigProblem::line)
            .thenComparing(ConfigProblem::key);

    private final Optional<Path> file;
    private final Set<ConfigProblem> problems = new LinkedHashSet<>();
    private final Set<ConfigProblem> warnings = new LinkedHashSet<>();
    private final Set<String> readKeys = new LinkedHashSet<>();

    Findings(Optional<Path> file) {
        this.file = file;
    }

    /** A value that is not what its key needs. */
    void problem(String key, ConfigValue value, String expected) {
        problem(key, value.origin(), show(key, value), expected);
    }

    void problem(String key, ConfigOrigin origin, String shown, String expected) {
        problems.add(locate(key, origin, shown, expected));
    }

    void warning(String key, ConfigValue value, String expected) {
        warnings.add(locate(key, value.origin(), show(key, value), expected));
    }

    void warning(ConfigProblem warning) {
        warnings.add(warning);
    }

    void read(String key) {
        readKeys.add(key);
    }

    /** The keys that were asked for, those of backends without their position: {@code drover.backends[].url}. */
    Set<String> readKeys() {
        return readKeys;
    }

    List<ConfigProblem> warnings() {
        return warnings.stream().sorted(ORDER).toList();
    }

    void throwIfAny() throws ConfigException {
        if (!problems.isEmpty()) {
            throw new ConfigException(problems.stream().sorted(ORDER).toList());
        }
    }

    private ConfigProblem locate(String key, ConfigOrigin origin, String shown, String expected) {
        String description = origin.description();
        if (description.startsWith(ENVIRONMENT_ORIGIN)) {
            String variable = description.substring(ENVIRONMENT_ORIGIN.length());
            // A variable of the user's own choice does not tell which key it is for.
            String name = variable.equals(EnvironmentVariables.nameOf(key)) ? variable : variable + " (" + key + ")";
            return new ConfigProblem(ConfigProblem.ENVIRONMENT, 0, name, shown, expected);
        }
        if (description.startsWith(ConfigProblem.COMMAND_LINE)) {
            return new ConfigProblem(ConfigProblem.COMMAND_LINE, 0, key, shown, expected);
        }
        if (origin.filename() != null) {
            return new ConfigProblem(origin.filename(), Math.max(0, origin.lineNumber()), key, shown, expected);
        }
        Matcher merged = FILE_IN_MERGE.matcher(description);
        if (merged.matches() && !merged.group(1).equals(REFERENCE)) {
            return new ConfigProblem(merged.group(1), Integer.parseInt(merged.group(2)), key, shown, expected);
        }
        return new ConfigProblem(wholeSource(file), 0, key, shown, expected);
    }

    /** What a problem of no certain line is reported for. */
    static String wholeSource(Optional<Path> file) {
        return file.map(Path::toString).orElse(ConfigProblem.COMMAND_LINE);
    }

    /** A value as problems print it. */
    static String show(String key, ConfigValue value) {
        if (SECRETS.contains(key.substring(key.lastIndexOf('.') + 1))) {
            return "(hidden)";
        }
        return switch (value.valueType()) {
            case OBJECT -> "an object";
            case LIST -> showList((ConfigList) value);
            default -> shorten(value.render(ConfigRenderOptions.concise()));
        };
    }

    private static String showList(ConfigList list) {
        boolean plain = list.stream()
                .noneMatch(value ->
                        value.valueType() == ConfigValueType.OBJECT || value.valueType() == ConfigValueType.LIST);
        return plain ? shorten(list.render(ConfigRenderOptions.concise())) : "a list";
    }

    /** Also takes the user and password out of what looks like a URL, wherever it stands. */
    static String shorten(String text) {
        String open = text.replaceAll("://\\S*@", "://(hidden)@");
        return open.length() <= LONGEST_VALUE ? open : open.substring(0, LONGEST_VALUE) + "...";
    }
}
