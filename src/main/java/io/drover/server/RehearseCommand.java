package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.config.ConfigSource;
import io.drover.demo.SimulatedOllama;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * A whole life of the process in a second: it starts in front of a simulated Ollama server, answers a few requests of its
 * own and ends. The build has the JVM watch this, to keep the classes that a start needs in an archive beside the jar.
 * Needs nothing but the loopback interface, on free ports.
 */
@Command(
        name = "rehearse",
        hidden = true,
        description = "Starts, answers a few requests of its own and ends; for making an archive of classes.")
final class RehearseCommand implements Callable<Integer> {
    private static final String ANY_PORT = "127.0.0.1:0";

    /** For each answer, all of it. */
    private static final int WITHIN_MILLIS = 5_000;

    private static final String GENERATE = "{\"model\":\"llama3.2\",\"prompt\":\"hello\",\"stream\":false}";
    private static final String CHAT =
            "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";

    @Override
    public Integer call() throws ConfigException, IOException {
        Path file = Files.createTempFile("drover", ".conf");
        try (SimulatedOllama backend =
                SimulatedOllama.start(SimulatedOllama.Settings.defaults().withTokens(3))) {
            Files.writeString(file, "drover.backends = [{ name = rehearsal, url = \"" + backend.url() + "\" }]\n");
            Map<String, String> ports = Map.of("listen", ANY_PORT, "admin.listen", ANY_PORT);
            ConfigSource source = new ConfigSource(Optional.of(file), Map.of(), List.of(), ports);
            ProxyServer server = ProxyServer.start(source);
            try {
                ask(server.addresses().get(0), server.adminAddress());
            } finally {
                new Drain(server).run();
            }
        } finally {
            Files.deleteIfExists(file);
        }
        return 0;
    }

    private static void ask(InetSocketAddress proxy, InetSocketAddress admin) throws IOException {
        ask(proxy, "GET", "/api/tags", "");
        ask(proxy, "POST", "/api/generate", GENERATE);
        ask(proxy, "POST", "/api/chat", CHAT);
        ask(proxy, "POST", "/v1/chat/completions", CHAT);
        ask(admin, "GET", "/ready", "");
        ask(admin, "GET", "/metrics", "");
    }

    private static void ask(InetSocketAddress at, String method, String path, String body) throws IOException {
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(WITHIN_MILLIS);
            socket.connect(at, WITHIN_MILLIS);
            String request =
                    method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
                            + body.length() + "\r\n\r\n" + body;
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!answer.startsWith("HTTP/1.1 200 ")) {
                throw new IOException(path + ": " + answer.lines().findFirst().orElse("nothing") + " (expected: 200)");
            }
        }
    }
}
