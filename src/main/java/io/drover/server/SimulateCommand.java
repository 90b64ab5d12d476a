package io.drover.server;

import io.drover.demo.SimulatedOllama;
import java.io.PrintWriter;
import java.net.URI;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** One simulated Ollama server by itself, for a demo whose parts run in containers of their own. */
@Command(name = "simulate", description = "Runs a simulated Ollama server, without the proxy.")
final class SimulateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(names = "--listen", defaultValue = "127.0.0.1:11434", description = "default: ${DEFAULT-VALUE}")
    private String listen = "";

    @Option(names = "--tokens-per-second", defaultValue = "20", description = "default: ${DEFAULT-VALUE}")
    private double tokensPerSecond;

    @Override
    public Integer call() throws InterruptedException {
        URI address = address();
        SimulatedOllama.Settings settings = DemoCommand.settings(tokensPerSecond)
                .withHost(address.getHost())
                .withPort(address.getPort());
        CountDownLatch stop = new CountDownLatch(1);
        Signals.on("TERM", stop::countDown);
        Signals.on("INT", stop::countDown);
        try (SimulatedOllama server = SimulatedOllama.start(settings)) {
            PrintWriter out = spec.commandLine().getOut();
            out.println("simulated Ollama on " + server.url());
            out.flush();
            stop.await();
        }
        return 0;
    }

    private URI address() {
        try {
            URI address = URI.create("http://" + listen);
            if (address.getHost() != null && address.getPort() >= 0) {
                return address;
            }
        } catch (IllegalArgumentException malformed) {
            // Told below.
        }
        throw new ParameterException(
                spec.commandLine(), "--listen: \"" + listen + "\" (expected: host:port, such as 0.0.0.0:11434)");
    }
}
