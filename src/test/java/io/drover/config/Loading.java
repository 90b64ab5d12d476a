package io.drover.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.Assertions;

/** Loads configurations of a test's directory; problems come back as text, the file's name without its directory. */
final class Loading {
    /** A line that makes a file valid. */
    static final String ONE_BACKEND = "drover.backends = [\"http://gpu1:11434\"]\n";

    private final Path directory;
    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> overrides = new HashMap<>();
    private long heap = Runtime.getRuntime().maxMemory();
    private List<String> urls = List.of();
    private Optional<Path> file = Optional.empty();

    Loading(Path directory) {
        this.directory = directory;
    }

    Loading file(String text) {
        file = Optional.of(write("drover.conf", text));
        return this;
    }

    Loading variable(String name, String value) {
        environment.put(name, value);
        return this;
    }

    Loading flag(String path, String value) {
        overrides.put(path, value);
        return this;
    }

    Loading backends(String... flags) {
        urls = List.of(flags);
        return this;
    }

    Path write(String name, String text) {
        try {
            return Files.writeString(directory.resolve(name), text);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    ConfigSource source() {
        return new ConfigSource(file, environment, urls, overrides);
    }

    /** As if the JVM's heap had at most so many bytes. */
    Loading heap(long bytes) {
        heap = bytes;
        return this;
    }

    LoadedConfig load() throws ConfigException {
        return new ConfigLoader(source(), heap).load();
    }

    LoadedConfig reload(DroverConfig running) throws ConfigException {
        return ConfigLoader.reload(source(), running);
    }

    DroverConfig config() throws ConfigException {
        LoadedConfig loaded = load();
        Assertions.assertThat(loaded.warnings()).isEmpty();
        return loaded.config();
    }

    List<String> warnings() throws ConfigException {
        return load().warnings().stream().map(this::text).toList();
    }

    List<String> problems() {
        try {
            load();
            return List.of();
        } catch (ConfigException wrong) {
            return wrong.problems().stream().map(this::text).toList();
        }
    }

    private String text(ConfigProblem problem) {
        return problem.toString().replace(directory + "/", "");
    }
}
