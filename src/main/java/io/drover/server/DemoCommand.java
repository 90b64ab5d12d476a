package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.config.ConfigSource;
import io.drover.demo.SimulatedOllama;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The whole thing on one machine without a GPU: two simulated Ollama servers and the real proxy, in one process. */
@Command(name = "demo", description = "Runs the proxy in front of two simulated Ollama servers.")
final class DemoCommand implements Callable<Integer> {
    private static final String MODEL = "llama3.2";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(names = "--listen", defaultValue = "127.0.0.1:8080", description = "default: ${DEFAULT-VALUE}")
    private String listen = "";

    @Option(names = "--admin-listen", defaultValue = "127.0.0.1:9090", description = "default: ${DEFAULT-VALUE}")
    private String adminListen = "";

    @Option(
            names = "--tokens-per-second",
            defaultValue = "20",
            description = "of each simulated server; default: ${DEFAULT-VALUE}")
    private double tokensPerSecond;

    @Override
    public Integer call() throws ConfigException, IOException {
        SimulatedOllama.Settings settings = settings(tokensPerSecond).withSlots(4);
        try (SimulatedOllama first = SimulatedOllama.start(settings);
                SimulatedOllama second = SimulatedOllama.start(settings)) {
            ConfigSource source = new ConfigSource(
                    Optional.empty(),
                    Map.of(),
                    List.of(first.url().toString(), second.url().toString()),
                    Map.of("listen", listen, "admin.listen", adminListen));
            ProxyServer server = ProxyServer.start(source);
            tell(server, first, second);
            RunningProcess.untilSignalled(server);
        }
        return 0;
    }

    /** How quick a server is for people to watch. */
    static SimulatedOllama.Settings settings(double tokensPerSecond) {
        return SimulatedOllama.Settings.defaults()
                .withLoadTime(Duration.ofMillis(500))
                .withFirstToken(Duration.ofMillis(200))
                .withTokensPerSecond(tokensPerSecond);
    }

    private void tell(ProxyServer server, SimulatedOllama first, SimulatedOllama second) {
        String proxy = text(server.addresses().get(0));
        String admin = text(server.adminAddress());
        PrintWriter out = spec.commandLine().getOut();
        out.println("Drover " + Version.current() + " on http://" + proxy + ", transport "
                + server.transport().name() + ",");
        out.println("in front of two simulated Ollama servers: " + first.url() + " and " + second.url());
        out.println();
        out.println("Watch tokens arrive one by one:");
        out.println("  curl -N " + proxy + "/api/chat -d '{\"model\":\"" + MODEL
                + "\",\"messages\":[{\"role\":\"user\",\"content\":\"Tell me about herding.\"}]}'");
        out.println("See which server answered (X-Drover-Backend), then run it twice at once:");
        out.println("  curl -i " + proxy + "/api/generate -d '{\"model\":\"" + MODEL
                + "\",\"prompt\":\"hello\",\"stream\":false}'");
        out.println("What it says of itself:");
        out.println("  curl " + admin + "/metrics");
        out.println("  curl " + admin + "/ready");
        out.println("The access log follows, one JSON line per request. Ctrl-C ends it.");
        out.println();
        out.flush();
    }

    private static String text(InetSocketAddress address) {
        return address.getAddress().isAnyLocalAddress()
                ? "localhost:" + address.getPort()
                : address.getHostString() + ":" + address.getPort();
    }
}
