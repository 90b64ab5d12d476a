package io.drover.server;

import io.drover.config.ConfigSource;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
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

    /**
     * The options after {@code run}, if each is a name, a blank and a value with nothing unusual about it; empty if they
     * are picocli's to read, or to refuse. Nearly every start looks like this, and loading picocli takes a fifth of one.
     */
    static Optional<ConfigOptions> ofPlainRun(String... arguments) {
        if (arguments.length % 2 == 0 || !arguments[0].equals("run")) {
            return Optional.empty();
        }
        ConfigOptions options = new ConfigOptions();
        for (int i = 1; i < arguments.length; i += 2) {
            if (!options.take(arguments[i], arguments[i + 1])) {
                return Optional.empty();
            }
        }
        return Optional.of(options);
    }

    private boolean take(String name, String value) {
        // To picocli a dash may begin an option, an at sign names a file of arguments, and quotes may hold anything.
        if (value.isEmpty() || value.startsWith("-") || value.startsWith("@") || value.contains("\"")) {
            return false;
        }
        return switch (name) {
            case "-c", "--config" -> takeFile(value);
            case "--listen" -> takeListen(value);
            case "--backend" -> {
                backends = new ArrayList<>(backends);
                yield backends.add(value);
            }
            case "--set" -> takeSetting(value);
            default -> false;
        };
    }

    private boolean takeFile(String value) {
        boolean first = file == null;
        try {
            file = Path.of(value);
        } catch (InvalidPathException notAPath) {
            return false;
        }
        return first;
    }

    private boolean takeListen(String value) {
        boolean first = listen == null;
        listen = value;
        return first;
    }

    private boolean takeSetting(String value) {
        int equals = value.indexOf('=');
        if (equals <= 0) {
            return false;
        }
        settings = new LinkedHashMap<>(settings);
        settings.put(value.substring(0, equals), value.substring(equals + 1));
        return true;
    }

    ConfigSource source() {
        Map<String, String> overrides = new LinkedHashMap<>(settings);
        if (listen != null) {
            overrides.put("listen", listen);
        }
        return new ConfigSource(Optional.ofNullable(file), System.getenv(), backends, overrides);
    }
}
