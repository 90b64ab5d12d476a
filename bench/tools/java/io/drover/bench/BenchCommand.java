package io.drover.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The door to the tools; the scripts in {@code bench} call it. */
@Command(
        name = "bench",
        description = "Measures proxies in front of Ollama.",
        subcommands = {CompareCommand.class, LoadCommand.class, ChaosCommand.class, BackendCommand.class},
        mixinStandardHelpOptions = true)
public final class BenchCommand implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before run()
    private CommandLine.Model.CommandSpec spec;

    public static void main(String[] arguments) {
        CommandLine line = new CommandLine(new BenchCommand())
                .setExecutionExceptionHandler((error, command, parsed) -> {
                    command.getErr().println(command.getCommandName() + ": " + error.getMessage());
                    return 1;
                });
        System.exit(line.execute(arguments));
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
