package io.drover.server;

import io.drover.config.DroverConfig.TlsProvider;
import io.drover.config.DroverConfig.TransportKind;
import io.drover.tls.TlsLibrary;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Tells what this is and runs on. */
@Command(name = "version", description = "Prints the version, the Java, the transport and the TLS library in use.")
final class VersionCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Override
    public Integer call() {
        spec.commandLine()
                .getOut()
                .printf(
                        "drover %s, Java %s (%s), transport %s, TLS by %s%n",
                        Version.current(),
                        System.getProperty("java.version"),
                        System.getProperty("java.vm.name"),
                        Transport.choose(TransportKind.AUTO).name(),
                        TlsLibrary.name(TlsProvider.AUTO));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
