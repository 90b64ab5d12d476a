package io.drover.server;

import io.drover.admission.KeyRing;
import io.drover.cache.ResponseCache;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigText;
import io.drover.config.LoadedConfig;
import io.drover.tls.ServerTls;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Validates a configuration and tells what was understood, as {@code nginx -t} does. */
@Command(name = "check", description = "Validates the configuration and prints what it understood.")
final class CheckCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Override
    public Integer call() throws ConfigException, IOException {
        LoadedConfig loaded = ConfigLoader.load(options.source());
        ServerTls.of(loaded.config().tls());
        ResponseCache.check(loaded.config().cache());
        try (Credentials credentials = Credentials.ofFiles()) {
            credentials.configure(loaded.config().auth());
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(ConfigText.render(loaded.config()));
        loaded.warnings().forEach(warning -> out.println("warning: " + warning));
        Optional<Path> keysFile = loaded.config().auth().keysFile();
        if (keysFile.isPresent()) {
            out.println(keysFile.get() + " holds " + KeyRing.check(keysFile.get()) + " API keys");
        }
        out.println("the configuration is valid");
        out.flush();
        return 0;
    }
}
