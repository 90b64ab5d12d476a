package io.drover.server;

import io.drover.config.Addresses;
import io.drover.demo.SimulatedOllama;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** One simulated Ollama server without a proxy, for trying out a deployment on machines that have no GPU. */
@Command(name = "simulate", description = "Runs a simulated Ollama server, to try out a deployment without a GPU.")
final class SimulateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(names = "--listen", defaultValue = "127.0.0.1:11434", description = "default: ${DEFAULT-VALUE}")
    private String listen = "";

    @Option(names = "--model", defaultValue = "llama3.2", description = "that it has; default: ${DEFAULT-VALUE}")
    private String model = "";

    @Option(names = "--slots", defaultValue = "4", description = "requests at once; default: ${DEFAULT-VALUE}")
    private int slots;

    @Option(
            names = "--tokens-per-second",
            defaultValue = "20",
            description = "of each answer; default: ${DEFAULT-VALUE}")
    private double tokensPerSecond;

    @Override
    public Integer call() throws InterruptedException {
        InetSocketAddress address = address();
        try (SimulatedOllama server = SimulatedOllama.start(settings(address))) {
            PrintWriter out = spec.commandLine().getOut();
            out.println("simulated Ollama server on " + address.getHostString() + ":"
                    + server.address().getPort() + " with " + model);
            out.flush();
            CountDownLatch stop = new CountDownLatch(1);
            Signals.on("TERM", stop::countDown);
            Signals.on("INT", stop::countDown);
            stop.await();
        }
        return 0;
    }

    private InetSocketAddress address() {
        try {
            return Addresses.listen(listen);
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(spec.commandLine(), "--listen: " + wrong.getMessage(), wrong);
        }
    }

    private SimulatedOllama.Settings settings(InetSocketAddress address) {
        try {
            return DemoCommand.settings(tokensPerSecond)
                    .withHost(address.getHostString())
                    .withPort(address.getPort())
                    .withModels(model)
                    .withSlots(slots);
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(spec.commandLine(), wrong.getMessage(), wrong);
        }
    }
}
