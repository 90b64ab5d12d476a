package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawClient;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The same behaviour however clients use their connections, on one event loop and on two, on each transport. */
class ConnectionModesTest {
    private static final int CLIENTS = 6;

    /** How a client sends its requests. */
    enum Mode {
        KEEP_ALIVE,
        CLOSE,
        PIPELINED,
        HTTP_10,
        HTTP_10_KEEP_ALIVE
    }

    private record Ask(String method, String path, String body, int status, String words) {}

    private static final List<Ask> ASKS = List.of(
            new Ask("POST", "/api/chat", Route.BODY, 200, "\"done\":true"),
            new Ask("GET", "/api/tags", "", 200, "llama3.2"),
            new Ask(
                    "POST",
                    "/api/generate",
                    "{\"model\":\"llama3.2\",\"prompt\":\"x\",\"stream\":false}",
                    200,
                    "\"done\":true"),
            new Ask("GET", "/health", "", 200, "ok"),
            new Ask("POST", "/api/show", "{\"model\":\"nothing\"}", 404, "not found"),
            new Ask("POST", "/api/chat", "{\"model\":\"nothing\"}", 404, "not found"),
            new Ask("POST", "/v1/chat/completions", "{\"model\":\"llama3.2\",\"messages\":[]}", 400, "messages"),
            new Ask("GET", "/v1/models", "", 200, "llama3.2"),
            new Ask("POST", "/api/embed", "{\"model\":\"nomic-embed-text\",\"input\":\"x\"}", 200, "embeddings"),
            new Ask("GET", "/nothing/here", "", 404, "404 page not found"),
            new Ask("POST", "/api/chat", Route.BODY, 200, "\"done\":true"));

    static Stream<Arguments> all() {
        return Engine.all().flatMap(engine -> Stream.of(Mode.values()).map(mode -> Arguments.of(engine, mode)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("all")
    void everyClientGetsItsOwnAnswersInOrder(Engine engine, Mode mode) throws Exception {
        SimulatedOllama.Settings settings =
                SimulatedOllama.Settings.defaults().withTokens(5).withSlots(8);
        try (SimulatedOllama a = SimulatedOllama.start(settings);
                SimulatedOllama b = SimulatedOllama.start(settings);
                Drover drover = Drover.over(a.url(), b.url()).on(engine).start()) {
            List<Thread> clients = new ArrayList<>();
            List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < CLIENTS; i++) {
                Thread client = new Thread(() -> {
                    try {
                        play(drover, mode);
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                });
                client.start();
                clients.add(client);
            }
            for (Thread client : clients) {
                client.join();
            }
            assertThat(failures).isEmpty();
            drover.drained(CLIENTS * ASKS.size());
            assertThat(drover.logLines()).extracting(LogLine::outcome).containsOnly("ok");
        }
    }

    private static void play(Drover drover, Mode mode) {
        switch (mode) {
            case CLOSE, HTTP_10 ->
                ASKS.forEach(ask -> {
                    try (RawClient client = drover.connect()) {
                        client.send(bytes(ask, mode));
                        check(ask, client.readResponse());
                        client.expectClosed();
                    }
                });
            case PIPELINED -> {
                try (RawClient client = drover.connect()) {
                    StringBuilder all = new StringBuilder();
                    ASKS.forEach(ask -> all.append(bytes(ask, mode)));
                    client.send(all.toString());
                    ASKS.forEach(ask -> check(ask, client.readResponse()));
                }
            }
            case KEEP_ALIVE -> {
                try (RawClient client = drover.connect()) {
                    ASKS.forEach(ask -> check(ask, client.send(bytes(ask, mode)).readResponse()));
                }
            }
            case HTTP_10_KEEP_ALIVE -> keepAlive10(drover);
        }
    }

    /** An answer whose length is not known beforehand ends the connection: this client knows no chunks. */
    private static void keepAlive10(Drover drover) {
        RawClient client = drover.connect();
        for (Ask ask : ASKS) {
            client.send(bytes(ask, Mode.HTTP_10_KEEP_ALIVE));
            RawClient.Response response = client.readResponse();
            check(ask, response);
            boolean kept = response.header("Connection").equals("keep-alive");
            assertThat(kept).isEqualTo(response.head().has("Content-Length"));
            if (!kept) {
                client.expectClosed();
                client.close();
                client = drover.connect();
            }
        }
        client.close();
    }

    private static String bytes(Ask ask, Mode mode) {
        boolean old = mode == Mode.HTTP_10 || mode == Mode.HTTP_10_KEEP_ALIVE;
        String connection =
                switch (mode) {
                    case CLOSE -> "Connection: close\r\n";
                    case HTTP_10_KEEP_ALIVE -> "Connection: keep-alive\r\n";
                    default -> "";
                };
        return ask.method + " " + ask.path + (old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\nHost: herd.local\r\n") + connection
                + (ask.body.isEmpty() ? "" : "Content-Length: " + ask.body.length() + "\r\n") + "\r\n" + ask.body;
    }

    private static void check(Ask ask, RawClient.Response response) {
        assertThat(response.status()).as(ask.path).isEqualTo(ask.status);
        assertThat(response.body()).as(ask.path).contains(ask.words);
    }
}
