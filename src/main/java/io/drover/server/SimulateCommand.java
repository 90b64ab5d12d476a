package io.drover.server;

import io.drover.demo.SimulatedOllama;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** One simulated Ollama server without a proxy, for trying out a deployment on machines that have no GPU. */
@Command(name = "simulate", description = "Runs a simulated Ollama server, to try out a deployment without a GPU.")
final class SimulateCommand implements Callable<Integer> {
    private static final Pattern HOST_PORT = Pattern.compile("(.+):(\\d{1,5})");
    private static final int MAX_PORT = 65_535;

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
        try (SimulatedOllama server = SimulatedOllama.start(settings())) {
            InetSocketAddress at = server.address();
            PrintWriter out = spec.commandLine().getOut();
            out.println("simulated Ollama server on " + at.getHostString() + ":" + at.getPort() + " with " + model);
            out.flush();
            CountDownLatch stop = new CountDownLatch(1);
            Signals.on("TERM", stop::countDown);
            Signals.on("INT", stop::countDown);
            stop.await();
        }
        return 0;
    }

    private SimulatedOllama.Settings settings() {
        InetSocketAddress address = address();
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

    /** Without a host it would be the loopback address, where `run --listen` takes every address. */
    private InetSocketAddress address() {
        Matcher parts = HOST_PORT.matcher(listen);
        if (parts.matches() && Integer.parseInt(parts.group(2)) <= MAX_PORT) {
            InetSocketAddress address = new InetSocketAddress(parts.group(1), Integer.parseInt(parts.group(2)));
            if (!address.isUnresolved()) {
                return address;
            }
        }
        throw new ParameterException(
                spec.commandLine(), "--listen: " + listen + " (expected: host:port, such as 0.0.0.0:11434)");
    }
}
