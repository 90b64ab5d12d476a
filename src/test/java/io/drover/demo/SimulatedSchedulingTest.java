package io.drover.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.RawClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Slots, loads, queues, pace and cancellation. */
class SimulatedSchedulingTest {
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private SimulatedOllama start(SimulatedOllama.Settings settings) {
        SimulatedOllama ollama = SimulatedOllama.start(settings);
        opened.add(ollama);
        return ollama;
    }

    private RawClient connect(SimulatedOllama ollama) {
        RawClient client = RawClient.connect(ollama.address());
        opened.add(client);
        return client;
    }

    private RawClient generate(SimulatedOllama ollama, String model, String fault) {
        return connect(ollama)
                .request(
                        "POST",
                        "/api/generate",
                        "{\"model\":\"" + model + "\",\"prompt\":\"hi\"}",
                        "X-Sim-Fault: " + fault);
    }

    @Test
    void aSlotIsTakenInTurnAndFreedAtOnceWhenItsClientLeaves() {
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults());
        RawClient first = generate(ollama, "llama3.2", "stall:1");
        first.readHead();
        List<RawClient> waiting = new ArrayList<>();
        for (int i = 1; i <= 4; i++) {
            waiting.add(generate(ollama, "llama3.2", "stall:1"));
            int expected = i;
            ollama.await(i + " waiting", () -> ollama.waiting() == expected);
        }
        assertThat(ollama.active()).isEqualTo(1);

        // The third in the queue gives up: nobody's turn changes by it.
        waiting.remove(2).close();
        ollama.await("one gone", () -> ollama.waiting() == 3);
        first.close();
        for (RawClient next : waiting) {
            assertThat(next.readHead().status()).isEqualTo(200);
            for (RawClient later : waiting.subList(waiting.indexOf(next) + 1, waiting.size())) {
                later.expectSilence(Duration.ofMillis(10));
            }
            next.close();
        }

        ollama.await("all free", () -> ollama.active() == 0 && ollama.cancelled() == 5);
        assertThat(ollama.maxActive()).isEqualTo(1);
    }

    @Test
    void slotsBoundWhatRunsAtOnce() {
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults().withSlots(3));
        for (int i = 0; i < 5; i++) {
            generate(ollama, "llama3.2", "stall:1");
        }

        ollama.await("3 run, 2 wait", () -> ollama.active() == 3 && ollama.waiting() == 2);
    }

    @Test
    void aFullLoadQueueIs503ButALoadedModelHasNoLimit() {
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults()
                .withModels("loaded", "cold")
                .withMaxQueue(1)
                .withLoadTime(Duration.ofSeconds(1)));
        generate(ollama, "loaded", "stall:1").readHead();
        RawClient loading = generate(ollama, "cold", "none");
        ollama.await("loading", () -> ollama.waiting() == 1);
        RawClient queued = generate(ollama, "cold", "none");
        ollama.await("queued", () -> ollama.waiting() == 2);

        assertThat(generate(ollama, "cold", "none").readResponse().status()).isEqualTo(503);
        generate(ollama, "loaded", "none");
        generate(ollama, "loaded", "none");
        ollama.await("unbounded", () -> ollama.waiting() >= 4);
        assertThat(loading.readResponse().status()).isEqualTo(200);
        assertThat(queued.readResponse().status()).isEqualTo(200);
    }

    @Test
    void loadingTakesItsTimeOnceAndTheFinalRecordSaysSo() {
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults().withLoadTime(Duration.ofMillis(120)));

        assertThat(loadMillis(ollama)).isBetween(120L, 5000L);
        assertThat(loadMillis(ollama)).isLessThan(100L);
    }

    private long loadMillis(SimulatedOllama ollama) {
        String body = connect(ollama)
                .exchange("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\",\"stream\":false}")
                .body();
        return Long.parseLong(body.replaceAll(".*\"load_duration\":(\\d+).*", "$1")) / 1_000_000;
    }

    @Test
    void aClientThatLeavesTakesItsLoadWithIt() {
        SimulatedOllama ollama =
                start(SimulatedOllama.Settings.defaults().withModels("a", "b").withLoadTime(Duration.ofSeconds(30)));
        RawClient first = generate(ollama, "a", "none");
        ollama.await("loading", () -> ollama.waiting() == 1);

        first.close();
        ollama.await("aborted", () -> ollama.waiting() == 0 && ollama.cancelled() == 1);
        assertThat(ollama.loaded()).isEmpty();
    }

    @Test
    void otherLoadOptionsReloadTheModel() {
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults());
        RawClient client = connect(ollama);
        client.exchange("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}");
        assertThat(client.exchange("GET", "/api/ps", "").body()).contains("\"context_length\":4096");

        client.exchange(
                "POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\",\"options\":{\"num_ctx\":8192}}");

        assertThat(client.exchange("GET", "/api/ps", "").body())
                .contains("\"context_length\":8192")
                .doesNotContain("4096");
    }

    @Test
    void aModelIsUnloadedWhenItsTimeIsOverAndAFourthEvictsAnother() {
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults().withModels("a", "b", "c", "d"));
        RawClient client = connect(ollama);
        String body = "{\"model\":\"%s\",\"prompt\":\"x\",\"stream\":false,\"keep_alive\":%s}";
        client.exchange("POST", "/api/generate", body.formatted("a", "\"20ms\""));
        ollama.await("expired", () -> ollama.loaded().isEmpty());

        client.exchange("POST", "/api/generate", body.formatted("a", "-1"));
        client.exchange("POST", "/api/generate", body.formatted("b", "\"1m\""));
        client.exchange("POST", "/api/generate", body.formatted("c", "600"));
        client.exchange("POST", "/api/generate", body.formatted("d", "\"1h\""));
        assertThat(ollama.loaded()).containsExactly("a:latest", "d:latest", "c:latest");

        client.exchange("POST", "/api/generate", body.formatted("a", "0"));
        assertThat(ollama.loaded()).containsExactly("d:latest", "c:latest");
    }

    @Test
    void aStreamKeepsItsPace() {
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults()
                .withTokens(11)
                .withTokensPerSecond(100)
                .withFirstToken(Duration.ofMillis(50)));
        RawClient client = connect(ollama);
        long begun = System.nanoTime();
        client.request("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}");
        client.readHead();
        client.readChunk();
        long first = System.nanoTime() - begun;
        client.readChunks();
        long all = System.nanoTime() - begun;

        assertThat(first).isGreaterThan(49_000_000L);
        assertThat(all).isGreaterThan(149_000_000L);
    }

    @Test
    void aNewPaceHoldsForTextsThatAreBeingWritten() {
        SimulatedOllama ollama =
                start(SimulatedOllama.Settings.defaults().withTokens(101).withTokensPerSecond(10));
        RawClient client = connect(ollama);
        long begun = System.nanoTime();
        client.request("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}");
        client.readHead();
        client.readChunk();
        ollama.pace(0);
        client.readChunks();

        assertThat(System.nanoTime() - begun).isLessThan(5_000_000_000L);
    }

    @Test
    void requestsForInferenceAreToldOf() {
        AtomicInteger told = new AtomicInteger();
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults().withOnInference(told::incrementAndGet));
        RawClient client = connect(ollama);
        client.exchange("GET", "/api/version", "");
        client.exchange("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}");

        assertThat(told).hasValue(1);
    }

    @Test
    void aClientThatDoesNotReadStopsItsGenerationAndNoOther() {
        // 6 MB, more than the sockets' buffers hold.
        int tokens = 60_000;
        SimulatedOllama ollama =
                start(SimulatedOllama.Settings.defaults().withTokens(tokens).withSlots(2));
        RawClient slow = RawClient.connect(ollama.address(), 4096);
        opened.add(slow);
        slow.request("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}");
        slow.readHead();

        RawClient.Response other =
                connect(ollama).exchange("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"a\"}");

        assertThat(other.body().lines()).hasSize(tokens + 1);
        assertThat(ollama.active()).isEqualTo(1);
        slow.close();
        ollama.await("free", () -> ollama.active() == 0);
        assertThat(ollama.cancelled()).isEqualTo(1);
    }

    @Test
    void aThousandStreamsKeepTheirPaceOnOneThread() {
        int streams = 1000;
        int tokens = 40;
        SimulatedOllama ollama = start(SimulatedOllama.Settings.defaults()
                .withSlots(streams)
                .withTokens(tokens)
                .withTokensPerSecond(20)
                .withRemembered(0));
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            clients.add(connect(ollama)
                    .request("POST", "/api/generate", "{\"model\":\"llama3.2\",\"prompt\":\"" + i + "\"}"));
        }
        ollama.await("all at once", () -> ollama.maxActive() == streams);

        List<Duration> spans = new ArrayList<>();
        for (RawClient client : clients) {
            List<String> lines = client.readResponse().body().lines().toList();
            assertThat(lines).hasSize(tokens + 1);
            spans.add(Duration.between(createdAt(lines.get(0)), createdAt(lines.get(tokens))));
        }
        Collections.sort(spans);
        // 39 gaps of 50 ms; a busy machine may add to them, but not double them.
        assertThat(spans.get(0)).isGreaterThan(Duration.ofMillis(1500));
        assertThat(spans.get(streams / 2)).isBetween(Duration.ofMillis(1900), Duration.ofMillis(3900));
    }

    private static Instant createdAt(String line) {
        return Instant.parse(line.replaceAll(".*\"created_at\":\"([^\"]*)\".*", "$1"));
    }
}
