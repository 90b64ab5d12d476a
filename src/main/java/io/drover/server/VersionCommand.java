package io.drover.server;

import io.drover.config.DroverConfig.TransportKind;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Tells what this is and runs on. */
@Command(name = "version", description = "Prints the version, the Java and the transport in use.")
final class VersionCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Override
    public Integer call() {
        spec.commandLine()
                .getOut()
                .printf(
                        "drover %s, Java %s (%s), transport %s%n",
                        Version.current(),
                        System.getProperty("java.version"),
                        System.getProperty("java.vm.name"),
                        Transport.choose(TransportKind.AUTO).name());
        spec.commandLine().getOut().flush();
        return 0;
    }
}
