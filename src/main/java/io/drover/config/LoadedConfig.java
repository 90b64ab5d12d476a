package io.drover.config;

import java.util.List;

/**
 * A valid configuration.
 *
 * @param warnings what the user set and this version accepts without any effect
 * @param restartKeys of a reload: keys that were changed too, and that stay as they are until a restart
 */
public record LoadedConfig(DroverConfig config, List<ConfigProblem> warnings, List<String> restartKeys) {
    public LoadedConfig {
        restartKeys = List.copyOf(restartKeys);
        warnings = List.copyOf(warnings);
    }
}
