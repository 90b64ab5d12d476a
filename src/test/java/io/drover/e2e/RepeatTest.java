package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Models;
import io.drover.demo.Fault;
import io.drover.demo.SimulatedOllama;
import io.drover.ollama.ModelName;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A stream that breaks after its first byte, is asked for again elsewhere, and goes on as if nothing had happened. */
@ParameterizedClass(name = "{0}")
@MethodSource("io.drover.testing.Engine#all")
class RepeatTest {
    private static final String LAST_CHUNK = "0\r\n\r\n";
    private static final String RETRIES = "drover_retries_total{reason=\"mid-stream\",}";

    /** A stream of each kind, as one backend and then another one makes it. */
    @SuppressWarnings("ImmutableEnumChecker") // lists of List.of
    enum Api {
        OLLAMA(
                "/api/chat",
                "application/x-ndjson",
                "{\"model\":\"m\",\"messages\":[],\"options\":{\"seed\":7}}",
                List.of("{\"created_at\":T,\"n\":1}\n", "{\"created_at\":T,", "\"n\":2}\n", "{\"done\":true}\n")),
        OPENAI(
                "/v1/chat/completions",
                "text/event-stream",
                "{\"model\":\"m\",\"stream\":true,\"temperature\":0}",
                List.of("data: {\"id\":T}\n\n", "data: {\"id\":T,\"n\":2}\n", "\ndata: [DONE]\n\n"));

        final String path;
        final String type;
        final String body;
        final List<String> chunks;

        Api(String path, String type, String body, List<String> chunks) {
            this.path = path;
            this.type = type;
            this.body = body;
            this.chunks = chunks;
        }

        String head() {
            return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n";
        }

        String wire(String time) {
            StringBuilder wire = new StringBuilder();
            chunks.forEach(chunk -> wire.append(chunk(chunk.replace("T", time))));
            return wire.append(LAST_CHUNK).toString();
        }

        /** The whole lines of what the first {@code cut} bytes of the wire carry. */
        String lines(String time, int cut) {
            StringBuilder payload = new StringBuilder();
            int at = 0;
            for (String each : chunks) {
                String data = each.replace("T", time);
                int from = at + chunk(data).indexOf('\n') + 1;
                payload.append(data, 0, Math.max(0, Math.min(cut - from, data.length())));
                at += chunk(data).length();
            }
            return payload.substring(0, payload.lastIndexOf("\n") + 1);
        }

        /** What {@code first} wrote until it broke, and the rest of {@code second}'s answer. */
        String joined(String first, String second, int cut) {
            String before = lines(first, cut);
            String after = lines(second, Integer.MAX_VALUE / 2);
            for (long i = before.lines().count(); i > 0; i--) {
                after = after.substring(after.indexOf('\n') + 1);
            }
            boolean sameId = this == OPENAI && !before.isEmpty();
            return before + (sameId ? after.replace(second, first) : after);
        }
    }

    private static final Pattern TEXT =
            Pattern.compile("\"(content|response|text|finish_reason|done)\":(\"[^\"]+\"|true)");
    private static final Pattern ID = Pattern.compile("\"id\":\"[^\"]+\"");

    private final Engine engine;

    RepeatTest(Engine engine) {
        this.engine = engine;
    }

    private static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }

    private static Drover.Setup repeating(Drover.Setup setup) {
        return setup.set("retry.mid-stream", "deterministic").set("health.passive.failures", "0");
    }

    /** Backends that list the model {@code m} with one digest. */
    private static Drover listing(Drover drover) {
        drover.server().cluster().backends().forEach(backend -> list(drover, backend.name(), "abc"));
        return drover;
    }

    private static void list(Drover drover, String backend, String digest) {
        drover.backend(backend)
                .onModels(Models.UNKNOWN.withListed(Map.of(ModelName.of("m").key(), digest)));
    }

    private Drover first(URI first, URI second, String option) {
        return listing(repeating(Drover.first(first, second))
                .on(engine)
                .set("retry.mid-stream", option)
                .start());
    }

    /** Three backends, tried in this order. */
    private Drover.Setup inOrder(URI first, URI second, URI third) {
        return repeating(Drover.over(first, second, third))
                .set("balance", "round-robin")
                .on(engine);
    }

    /** Sends so many bytes of the stream and closes. */
    private static RawBackend cutting(Api api, String time, int cut) throws Exception {
        return RawBackend.start(connection -> {
            connection.readRequest();
            connection.send(api.head() + api.wire(time).substring(0, cut));
            connection.hold();
        });
    }

    private static RawBackend whole(Api api, String time) throws Exception {
        return RawBackend.start(connection -> {
            while (connection.hasMore()) {
                connection.readRequest();
                connection.send(api.head() + api.wire(time));
            }
        });
    }

    private static String text(RawClient client) {
        return String.join("", client.readChunks());
    }

    private static String error(String cause) {
        return "{\"error\":\"the backend broke off the answer: " + cause + "\"}\n";
    }

    @ParameterizedTest
    @EnumSource
    void whereverItBreaksTheClientGetsAWholeAnswer(Api api) throws Exception {
        int length = api.wire("1111").length();
        try (RawBackend broken = RawBackend.start(connection -> {
                    String line = connection.readRequest().startLine();
                    int cut = Integer.parseInt(line.substring(line.indexOf('=') + 1, line.lastIndexOf(' ')));
                    connection.send(api.head() + api.wire("1111").substring(0, cut));
                });
                RawBackend other = whole(api, "22");
                Drover drover = first(broken.url(), other.url(), "deterministic");
                RawClient client = drover.connect()) {
            for (int cut = 0; cut < length; cut++) {
                client.request("POST", api.path + "?cut=" + cut, api.body);
                assertThat(client.readHead().header("X-Drover-Backend"))
                        .isEqualTo(api.lines("1111", cut).isEmpty() ? "b" : "a");
                assertThat(text(client)).as("cut at %d", cut).isEqualTo(api.joined("1111", "22", cut));
            }
            assertThat(drover.log(length)).allSatisfy(line -> {
                assertThat(line.outcome()).isEqualTo("ok");
                assertThat(line.attempts()).isEqualTo(2);
                assertThat(line.get("backend")).isEqualTo("b");
            });
            assertThat(drover.metric(RETRIES)).isBetween(length / 2.0, length - 1.0);
            assertThat(other.requests())
                    .allSatisfy(asked -> assertThat(asked.body()).isEqualTo(api.body));
        }
    }

    @ParameterizedTest
    @EnumSource
    void toHttp10Too(Api api) throws Exception {
        int cut = api.wire("1111").length() - 12;
        try (RawBackend broken = cutting(api, "1111", cut);
                RawBackend other = whole(api, "22");
                Drover drover = first(broken.url(), other.url(), "deterministic");
                RawClient client = drover.connect()) {
            client.send(
                    "POST " + api.path + " HTTP/1.0\r\nContent-Length: " + api.body.length() + "\r\n\r\n" + api.body);
            client.readHead();
            assertThat(new String(client.readUntilClose(), StandardCharsets.UTF_8))
                    .isEqualTo(api.joined("1111", "22", cut));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "DIE_MID_STREAM,1",
        "DIE_MID_STREAM,47",
        "DIE_MID_STREAM,48",
        "RESET_MID_STREAM,20",
        "TRUNCATED_CHUNK,20",
        "BAD_CHUNK,20",
        "STALL,20"
    })
    void aSimulatedHerdWritesOneTextWhicheverBackendWritesIt(Fault.Kind fault, int lines) {
        String chat = "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,";
        Map<String, String> bodies = Map.of(
                "/api/chat",
                chat + "\"options\":{\"seed\":7}}",
                "/api/generate",
                "{\"model\":\"llama3.2\",\"prompt\":\"hi\",\"options\":{\"temperature\":0}}",
                "/v1/chat/completions",
                chat + "\"stream_options\":{\"include_usage\":true},\"temperature\":0}",
                "/v1/completions",
                "{\"model\":\"LLAMA3.2:latest\",\"prompt\":\"hi\",\"stream\":true,\"seed\":7}");
        SimulatedOllama.Settings settings = SimulatedOllama.Settings.defaults().withTokensPerSecond(2000);
        try (SimulatedOllama a = SimulatedOllama.start(settings);
                SimulatedOllama b = SimulatedOllama.start(settings);
                Drover drover = repeating(Drover.first(a.url(), b.url()))
                        .on(engine)
                        .set("health.active.interval", "100ms")
                        .set("timeouts.idle", "300ms")
                        .start()) {
            String key = ModelName.of("llama3.2").key();
            Drover.await("models listed", () -> drover.server().cluster().backends().stream()
                    .allMatch(backend -> backend.models().digest(key) != null));
            bodies.forEach((path, body) -> {
                String undisturbed = drover.exchange("POST", path, body).body();
                assertThat(told(TEXT, undisturbed)).hasSizeGreaterThan(40);
                a.fault(Fault.after(lines, fault), 1);
                String broken = drover.exchange("POST", path, body).body();
                assertThat(told(TEXT, broken)).isEqualTo(told(TEXT, undisturbed));
                assertThat(broken.lines().count()).isEqualTo(undisturbed.lines().count());
                assertThat(broken).endsWith(path.startsWith("/v1") ? "data: [DONE]\n\n" : "}\n");
                assertThat(told(ID, broken).stream().distinct()).hasSizeLessThan(2);
            });
            assertThat(drover.metric(RETRIES)).isEqualTo(4);
            assertThat(drover.log(8).stream().map(LogLine::attempts)).containsExactly(1, 2, 1, 2, 1, 2, 1, 2);
            assertThat(drover.logLines())
                    .allSatisfy(line -> assertThat(line.outcome()).isEqualTo("ok"));
        }
    }

    private static List<String> told(Pattern member, String answer) {
        return member.matcher(answer).results().map(MatchResult::group).toList();
    }

    /** The client is told as if there were no such option, and nobody is asked again. */
    @ParameterizedTest
    @CsvSource({
        "off, /api/chat, abc, SEED",
        "deterministic, /api/chat, abd, SEED",
        "deterministic, /api/chat, '', SEED",
        "deterministic, /api/chat, abc, NO_SEED",
        "deterministic, /api/chat, abc, CLOUD",
        "deterministic, /api/chat, abc, ENCODED",
        "deterministic, /api/embed, abc, SEED"
    })
    void anythingElseBreaksAsEver(String option, String path, String digest, String request) throws Exception {
        String seed = request.equals("NO_SEED") ? "" : ",\"options\":{\"seed\":7}";
        String model = request.equals("CLOUD") ? "m:cloud" : "m";
        String field = request.equals("ENCODED") ? "Content-Encoding: zstd" : "X: y";
        int cut = Api.OLLAMA.wire("1").indexOf("\"n\":2") - 3;
        try (RawBackend broken = cutting(Api.OLLAMA, "1", cut);
                RawBackend other = whole(Api.OLLAMA, "1");
                Drover drover = first(broken.url(), other.url(), option);
                RawClient client = drover.connect()) {
            list(drover, "b", digest);
            client.request("POST", path, "{\"model\":\"" + model + "\"" + seed + "}", field);
            client.readHead();
            assertThat(client.readChunk()).isEqualTo("{\"created_at\":1,\"n\":1}\n");
            assertThat(client.readChunk()).isEqualTo("{\"created_at\":1,");
            client.expectClosed();
            assertThat(drover.logged().attempts()).isEqualTo(1);
            assertThat(other.requests()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"created_at\":3,\"n\":9}\n{\"done\":true}\n",
                "{\"error\":\"no\"}\n",
                "",
                "{\"created_at\":3,\"n\":1}",
                "{\"created_at\":3,\"n\":1}\n{\"done\":true}\n"
            })
    void anotherAnswerIsAnError(String answer) throws Exception {
        try (RawBackend broken = lines("{\"created_at\":1,\"n\":1}\n{\"created_at\":1,\"n\":2}\n{\"cre", false);
                RawBackend other = lines(answer, true);
                RawBackend third = whole(Api.OLLAMA, "1");
                Drover drover = listing(inOrder(broken.url(), other.url(), third.url())
                        .set("health.passive.failures", "1")
                        .set("health.passive.max-share", "100")
                        .start());
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Api.OLLAMA.body).readHead();
            assertThat(text(client))
                    .isEqualTo("{\"created_at\":1,\"n\":1}\n{\"created_at\":1,\"n\":2}\n"
                            + error("repeated answer differs"));
            LogLine line = drover.logged();
            assertThat(line.outcome()).isEqualTo("relay/upstream");
            assertThat(line.get("cause")).isEqualTo("repeated answer differs");
            assertThat(third.requests()).isEmpty();
            // It answered well, if not the same.
            assertThat(drover.metric("drover_backend_up{backend=\"a\",}")).isZero();
            assertThat(drover.metric("drover_backend_up{backend=\"b\",}")).isEqualTo(1);
        }
    }

    /** Plays one answer of lines, a chunk for all; then its end, or none. */
    private static RawBackend lines(String lines, boolean whole) throws Exception {
        return RawBackend.start(connection -> {
            connection.readRequest();
            connection.send(Api.OLLAMA.head());
            if (!lines.isEmpty()) {
                connection.sendChunk(lines);
            }
            if (whole) {
                connection.send(LAST_CHUNK);
                connection.awaitClientClose();
            } else {
                connection.hold();
            }
        });
    }

    /** An error, or a stream of another type, is none that could go on; a third backend's is. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 2\r\n\r\n{}",
                "nonsense",
                ""
            })
    void whoeverCannotRepeatItIsPassedOver(String answer) throws Exception {
        int cut = Api.OLLAMA.wire("1").indexOf("\"n\":2");
        try (RawBackend broken = cutting(Api.OLLAMA, "1", cut);
                RawBackend other = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(answer);
                });
                RawBackend third = whole(Api.OLLAMA, "22");
                Drover drover =
                        listing(inOrder(broken.url(), other.url(), third.url()).start());
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Api.OLLAMA.body).readHead();
            assertThat(text(client)).isEqualTo(Api.OLLAMA.joined("1", "22", cut));
            assertThat(drover.logged().attempts()).isEqualTo(3);
            assertThat(drover.metric(RETRIES)).isEqualTo(2);
        }
    }

    /** The second one breaks before, at, or behind the place where the first one did. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aRepeatThatBreaksIsRepeated(int lines) throws Exception {
        String[] answer = {"{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n", "{\"n\":4}\n"};
        try (RawBackend broken = lines(answer[0] + answer[1], false);
                RawBackend other = lines(String.join("", List.of(answer).subList(0, lines)) + "{\"n", false);
                RawBackend third = lines(String.join("", answer), true);
                Drover drover =
                        listing(inOrder(broken.url(), other.url(), third.url()).start());
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", Api.OLLAMA.body).readHead();
            assertThat(text(client)).isEqualTo(String.join("", answer));
            assertThat(drover.logged().attempts()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 2"})
    void noMoreTriesThanAllowed(int attempts, int made) throws Exception {
        String one = "{\"n\":1}\n";
        try (RawBackend broken = lines(one, false);
                RawBackend other = lines(one, false);
                RawBackend third = lines(one, true);
                Drover drover = listing(inOrder(broken.url(), other.url(), third.url())
                        .set("retry.attempts", Integer.toString(attempts))
                        .start());
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", Api.OLLAMA.body).readHead();
            assertThat(text(client)).isEqualTo(one + error("truncated answer"));
            assertThat(drover.logged().attempts()).isEqualTo(made);
        }
    }

    @ParameterizedTest
    @CsvSource({"first-byte, no answer in time", "idle, answer stalled"})
    void aRepeatHasTheTimeOfAnyAnswer(String timeout, String cause) throws Exception {
        try (RawBackend broken = lines("{}\n{}\n", false);
                RawBackend silent = RawBackend.start(connection -> {
                    connection.readRequest();
                    if (timeout.equals("idle")) {
                        connection.send(Api.OLLAMA.head() + chunk("{}\n"));
                    }
                    connection.awaitClientClose();
                });
                Drover drover = listing(repeating(Drover.first(broken.url(), silent.url()))
                        .on(engine)
                        .set("timeouts." + timeout, "300ms")
                        .start());
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", Api.OLLAMA.body).readHead();
            assertThat(text(client)).isEqualTo("{}\n{}\n" + error(cause));
            assertThat(drover.logged().get("backend")).isEqualTo("b");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatLeavesMeanwhileEndsTheRepeat(boolean begun) throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        try (RawBackend broken = lines("{}\n{}\n", false);
                RawBackend other = RawBackend.start(connection -> {
                    connection.readRequest();
                    if (begun) {
                        connection.send(Api.OLLAMA.head() + chunk("{}\n"));
                    }
                    connection.awaitClientClose();
                    gone.countDown();
                });
                Drover drover = first(broken.url(), other.url(), "deterministic");
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", Api.OLLAMA.body).readHead();
            assertThat(client.readChunk()).isEqualTo("{}\n{}\n");
            Drover.await("asked again", () -> other.requests().size() == 1);
            client.hangUp();
            Drover.await("its backend is told", () -> gone.getCount() == 0);
            assertThat(drover.logged().outcome()).endsWith("/client");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBackendThatGoesDownMeanwhileIsNotWaitedFor(boolean begun) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch sent = new CountDownLatch(1);
        try (RawBackend broken = lines("{}\n{}\n", false);
                RawBackend frozen = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(begun ? Api.OLLAMA.head() + chunk("{}\n") : "");
                    sent.countDown();
                    connection.await(over);
                    connection.send(begun ? chunk("{}\n{\"n\":3}\n") + LAST_CHUNK : "");
                });
                RawBackend third = lines("{}\n{}\n{\"n\":3}\n", true);
                Drover drover =
                        listing(inOrder(broken.url(), frozen.url(), third.url()).start());
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", Api.OLLAMA.body).readHead();
            client.readChunk();
            Drover.await("asked again", () -> frozen.requests().size() == 1);
            Drover.await("what it says was sent", () -> sent.getCount() == 0);
            try (RawClient other = drover.connect()) {
                Drover.await("and read, since the loop has turned", () -> drover.openClients() == 2);
                other.hangUp();
            }
            for (int i = 0; i < 3; i++) {
                drover.backend("b").onProbe(false, "probe timed out", System.nanoTime());
            }
            if (begun) {
                over.countDown();
            }
            assertThat(text(client)).isEqualTo("{\"n\":3}\n");
            over.countDown();
            assertThat(drover.logged().attempts()).isEqualTo(begun ? 2 : 3);
        }
    }

    /** Drover reads no faster than its client, and loses nothing by it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 400, 799})
    void aSlowReaderGetsEveryLineOnce(int breaksAfter) throws Exception {
        try (RawBackend broken = flood(breaksAfter, "1", "");
                RawBackend other = flood(800, "22", LAST_CHUNK);
                Drover drover = listing(repeating(Drover.first(broken.url(), other.url()))
                        .on(engine)
                        .set("buffers.stream-high", "64KiB")
                        .set("buffers.stream-low", "16KiB")
                        .start());
                RawClient client = RawClient.connect(drover.address(), 4096)) {
            client.request("POST", "/api/generate", Api.OLLAMA.body);
            client.readHead();
            StringBuilder expected = new StringBuilder();
            for (int i = 0; i < 800; i++) {
                expected.append(floodLine(i, i < breaksAfter ? "1" : "22"));
            }
            // No message of 8 MB.
            assertThat(text(client).equals(expected.toString())).isTrue();
        }
    }

    private static RawBackend flood(int lines, String time, String end) throws Exception {
        return RawBackend.start(connection -> {
            connection.readRequest();
            connection.send(Api.OLLAMA.head());
            for (int i = 0; i < lines; i++) {
                connection.sendChunk(floodLine(i, time));
            }
            connection.send(end);
            if (end.isEmpty()) {
                connection.hold();
            } else {
                connection.awaitClientClose();
            }
        });
    }

    private static String floodLine(int i, String time) {
        return "{\"created_at\":" + time + ",\"n\":" + i + ",\"x\":\"" + "x".repeat(10_000) + "\"}\n";
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fromALineTooLongToBeHeldOnItBreaksAsEver(boolean ends) throws Exception {
        String large = "{\"context\":\"" + "x".repeat(20_000) + "\"}\n{\"n\":3}\n";
        try (RawBackend broken = lines("{\"n\":1}\n" + large, ends);
                RawBackend other = lines("{\"n\":1}\n" + large, true);
                Drover drover = first(broken.url(), other.url(), "deterministic");
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", Api.OLLAMA.body).readHead();
            assertThat(text(client)).isEqualTo("{\"n\":1}\n" + large + (ends ? "" : error("truncated answer")));
            assertThat(drover.logged().attempts()).isEqualTo(1);
        }
    }

    /** Bodies are kept while their answers run, but leave room for others. */
    @ParameterizedTest
    @CsvSource({"64KiB, true", "20KiB, false"})
    void bodiesAreKeptWhileThereIsRoom(String budget, boolean kept) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        String body = Api.OLLAMA.body.replace("[]", "\"" + "x".repeat(12_000) + "\"");
        try (RawBackend broken = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(Api.OLLAMA.head() + chunk("{}\n"));
                    connection.await(over);
                });
                RawBackend other = lines("{}\n{\"n\":2}\n", true);
                Drover drover = listing(repeating(Drover.first(broken.url(), other.url()))
                        .on(engine)
                        .set("limits.request-body", "16KiB")
                        .set("buffers.retained-bodies", budget)
                        .start());
                RawClient client = drover.connect()) {
            client.request("POST", "/api/generate", body).readHead();
            assertThat(client.readChunk()).isEqualTo("{}\n");
            assertThat(drover.server().proxy().retainedBodyBytes() > 0).isEqualTo(kept);
            over.countDown();
            assertThat(text(client)).isEqualTo(kept ? "{\"n\":2}\n" : error("truncated answer"));
            Drover.await("given back", () -> drover.server().proxy().retainedBodyBytes() == 0);
        }
    }
}
