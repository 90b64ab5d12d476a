package io.drover.config;

import java.util.List;

/**
 * A valid configuration.
 *
 * @param warnings what the user set and this version accepts without any effect
 */
public record LoadedConfig(DroverConfig config, List<ConfigProblem> warnings) {
    public LoadedConfig {
        warnings = List.copyOf(warnings);
    }
}
