package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A request for embeddings of which a part is known: what a backend says to the rest may be of no use. */
class EmbedInputsTest {
    private static final String A = question("[\"a\"]");
    private static final String B = question("[\"b\"]");
    private static final String BOTH = question("[\"a\",\"b\"]");
    private static final String ANSWER_A = "{\"model\":\"m\",\"embeddings\":[[1,0.5]],\"prompt_eval_count\":2}";
    private static final String ANSWER_BOTH =
            "{\"model\":\"m\",\"embeddings\":[[1,0.5],[2,0.5]],\"total_duration\":7,\"prompt_eval_count\":5}";

    /** Bodies of the requests that a backend has read. */
    private final List<String> asked = new CopyOnWriteArrayList<>();

    private static String question(String inputs) {
        return "{\"model\":\"m\",\"input\":" + inputs + "}";
    }

    /** Knows all but what it is asked for {@code b} alone, which the test answers. */
    private StagedBackend backend(StagedBackend.Play toTheRest) throws IOException {
        return StagedBackend.startAsked((connection, request, number) -> {
            asked.add(request.body());
            if (request.body().equals(B)) {
                toTheRest.answer(connection, number);
            } else {
                connection.answer(request.body().equals(A) ? ANSWER_A : ANSWER_BOTH);
            }
        });
    }

    private static RawClient.Response embed(Drover drover, String body) {
        return drover.exchange("POST", "/api/embed", body);
    }

    private static void awaitNothingHeld(Drover drover) {
        Drover.await("nothing is recorded", () -> drover.metric("drover_cache_bytes{tier=\"recording\",}") == 0);
    }

    private void assertAskedForAll(Drover drover) {
        assertThat(embed(drover, A).header("X-Cache")).isEqualTo("MISS");
        RawClient.Response both = embed(drover, BOTH);
        assertThat(both.status()).isEqualTo(200);
        assertThat(both.header("X-Cache")).isEqualTo("MISS");
        assertThat(both.body()).isEqualTo(ANSWER_BOTH);
        assertThat(asked).containsExactly(A, B, BOTH);
        assertThat(embed(drover, B).header("X-Cache")).isEqualTo("HIT");
        assertThat(asked).hasSize(3);
        awaitNothingHeld(drover);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"model\":\"m\",\"embeddings\":[]}",
                "{\"model\":\"m\",\"embeddings\":[[2,0.5],[3,0.5]]}",
                "{\"model\":\"m\",\"embeddings\":[[2,0.5]",
                "{\"model\":\"m\",\"embeddings\":[[2,0.5]]} {}",
                "{\"model\":\"m\",\"embeddings\":[[]]}",
                "{\"model\":\"m\",\"embeddings\":[[2,null]]}",
                "{\"error\":\"x\",\"embeddings\":[[2,0.5]]}",
                "<html>200</html>",
                "",
            })
    void whatIsNoAnswerToTheRestHasAllOfItAskedFor(String answer) throws IOException {
        try (StagedBackend backend = backend((connection, number) -> connection.answer(answer));
                Drover drover = StagedBackend.start(Drover.over(backend.url()))) {
            assertAskedForAll(drover);
        }
    }

    @Test
    void soHasWhatNobodyHereCanRead() throws IOException {
        try (StagedBackend backend = backend((connection, number) ->
                        connection.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"));
                Drover drover = StagedBackend.start(Drover.over(backend.url()))) {
            assertThat(embed(drover, A).header("X-Cache")).isEqualTo("MISS");
            RawClient.Response both = embed(drover, BOTH);
            assertThat(both.body()).isEqualTo(ANSWER_BOTH);
            assertThat(asked).containsExactly(A, B, BOTH);
            awaitNothingHeld(drover);
        }
    }

    @Test
    void anAnswerToTheRestThatBreaksOffIsNoAnswer() throws IOException {
        try (StagedBackend backend = backend((connection, number) -> {
                    connection.send(
                            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"model\":\"m\",\"embeddings\":[[2,");
                    connection.close();
                });
                Drover drover = StagedBackend.start(Drover.over(backend.url()).set("retry.attempts", "0"))) {
            assertThat(embed(drover, A).header("X-Cache")).isEqualTo("MISS");
            assertThat(embed(drover, BOTH).status()).isEqualTo(502);
            assertThat(embed(drover, A).header("X-Cache")).isEqualTo("HIT");
            awaitNothingHeld(drover);
        }
    }

    @Test
    void anErrorToTheRestIsTheClients() throws IOException {
        String error = "{\"error\":\"the input length exceeds the context length\"}";
        try (StagedBackend backend = backend((connection, number) ->
                        connection.send("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: "
                                + error.length() + "\r\n\r\n" + error));
                Drover drover = StagedBackend.start(Drover.over(backend.url()))) {
            embed(drover, A);
            RawClient.Response both = embed(drover, BOTH);
            assertThat(both.status()).isEqualTo(400);
            assertThat(both.body()).isEqualTo(error);
            assertThat(asked).containsExactly(A, B);
            awaitNothingHeld(drover);
        }
    }

    @Test
    void anAnswerThatIsComputedAnewIsKeptThoughAnInputStandsTwice() throws IOException {
        String twice = question("[\"a\",\"a\"]");
        String answer = "{\"model\":\"m\",\"embeddings\":[[3,0.5],[3,0.5]],\"prompt_eval_count\":4}";
        try (StagedBackend backend = StagedBackend.startAsked((connection, request, number) ->
                        connection.answer(request.body().equals(A) ? ANSWER_A : answer));
                Drover drover = StagedBackend.start(Drover.over(backend.url()))) {
            embed(drover, A);
            RawClient.Response anew = drover.exchange("POST", "/api/embed", twice, "Cache-Control: no-cache");
            assertThat(anew.header("X-Cache")).isEqualTo("MISS");
            assertThat(anew.body()).isEqualTo(answer);
            RawClient.Response again = embed(drover, A);
            assertThat(again.header("X-Cache")).isEqualTo("HIT");
            assertThat(again.body()).contains("[[3,0.5]]");
            assertThat(backend.asked()).isEqualTo(2);
        }
    }

    /** Else a request of a few bytes would have as much memory as it has inputs, until its client has read all of it. */
    @Test
    void whatIsLargerThanAnEntryIsNotPutTogether() throws IOException {
        String vector = "[" + "0.25,".repeat(100) + "1]";
        String one = "{\"model\":\"m\",\"embeddings\":[" + vector + "]}";
        String ten = "{\"model\":\"m\",\"embeddings\":[" + (vector + ",").repeat(9) + vector + "]}";
        String copies = question("[" + "\"a\",".repeat(9) + "\"a\"]");
        try (StagedBackend backend = StagedBackend.startAsked((connection, request, number) -> {
                    asked.add(request.body());
                    connection.answer(request.body().equals(copies) ? ten : one);
                });
                Drover drover = StagedBackend.start(Drover.over(backend.url()).set("cache.max-entry", "4KiB"))) {
            // Nothing is known of their size.
            assertThat(embed(drover, copies).body()).isEqualTo(ten);
            assertThat(asked).containsExactly(A, copies);
            assertThat(embed(drover, A).header("X-Cache")).isEqualTo("MISS");
            RawClient.Response again = embed(drover, copies);
            assertThat(again.header("X-Cache")).isEqualTo("MISS");
            assertThat(again.body()).isEqualTo(ten);
            assertThat(embed(drover, A).header("X-Cache")).isEqualTo("HIT");
            assertThat(asked).containsExactly(A, copies, A, copies);
            RawClient.Response few = embed(drover, question("[\"a\",\"a\",\"a\"]"));
            assertThat(few.header("X-Cache")).isEqualTo("HIT");
        }
    }
}
