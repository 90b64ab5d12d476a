package io.drover.bench;

import io.drover.demo.Fault;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Simulated Ollama servers as a process of its own, which can be killed and stopped. It prints {@code ready}, then
 * {@code asked} for each request for inference, does what the lines of its input say, and ends with its input.
 */
@Command(name = "backend", description = "Simulated Ollama servers, driven by standard input.", hidden = true)
final class BackendCommand implements Callable<Integer> {
    static final String MODEL = "chaos";
    static final String READY = "ready";
    static final String ASKED = "asked";

    @Option(names = "--port", required = true, description = "Of the first one; the others follow.")
    private int port;

    @Option(names = "--count", defaultValue = "1")
    private int count;

    @Option(names = "--pace", defaultValue = "50", description = "Tokens per second of each stream.")
    private double pace;

    @Option(names = "--slots", defaultValue = "64", description = "Streams at once.")
    private int slots;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        SimulatedOllama.Settings settings = SimulatedOllama.Settings.defaults()
                .withModels(List.of(SimulatedModel.named(MODEL)))
                .withFirstToken(Duration.ofMillis(150))
                .withTokensPerSecond(pace)
                .withSlots(slots)
                .withRemembered(0)
                .withLoops(loops, NioServerSocketChannel.class)
                .withOnInference(() -> say(out, ASKED));
        List<SimulatedOllama> servers = IntStream.range(port, port + count)
                .mapToObj(each -> SimulatedOllama.start(settings.withPort(each)))
                .toList();
        say(out, READY);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            servers.forEach(server -> obey(server, words));
        }
        return 0;
    }

    private static void say(PrintWriter out, String line) {
        out.println(line);
        out.flush();
    }

    private static void obey(SimulatedOllama server, String[] words) {
        switch (words[0]) {
            case "pace" -> server.pace(Double.parseDouble(words[1]));
            case "fault" -> server.fault(Fault.after(Integer.parseInt(words[2]), Fault.Kind.valueOf(words[1])));
            case "clear" -> server.clearFaults();
            default -> throw new IllegalArgumentException(words[0] + " (expected: pace, fault or clear)");
        }
    }
}
