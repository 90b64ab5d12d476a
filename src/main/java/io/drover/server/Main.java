package io.drover.server;

import io.drover.config.ConfigException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.security.Security;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionExceptionHandler;

/** The {@code drover} command. */
@Command(
        name = "drover",
        description =
                "A load balancer for self-hosted language models: one address in front of several Ollama servers.",
        subcommands = {
            RunCommand.class,
            CheckCommand.class,
            KeyCommand.class,
            DemoCommand.class,
            SimulateCommand.class,
            VersionCommand.class,
            RehearseCommand.class
        },
        mixinStandardHelpOptions = true,
        scope = CommandLine.ScopeType.INHERIT,
        versionProvider = Main.VersionText.class)
public final class Main implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final int FAILED = 1;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before run()
    private CommandLine.Model.CommandSpec spec;

    public static void main(String[] arguments) {
        // The JDK remembers an address for 30 s; a container that moved must be found sooner.
        Security.setProperty("networkaddress.cache.ttl", "5");
        Security.setProperty("networkaddress.cache.negative.ttl", "1");
        int status = FAILED;
        try {
            Optional<ConfigOptions> plain = ConfigOptions.ofPlainRun(arguments);
            status = plain.isPresent() ? run(plain.get()) : commandLine().execute(arguments);
        } catch (Error e) {
            // Such as a class that cannot be loaded any more, since the jar was replaced under the running process.
            LOG.error("fails", e);
        }
        // Not exit: shutdown hooks have nothing left to do, and threads that still run must not keep a half-dead
        // process.
        System.out.flush();
        Runtime.getRuntime().halt(status);
    }

    private static int run(ConfigOptions options) {
        try {
            return RunCommand.serve(options.source());
        } catch (ConfigException | IOException | RuntimeException e) {
            return failed(e, new PrintWriter(System.err, false, Charset.defaultCharset()));
        }
    }

    private static int failed(Exception error, PrintWriter err) {
        if (error instanceof ConfigException
                || error instanceof IOException
                || error instanceof UnsupportedOperationException) {
            err.println(error.getMessage());
        } else {
            LOG.error("fails by a fault of ours", error);
        }
        err.flush();
        return FAILED;
    }

    static CommandLine commandLine() {
        IExecutionExceptionHandler onError = (error, line, parsed) -> failed(error, line.getErr());
        return new CommandLine(new Main())
                .setExecutionExceptionHandler(onError)
                .setCaseInsensitiveEnumValuesAllowed(true);
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** What {@code --version} prints. */
    static final class VersionText implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"drover " + Version.current()};
        }
    }
}
