package io.drover.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigResolveOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Makes a {@link DroverConfig} from a file, flags and the environment, or says everything that is wrong in them. */
public final class ConfigLoader {
    private static final String ROOT = "drover";
    private static final String ENTRY = "backend-entry";
    private static final ConfigParseOptions HOCON =
            ConfigParseOptions.defaults().setSyntax(ConfigSyntax.CONF).setAllowMissing(false);

    private final ConfigSource source;
    private final long heap;
    private final Findings findings;
    private final EnvironmentVariables environment;
    private final Config reference;
    private final ConfigObject defaults;
    private final ConfigObject entryDefaults;
    private final KnownKeys known;

    ConfigLoader(ConfigSource source) {
        this(source, Runtime.getRuntime().maxMemory());
    }

    /** @param heap most bytes that the JVM's heap may have */
    ConfigLoader(ConfigSource source, long heap) {
        this.source = source;
        this.heap = heap;
        this.findings = new Findings(source.file());
        this.environment = new EnvironmentVariables(source.environment());
        Config all = reference();
        this.reference = all.withoutPath(ENTRY);
        this.defaults =
                reference.resolve(options(new EnvironmentVariables(Map.of()))).root();
        this.entryDefaults = all.getObject(ENTRY);
        this.known = new KnownKeys(defaults, entryDefaults);
    }

    /** @throws ConfigException with every problem at once */
    public static LoadedConfig load(ConfigSource source) throws ConfigException {
        return new ConfigLoader(source).load();
    }

    /**
     * Loads what is to take the place of {@code running}, as far as it can without a restart.
     *
     * @throws ConfigException with every problem at once, also of what is new together with what stays
     */
    public static LoadedConfig reload(ConfigSource source, DroverConfig running) throws ConfigException {
        return new ConfigLoader(source).load(Optional.of(running));
    }

    LoadedConfig load() throws ConfigException {
        return load(Optional.empty());
    }

    private LoadedConfig load(Optional<DroverConfig> running) throws ConfigException {
        ConfigObject values = resolve(flags().withFallback(file()).withFallback(reference));
        known.check("", values, defaults, findings);
        environment.warnOfSlips(known.settings(), findings);
        Section drover = new Section(ROOT, ROOT, section(values), section(defaults), findings);
        DroverConfig config = new Records(drover, new Backends(known, entryDefaults, findings).read(drover)).read();
        LaterKeys.checkDrover(drover);
        new Relations(drover, config, heap).check();
        findings.throwIfAny();
        if (running.isEmpty()) {
            return new LoadedConfig(config, findings.warnings(), List.of());
        }
        DroverConfig merged = config.reloadedInto(running.get());
        new Relations(drover, merged, heap).check();
        findings.throwIfAny();
        return new LoadedConfig(merged, findings.warnings(), config.restartKeys(running.get()));
    }

    /** What the load asked for, in full. */
    Set<String> readKeys() {
        return findings.readKeys();
    }

    private ConfigObject section(ConfigObject root) {
        ConfigValue value = root.getOrDefault(ROOT, defaults);
        if (value instanceof ConfigObject object) {
            return object;
        }
        findings.problem(ROOT, value.origin(), "no object", "drover { ... }");
        return section(defaults);
    }

    private Config flags() {
        Config flags = ConfigFactory.empty();
        for (Map.Entry<String, String> flag : source.overrides().entrySet()) {
            flags = flags.withValue(
                    ROOT + "." + flag.getKey(),
                    ConfigValueFactory.fromAnyRef(flag.getValue(), ConfigProblem.COMMAND_LINE));
        }
        List<String> urls = source.backendUrls();
        return urls.isEmpty()
                ? flags
                : flags.withValue(
                        ROOT + ".backends", ConfigValueFactory.fromIterable(urls, ConfigProblem.COMMAND_LINE));
    }

    private Config file() throws ConfigException {
        if (source.file().isEmpty()) {
            return ConfigFactory.empty();
        }
        Path file = source.file().get();
        try {
            return ConfigFactory.parseFile(file.toFile(), HOCON);
        } catch (com.typesafe.config.ConfigException unreadable) {
            throw fatal(unreadable);
        }
    }

    private ConfigObject resolve(Config stacked) throws ConfigException {
        try {
            return stacked.resolve(options(environment)).root();
        } catch (com.typesafe.config.ConfigException unresolvable) {
            throw fatal(unresolvable);
        }
    }

    private static ConfigResolveOptions options(EnvironmentVariables variables) {
        return ConfigResolveOptions.noSystem().appendResolver(variables);
    }

    /** A problem that hides all others, since nothing can be read. */
    private ConfigException fatal(com.typesafe.config.ConfigException cause) {
        int line = cause.origin() == null ? 0 : Math.max(0, cause.origin().lineNumber());
        boolean inAnother = cause.origin() != null && cause.origin().filename() != null;
        String file = inAnother ? cause.origin().filename() : Findings.wholeSource(source.file());
        SyntaxMessage message = SyntaxMessage.of(cause, Findings.wholeSource(source.file()));
        return new ConfigException(List.of(new ConfigProblem(file, line, "", message.found(), message.expected())));
    }

    private static Config reference() {
        try (InputStream in =
                Objects.requireNonNull(ConfigLoader.class.getResourceAsStream("/" + Findings.REFERENCE))) {
            // As a whole: typesafe-config asks for single characters, each of which costs an InputStreamReader a lot.
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return ConfigFactory.parseString(text, HOCON.setOriginDescription(Findings.REFERENCE));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
