package io.drover.config;

import com.typesafe.config.ConfigResolver;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Gives substitutions such as {@code ${?DROVER_LISTEN}} the values of environment variables, and them an origin. */
final class EnvironmentVariables implements ConfigResolver {
    private static final String OURS = "DROVER_";

    private final Map<String, String> variables;

    EnvironmentVariables(Map<String, String> variables) {
        this.variables = variables;
    }

    /** The variable that replaces a key's default: {@code DROVER_ACCESS_LOG_FILE} for {@code drover.access-log.file}. */
    static String nameOf(String key) {
        return key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    @Override
    public @Nullable ConfigValue lookup(String path) {
        String value = variables.get(path);
        // Compose files pass variables on that nobody set; they arrive empty and must not undo a default.
        if (value == null || (value.isEmpty() && path.startsWith(OURS))) {
            return null;
        }
        return ConfigValueFactory.fromAnyRef(value, Findings.ENVIRONMENT_ORIGIN + path);
    }

    /** Nothing to fall back to: the process's own environment does not count. */
    @Override
    public ConfigResolver withFallback(ConfigResolver fallback) {
        return this;
    }

    /**
     * Warns of variables that are a slip away from one of ours. Others are no error: Kubernetes sets DROVER_PORT and
     * the like for a service of that name.
     */
    void warnOfSlips(Set<String> keys, Findings findings) {
        Set<String> known = new TreeSet<>();
        keys.forEach(key -> known.add(nameOf(key)));
        for (String name : new TreeSet<>(variables.keySet())) {
            if (name.startsWith(OURS) && !known.contains(name)) {
                known.stream()
                        .filter(candidate -> KnownKeys.distance(name, candidate) <= 2)
                        .findFirst()
                        .ifPresent(nearest -> findings.warning(
                                new ConfigProblem(ConfigProblem.ENVIRONMENT, 0, name, "unknown variable", nearest)));
            }
        }
    }
}
