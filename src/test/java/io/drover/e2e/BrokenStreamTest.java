package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A stream that breaks after its first byte: the client is told in the stream, where that is sure to be understood, or
 * else its connection breaks too. What it gets is never a proper end without an error.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("io.drover.testing.Engine#all")
class BrokenStreamTest {
    private static final String TRUNCATED = "the backend broke off the answer: truncated answer";
    private static final String LAST_CHUNK = "0\r\n\r\n";

    /** A stream of each kind, chunk by chunk; some chunks end within a line or an event. */
    @SuppressWarnings("ImmutableEnumChecker") // lists of List.of
    enum Api {
        OLLAMA("/api/chat", "application/x-ndjson", List.of("{\"a\":1}\n", "{\"b\"", ":2}\n")),
        OPENAI("/v1/chat/completions", "text/event-stream", List.of("data: {}\n\n", "data: {", "}\n", "\n")),
        RESPONSES("/v1/responses", "Text/Event-Stream; charset=utf-8", List.of("event: a\ndata: {}\n\n", "data: 1\n")),
        ANTHROPIC("/v1/messages", "text/event-stream", List.of("event: a\n", "data: {}\n\n", ": b\n\n"));

        final String path;
        final String type;
        final List<String> chunks;

        Api(String path, String type, List<String> chunks) {
            this.path = path;
            this.type = type;
            this.chunks = chunks;
        }

        boolean isOrderly() {
            return this == OLLAMA;
        }

        String head() {
            return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n";
        }

        String wire() {
            StringBuilder wire = new StringBuilder();
            chunks.forEach(chunk -> wire.append(chunk(chunk)));
            return wire.append(LAST_CHUNK).toString();
        }

        /** What is known to be whole of the first {@code cut} bytes, and so may have gone to the client as it is. */
        String proven(int cut) {
            int at = 0;
            for (String chunk : chunks) {
                int data = at + chunk(chunk).indexOf('\n') + 1;
                int end = data + chunk.length();
                if (cut < data) {
                    return wire().substring(0, at);
                }
                if (cut < end + 2) {
                    return wire().substring(0, Math.min(cut, end));
                }
                at = end + 2;
            }
            return wire().substring(0, at);
        }

        /** Whether these bytes of the wire end behind a chunk. */
        boolean endsAChunk(String proven) {
            int at = 0;
            for (String chunk : chunks) {
                at += chunk(chunk).length();
                if (at == proven.length()) {
                    return true;
                }
            }
            return false;
        }

        /** The payload of the first {@code cut} bytes. */
        String payload(int cut) {
            StringBuilder payload = new StringBuilder();
            int at = 0;
            for (String chunk : chunks) {
                int data = at + chunk(chunk).indexOf('\n') + 1;
                payload.append(chunk, 0, Math.max(0, Math.min(cut - data, chunk.length())));
                at = data + chunk.length() + 2;
            }
            return payload.toString();
        }

        boolean endsALineOrEvent(String text) {
            return text.endsWith(this == OLLAMA ? "\n" : "\n\n");
        }

        String error(String message) {
            return switch (this) {
                case OLLAMA -> "{\"error\":\"" + message + "\"}\n";
                case OPENAI ->
                    "data: {\"error\":{\"message\":\"" + message
                            + "\",\"type\":\"api_error\",\"param\":null,\"code\":null}}\n\n";
                case RESPONSES ->
                    "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"" + message
                            + "\",\"param\":null}\n\n";
                case ANTHROPIC ->
                    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"" + message
                            + "\"}}\n\n";
            };
        }
    }

    private final Engine engine;

    BrokenStreamTest(Engine engine) {
        this.engine = engine;
    }

    private static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }

    /** Sends so many bytes of the stream as the request asks for, and closes; answers any other request well. */
    private static RawBackend breaking(Api api) throws Exception {
        return RawBackend.start(connection -> {
            while (connection.hasMore()) {
                String line = connection.readRequest().startLine();
                int cut = line.indexOf("?cut=");
                if (cut < 0) {
                    connection.answer("{}");
                } else {
                    int bytes = Integer.parseInt(line.substring(cut + 5, line.lastIndexOf(' ')));
                    connection.send(api.head() + api.wire().substring(0, bytes));
                    return;
                }
            }
        });
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static String read(RawClient client, int length) {
        return text(client.readExactly(length));
    }

    @ParameterizedTest
    @EnumSource
    void whereverItBreaksTheClientIsToldOrCutOff(Api api) throws Exception {
        int length = api.wire().length();
        int told = 0;
        try (RawBackend backend = breaking(api);
                Drover drover = Drover.over(backend.url()).on(engine).start()) {
            for (int cut = 0; cut < length; cut++) {
                try (RawClient client = drover.connect()) {
                    client.request("POST", api.path + "?cut=" + cut, Route.BODY);
                    assertThat(client.readHead().isChunked()).isTrue();
                    String expected = api.proven(cut);
                    if (!api.endsAChunk(expected) || !api.endsALineOrEvent(api.payload(cut))) {
                        assertThat(text(client.readUntilClose()))
                                .as("cut at %d", cut)
                                .isEqualTo(expected);
                    } else if (api.isOrderly()) {
                        told++;
                        expected += chunk(api.error(TRUNCATED)) + LAST_CHUNK;
                        assertThat(read(client, expected.length()))
                                .as("cut at %d", cut)
                                .isEqualTo(expected);
                        assertThat(client.exchange("GET", "/api/version", "").body())
                                .isEqualTo("{}");
                    } else {
                        told++;
                        expected += chunk(api.error(TRUNCATED));
                        assertThat(text(client.readUntilClose()))
                                .as("cut at %d", cut)
                                .isEqualTo(expected);
                    }
                }
            }
            assertThat(told).isPositive();
            int answered = length + (api.isOrderly() ? told : 0);
            assertThat(drover.log(answered).stream()
                            .filter(line -> !line.outcome().equals("ok")))
                    .hasSize(length)
                    .allSatisfy(line -> {
                        assertThat(line.status()).isEqualTo(200);
                        assertThat(line.outcome()).isEqualTo("relay/upstream");
                        assertThat(line.get("cause")).isEqualTo("truncated answer");
                    });
        }
    }

    @ParameterizedTest
    @EnumSource
    void toHttp10ItEndsInAnErrorOrAReset(Api api) throws Exception {
        try (RawBackend backend = breaking(api);
                Drover drover = Drover.over(backend.url()).on(engine).start()) {
            for (int cut = 0; cut < api.wire().length(); cut++) {
                try (RawClient client = drover.connect()) {
                    client.send("POST " + api.path + "?cut=" + cut + " HTTP/1.0\r\nConnection: keep-alive\r\n"
                            + "Content-Length: " + Route.BODY.length() + "\r\n\r\n" + Route.BODY);
                    assertThat(client.readHead().header("Connection")).isEqualTo("close");
                    String payload = api.payload(cut);
                    boolean told = api.endsALineOrEvent(payload);
                    String expected = payload + (told ? api.error(TRUNCATED) : "");
                    assertThat(read(client, expected.length()))
                            .as("cut at %d", cut)
                            .isEqualTo(expected);
                    if (told && api.isOrderly()) {
                        assertThat(client.readUntilClose()).isEmpty();
                    } else {
                        client.expectReset();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStreamThatStallsIsToldSo(Api api) throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(api.head());
                    connection.sendChunk(api.isOrderly() ? "{}\n" : "data: {}\n\n");
                    connection.awaitClientClose();
                });
                Drover drover = Drover.over(backend.url())
                        .on(engine)
                        .set("timeouts.idle", "200ms")
                        .start();
                RawClient client = drover.connect()) {
            client.request("POST", api.path, Route.BODY).readHead();
            client.readChunk();
            assertThat(client.readChunk()).isEqualTo(api.error("the backend broke off the answer: answer stalled"));
            endsLike(api, client);
        }
    }

    /** Behind the error: a last chunk, or the end of the connection without one. */
    private static void endsLike(Api api, RawClient client) {
        if (api.isOrderly()) {
            assertThat(client.readChunk()).isEmpty();
        } else {
            client.expectClosed();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStreamThatTheProcessEndsIsToldSo(Api api) throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(api.head());
                    connection.sendChunk(api.isOrderly() ? "{}\n" : "data: {}\n\n");
                    connection.awaitClientClose();
                });
                Drover drover = Drover.over(backend.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", api.path, Route.BODY).readHead();
            client.readChunk();
            drover.kill();
            assertThat(client.readChunk()).isEqualTo(api.error("the proxy broke off the answer: the process ends"));
            endsLike(api, client);
            assertThat(drover.logged().outcome()).isEqualTo("relay/proxy");
        }
    }

    /** The backend's framing cannot go on as it is, so the client's is Drover's own: always between two chunks. */
    @ParameterizedTest
    @CsvSource({"8;x=1", "none"})
    void aStreamThatIsFramedAnewIsToldToo(String size) throws Exception {
        String line = "{\"a\":1}\n";
        boolean framed = !size.equals("none");
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                            + (framed ? "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\n" : "\r\n") + line);
                    connection.hold();
                    connection.reset();
                });
                Drover drover = Drover.over(backend.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", "{\"model\":\"m\"}").readHead();
            assertThat(client.readChunks()).containsExactly(line, Api.OLLAMA.error(TRUNCATED));
        }
    }

    /** Nothing of ours belongs in a body whose length or coding is told, or whose readers look for no error in it. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/api/chat            | application/x-ndjson | Content-Length: 99",
                "/api/chat            | application/x-ndjson | Content-Encoding: gzip",
                "/api/chat            | application/x-ndjson2| X: y",
                "/api/chat            | application/json     | X: y",
                "/api/chat            | text/event-stream    | X: y",
                "/api/pull            | application/x-ndjson | X: y",
                "/v1/chat/completions | application/x-ndjson | X: y",
                "/v1/chat/completions | application/json     | X: y"
            })
    void anyOtherAnswerIsCut(String path, String type, String field) throws Exception {
        boolean length = field.startsWith("Content-Length");
        String body = length ? "{}\n\n" : chunk("{}\n\n");
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n" + field + "\r\n"
                            + (length ? "" : "Transfer-Encoding: chunked\r\n") + "\r\n" + body);
                });
                Drover drover = Drover.over(backend.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", path, Route.BODY).readHead();
            assertThat(text(client.readUntilClose())).isEqualTo(body);
        }
    }

    /** The break is known while megabytes still wait for the client: they go out first, then the error, then the end. */
    @ParameterizedTest
    @EnumSource
    void aSlowReaderGetsEverythingBeforeTheError(Api api) throws Exception {
        String piece = "x".repeat(65_000) + "\n\n";
        int pieces = 128;
        try (RawBackend backend = flooding(api, piece, pieces);
                Drover drover = Drover.over(backend.url())
                        .on(engine)
                        .set("buffers.stream-high", "16MiB")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 4096)) {
            client.request("POST", api.path, Route.BODY);
            assertThat(drover.logged().get("cause")).isEqualTo("truncated answer");
            client.readHead();
            for (int i = 0; i < pieces; i++) {
                assertThat(client.readChunk()).hasSize(piece.length());
            }
            assertThat(client.readChunk()).isEqualTo(api.error(TRUNCATED));
            endsLike(api, client);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"OLLAMA", "OPENAI"})
    void aClientThatReadsNothingIsLetGoInTime(Api api) throws Exception {
        try (RawBackend backend = flooding(api, "x".repeat(65_000) + "\n\n", 128);
                Drover drover = Drover.over(backend.url())
                        .on(engine)
                        .set("buffers.stream-high", "16MiB")
                        .set("timeouts.client-write", "400ms")
                        .set("timeouts.keep-alive", "400ms")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 4096)) {
            client.request("POST", api.path, Route.BODY);
            Drover.await(
                    "cut", Duration.ofSeconds(5), () -> drover.logLines().size() == 1 && drover.openClients() == 0);
            client.readUntilReset();
        }
    }

    private static RawBackend flooding(Api api, String piece, int pieces) throws Exception {
        return RawBackend.start(connection -> {
            connection.readRequest();
            connection.send(api.head());
            for (int i = 0; i < pieces; i++) {
                connection.sendChunk(piece);
            }
        });
    }
}
