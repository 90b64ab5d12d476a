package io.drover.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.testing.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Every fault, as a client sees it. */
class SimulatedFaultsTest {
    private static final String BODY = "{\"model\":\"llama3.2\",\"prompt\":\"hi\"}";
    private static final String WHOLE = "{\"model\":\"llama3.2\",\"prompt\":\"hi\",\"stream\":false}";

    private SimulatedOllama ollama;
    private RawClient client;

    @BeforeEach
    void start() {
        ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults().withTokens(5));
        client = RawClient.connect(ollama.address());
    }

    @AfterEach
    void stop() {
        client.close();
        ollama.close();
    }

    private RawClient.Head head(String fault) {
        client.request("POST", "/api/generate", BODY, "X-Sim-Fault: " + fault);
        return client.readHead();
    }

    private RawClient.Response exchange(String fault) {
        return client.exchange("POST", "/api/generate", BODY, "X-Sim-Fault: " + fault);
    }

    private void isFree() {
        ollama.await("slot free", () -> ollama.active() == 0);
        assertThat(client.exchange("POST", "/api/generate", BODY).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "busy-503|503|server busy, please try again.  maximum pending requests exceeded",
                "unavailable-503|503|Loading model",
                "error-500-load|500|llama runner process has terminated: exit status 2",
                "error-500-runner|500|model runner has unexpectedly stopped, this may be due to resource limitations or"
                        + " an internal error, check ollama server logs for details",
                "model-404|404|model 'llama3.2' not found"
            })
    void errorsHaveOllamasTexts(String fault, int status, String text) {
        RawClient.Response response = exchange(fault);

        assertThat(response.status()).isEqualTo(status);
        assertThat(response.body()).isEqualTo("{\"error\":\"" + text + "\"}");
        isFree();
    }

    @Test
    void anErrorHasTheShapeOfItsFamily() {
        assertThat(client.exchange("POST", "/v1/messages", "{}", "X-Sim-Fault: BUSY_503")
                        .body())
                .startsWith("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"");
        assertThat(client.exchange("POST", "/v1/completions", "{}", "X-Sim-Fault: BUSY_503")
                        .body())
                .contains("\"type\":\"api_error\"");
    }

    @Test
    void dieBeforeHeadClosesWithoutAByte() {
        client.request("POST", "/api/generate", BODY, "X-Sim-Fault: die-before-head");

        assertThat(client.readUntilClose()).isEmpty();
        assertThat(ollama.cancelled()).isZero();
    }

    @Test
    void resetBeforeHeadResets() {
        client.request("POST", "/api/generate", BODY, "X-Sim-Fault: reset-before-head");

        client.expectReset();
    }

    @Test
    void stallBeforeHeadSaysNothingUntilTheClientLeaves() {
        client.request("POST", "/api/generate", BODY, "X-Sim-Fault: stall-before-head");

        client.expectSilence(Duration.ofMillis(50));
        client.close();
        ollama.await("cancelled", () -> ollama.cancelled() == 1);
    }

    @Test
    void dieAfterHeadSendsAHeadAndNoBody() {
        assertThat(head("die-after-head").isChunked()).isTrue();
        assertThat(client.readUntilClose()).isEmpty();
    }

    @Test
    void dieMidStreamSendsSoManyLinesAndNoLastChunk() {
        head("die-mid-stream:2");

        assertThat(client.readChunk()).endsWith("\"done\":false}\n");
        assertThat(client.readChunk()).endsWith("\"done\":false}\n");
        assertThat(client.readUntilClose()).isEmpty();
        ollama.await("slot free", () -> ollama.active() == 0);
    }

    @Test
    void resetMidStreamResets() {
        head("reset-mid-stream:1");
        assertThat(client.readChunk()).isNotEmpty();

        client.expectReset();
    }

    @Test
    void stallKeepsConnectionAndSlotUntilTheClientLeaves() {
        head("stall:1");
        assertThat(client.readChunk()).isNotEmpty();
        client.expectSilence(Duration.ofMillis(50));
        assertThat(ollama.active()).isEqualTo(1);

        client.close();
        ollama.await("cancelled and free", () -> ollama.cancelled() == 1 && ollama.active() == 0);
    }

    @Test
    void truncatedChunkAnnouncesMoreThanItSends() {
        head("truncated-chunk:1");
        assertThat(client.readChunk()).isNotEmpty();

        int announced = Integer.parseInt(client.readLine(), 16);
        assertThat(client.readUntilClose()).hasSize(announced - 64);
    }

    @Test
    void badChunkHasNoSize() {
        head("bad-chunk:1");
        assertThat(client.readChunk()).isNotEmpty();

        assertThat(client.readLine()).isEqualTo("zz");
    }

    @Test
    void noDoneEndsWellWithoutTheFinalRecord() {
        head("no-done:2");

        assertThat(client.readChunks()).hasSize(2).noneMatch(line -> line.contains("\"done\":true"));
        isFree();
    }

    @Test
    void errorLineEndsTheStreamWell() {
        head("error-line:2");

        List<String> lines = client.readChunks();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(2))
                .isEqualTo("{\"error\":\"an error was encountered while running the model: CUDA error\"}\n");
        isFree();
    }

    @Test
    void errorFirstLineIsAllThereIs() {
        assertThat(head("error-first-line").status()).isEqualTo(200);
        assertThat(client.readChunks()).singleElement().asString().startsWith("{\"error\":");
        isFree();
    }

    @Test
    void errorLineOnV1IsAnEmptyChunkWithoutDone() {
        RawClient.Response response = client.exchange(
                "POST",
                "/v1/chat/completions",
                "{\"model\":\"llama3.2\",\"stream\":true,\"messages\":[{}]}",
                "X-Sim-Fault: error-line:1");

        assertThat(response.body()).contains("\"model\":\"\"").doesNotContain("[DONE]");
    }

    @Test
    void aWholeAnswerBreaksInItsMiddle() {
        client.request("POST", "/api/generate", WHOLE, "X-Sim-Fault: die-mid-stream");
        int announced = Integer.parseInt(client.readHead().header("Content-Length"));
        assertThat(client.readUntilClose()).hasSize(announced / 2);
        ollama.await("slot free", () -> ollama.active() == 0);
    }

    @Test
    void aWholeAnswerBecomesA500WhereAStreamWouldGetAnErrorLine() {
        RawClient.Response response = client.exchange("POST", "/api/generate", WHOLE, "X-Sim-Fault: error-line");

        assertThat(response.status()).isEqualTo(500);
        assertThat(response.body()).contains("CUDA error");
    }

    @Test
    void surplusBytesFollowTheMessage() {
        RawClient.Response response = exchange("surplus-bytes");

        assertThat(response.body()).endsWith("}\n");
        assertThat(client.readLine()).isEqualTo("HTTP/1.1 200 OK");
    }

    @Test
    void earlyResponseComesBeforeTheBodyAndTheConnectionGoesOn() {
        client.send("POST /api/generate HTTP/1.1\r\nHost: a\r\nContent-Length: " + BODY.length()
                + "\r\nX-Sim-Fault: early-response\r\n\r\n" + BODY.substring(0, 5));
        assertThat(client.readResponse().body()).contains("\"model\":\"early\"");

        client.send(BODY.substring(5));
        isFree();
    }

    @Test
    void informationalHeadsComeFirst() {
        client.request("POST", "/api/generate", BODY, "X-Sim-Fault: informational");

        assertThat(client.readHead().status()).isEqualTo(102);
        assertThat(client.readHead().status()).isEqualTo(103);
        assertThat(client.readResponse().status()).isEqualTo(200);
        isFree();
    }

    @Test
    void splitWritesGiveTheSameBytes() {
        RawClient.Response response = exchange("split-writes");

        assertThat(response.body().lines()).hasSize(6);
        isFree();
    }

    @Test
    void chunkExtensionsStandBehindTheSize() {
        head("chunk-extensions");

        assertThat(client.readLine()).matches("[0-9a-f]+;sim;text=\"a;b\"");
    }

    @Test
    void trailersFollowTheLastChunk() {
        head("trailers");
        StringBuilder all = new StringBuilder();
        for (String line = client.readLine(); !line.equals("0"); line = client.readLine()) {
            all.append(line);
        }
        List<String> trailers = new ArrayList<>();
        for (String line = client.readLine(); !line.isEmpty(); line = client.readLine()) {
            trailers.add(line);
        }

        assertThat(all.toString()).contains("\"done\":true");
        assertThat(trailers).containsExactly("X-Sim-Trailer: sim");
        isFree();
    }

    @Test
    void closeDelimitedHasNoFraming() {
        RawClient.Head head = head("close-delimited");

        assertThat(head.isChunked()).isFalse();
        assertThat(head.has("Content-Length")).isFalse();
        assertThat(new String(client.readUntilClose(), StandardCharsets.UTF_8).lines())
                .hasSize(6);
    }

    @Test
    void http10HasItsVersionAndCloses() {
        RawClient.Head head = head("http-10");

        assertThat(head.statusLine()).isEqualTo("HTTP/1.0 200 OK");
        assertThat(head.header("Connection")).isEqualTo("close");
        assertThat(client.readUntilClose()).isNotEmpty();
    }

    @Test
    void bigContextMakesALineOfTwoMegabytes() {
        RawClient.Response response = exchange("big-context");

        assertThat(response.body().length()).isBetween(2_000_000, 2_200_000);
        assertThat(response.body()).endsWith("}\n");
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {"NONE", "INFORMATIONAL", "SPLIT_WRITES", "CHUNK_EXTENSIONS", "TRAILERS", "BIG_CONTEXT"})
    void harmlessFaultsLeaveTheConnectionUsable(Fault.Kind kind) {
        assertThat(exchange(kind.name()).body()).contains("\"done\":true");
        isFree();
    }

    @Test
    void plannedFaultsStrikeInferenceInOrderAndLeaveProbesAlone() {
        ollama.fault(Fault.of(Fault.Kind.BUSY_503), 1);
        ollama.fault(Fault.after(1, Fault.Kind.NO_DONE), 1);
        ollama.fault(Fault.of(Fault.Kind.MODEL_404).on("/api/tags"), 1);

        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(200);
        assertThat(client.exchange("GET", "/api/tags", "").status()).isEqualTo(404);
        assertThat(client.exchange("POST", "/api/generate", BODY).status()).isEqualTo(503);
        assertThat(client.exchange("POST", "/api/generate", BODY).body().lines())
                .hasSize(1);
        isFree();
    }

    @Test
    void aStandingFaultStrikesUntilItIsCleared() {
        ollama.fault(Fault.of(Fault.Kind.BUSY_503).on(Fault.EVERYTHING));
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(503);
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(503);

        ollama.clearFaults();
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(200);
    }

    @Test
    void anUnknownFaultIsNamedWithWhatWasExpected() {
        RawClient.Response response = exchange("explode");

        assertThat(response.status()).isEqualTo(400);
        assertThat(response.body()).contains("X-Sim-Fault: explode (expected: one of none, busy_503,");
    }

    /** Else {@code resume()} might not get it back. */
    @Test
    void whileItRefusesNobodyElseIsGivenItsPort() throws IOException {
        try (SimulatedOllama unasked = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                ServerSocket other = new ServerSocket()) {
            unasked.refuse();
            other.setReuseAddress(false);
            assertThatThrownBy(() -> other.bind(unasked.address())).isInstanceOf(BindException.class);
        }
    }

    @Test
    void refuseStopsListeningAndResumeListensAtTheSameAddress() {
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(200);

        ollama.refuse();
        assertThatThrownBy(() -> RawClient.connect(ollama.address()))
                .isInstanceOf(UncheckedIOException.class)
                .hasCauseInstanceOf(ConnectException.class);
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(200);

        ollama.resume();
        try (RawClient other = RawClient.connect(ollama.address())) {
            assertThat(other.exchange("GET", "/", "").status()).isEqualTo(200);
        }
    }

    @Test
    void aFrozenServerSaysNothingUntilItThaws() {
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(200);
        ollama.freeze();
        try (RawClient other = RawClient.connect(ollama.address())) {
            client.request("GET", "/", "");
            other.request("GET", "/", "");
            client.expectSilence(Duration.ofMillis(50));
            other.expectSilence(Duration.ofMillis(50));
            assertThat(ollama.connectionsAccepted()).isEqualTo(1);

            ollama.thaw();
            assertThat(client.readResponse().status()).isEqualTo(200);
            assertThat(other.readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void disconnectEndsEverything() {
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(200);

        ollama.disconnect(true);

        client.expectReset();
    }
}
