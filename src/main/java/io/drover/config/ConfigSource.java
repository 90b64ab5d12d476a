package io.drover.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where a configuration comes from. Flags come before the file, the file before the environment, which replaces
 * defaults only.
 *
 * @param file the HOCON file, if one was named
 * @param environment variables, as {@link System#getenv()}; {@code DROVER_*} replace defaults, and a file may name any
 * @param backendUrls URLs of {@code --backend} flags; if there are any, the file's backends do not count
 * @param overrides values of other flags, by their key below {@code drover}, as in {@code admin.listen}
 */
public record ConfigSource(
        Optional<Path> file, Map<String, String> environment, List<String> backendUrls, Map<String, String> overrides) {

    public ConfigSource {
        environment = Map.copyOf(environment);
        backendUrls = List.copyOf(backendUrls);
        overrides = Map.copyOf(overrides);
    }

    /** A file alone. */
    public static ConfigSource of(Path file) {
        return new ConfigSource(Optional.of(file), Map.of(), List.of(), Map.of());
    }
}
