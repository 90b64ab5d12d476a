package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.LoadedConfig;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Serves until a signal ends it. */
@Command(name = "run", description = "Serves: the proxy in front of the configured Ollama servers.")
final class RunCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(RunCommand.class);

    @Mixin
    ConfigOptions options = new ConfigOptions();

    @Override
    public Integer call() throws ConfigException, IOException {
        return serve(options.source());
    }

    /** Serves, and gives the exit code once a signal has ended that. */
    static int serve(ConfigSource source) throws ConfigException, IOException {
        LoadedConfig loaded = ConfigLoader.load(source);
        loaded.warnings().forEach(warning -> LOG.warn("{}", warning));
        RunningProcess.untilSignalled(ProxyServer.start(loaded.config()));
        return 0;
    }
}
