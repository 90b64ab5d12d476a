package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
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
    private ConfigOptions options = new ConfigOptions();

    @Override
    public Integer call() throws ConfigException, IOException {
        LoadedConfig loaded = ConfigLoader.load(options.source());
        loaded.warnings().forEach(warning -> LOG.warn("{}", warning));
        RunningProcess.untilSignalled(ProxyServer.start(loaded.config()));
        return 0;
    }
}
