package io.drover.server;

import io.drover.config.ConfigSource;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say where the configuration comes from; flags win over the file. */
final class ConfigOptions {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "the configuration file (HOCON)")
    private @Nullable Path file;

    @Option(
            names = "--backend",
            paramLabel = "URL",
            description = "an Ollama server, such as http://gpu1:11434; may be repeated; replaces those of the file")
    private List<String> backends = List.of();

    @Option(names = "--listen", paramLabel = "HOST:PORT", description = "address of the proxy port")
    private @Nullable String listen;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "any other key below drover, such as --set retry.attempts=3")
    private Map<String, String> settings = Map.of();

    ConfigSource source() {
        Map<String, String> overrides = new LinkedHashMap<>(settings);
        if (listen != null) {
            overrides.put("listen", listen);
        }
        return new ConfigSource(Optional.ofNullable(file), System.getenv(), backends, overrides);
    }
}
