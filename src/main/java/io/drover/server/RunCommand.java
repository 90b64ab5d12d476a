package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.config.ConfigSource;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Serves until a signal ends it. */
@Command(name = "run", description = "Serves: the proxy in front of the configured Ollama servers.")
final class RunCommand implements Callable<Integer> {
    @Mixin
    ConfigOptions options = new ConfigOptions();

    @Override
    public Integer call() throws ConfigException, IOException {
        return serve(options.source());
    }

    /** Serves, and gives the exit code once a signal has ended that. */
    static int serve(ConfigSource source) throws ConfigException, IOException {
        RunningProcess.untilSignalled(ProxyServer.start(source));
        return 0;
    }
}
