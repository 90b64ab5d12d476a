package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.drover.testing.RawClient.Response;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code validation} and {@code rewrite} on real sockets: what clients are told, and what backends get. */
class ValidationTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final String WRONG = "{\"model\":\"m\",\"messages\":[{\"role\":5}]}";
    private static final String LARGE_CTX = "{\"model\":\"m\",\"options\":{\"num_ctx\":9000,\"seed\":1}}";
    private static final String CLAMPED =
            "{\"keep_alive\":\"30m\",\"model\":\"m\",\"options\":{\"num_ctx\":4096,\"seed\":1}}";

    private static Drover.Setup rewriting(Drover.Setup setup) {
        return setup.set("rewrite.num-ctx", "4096").set("rewrite.keep-alive", "30m");
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
        /api/chat,            `{"error":"messages[0].role: a number, 5, at byte 33 (expected: a string)"}`
        /v1/chat/completions, `{"error":{"message":"messages[0].role: a number, 5, at byte 33 (expected: a string)","type":"invalid_request_error","param":null,"code":null}}`
        /v1/messages,         `{"type":"error","error":{"type":"invalid_request_error","message":"messages[0].role: a number, 5, at byte 33 (expected: a string)"},"request_id":"me"}`
        """)
    void aRefusalComesInTheShapeOfItsFamilyAndTheConnectionLivesOn(String path, String body) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("validation.fields", "true")
                        .start();
                RawClient client = drover.connect()) {
            Response refused = client.exchange("POST", path, WRONG, "X-Request-Id: me");
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.body()).isEqualTo(body);
            assertThat(refused.head().has("Connection")).isFalse();
            assertThat(client.exchange("POST", path, Route.BODY).status()).isEqualTo(200);
            assertThat(backend.requests()).hasSize(1);
            LogLine line = drover.log(2).get(0);
            assertThat(line.status()).isEqualTo(400);
            assertThat(line.outcome()).isEqualTo("read_body/client");
        }
    }

    @Test
    void thePipelinedRequestBehindARefusalIsServed() throws Exception {
        String request = "POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s";
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("validation.fields", "true")
                        .start();
                RawClient client = drover.connect()) {
            client.send(request.formatted(WRONG.length(), WRONG)
                    + request.formatted(Route.BODY.length(), Route.BODY)
                    + request.formatted(WRONG.length(), WRONG));
            assertThat(client.readResponse().status()).isEqualTo(400);
            assertThat(client.readResponse().status()).isEqualTo(200);
            assertThat(client.readResponse().status()).isEqualTo(400);
            assertThat(backend.requests()).hasSize(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/api/chat, model, llama3.2, 200",
        "/api/chat, model, llama3.2:latest, 200",
        "/api/show, name, llama3.2, 200",
        "/api/show, name, gemma, 403",
        "/v1/embeddings, model, gemma, 403"
    })
    void onlyModelsOfTheListMayBeAskedFor(String path, String field, String model, int status) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("validation.models", "llama3*")
                        .start()) {
            Response response = drover.exchange("POST", path, "{\"" + field + "\":\"" + model + "\"}");
            assertThat(response.status()).isEqualTo(status);
            assertThat(backend.requests()).hasSize(status == 200 ? 1 : 0);
        }
    }

    @Test
    void withNothingSetABodyPassesAsItIs() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url()).start()) {
            assertThat(drover.exchange("POST", "/api/chat", WRONG).status()).isEqualTo(200);
            assertThat(drover.exchange("POST", "/api/chat", LARGE_CTX).status()).isEqualTo(200);
            assertThat(backend.requests()).extracting(RawBackend.Request::body).containsExactly(WRONG, LARGE_CTX);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theBackendGetsTheRewrittenBody(boolean chunked) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = rewriting(Drover.over(backend.url())).start();
                RawClient client = drover.connect()) {
            if (chunked) {
                client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
                LARGE_CTX.chars().forEach(c -> client.send("1\r\n" + (char) c + "\r\n"));
                client.send("0\r\n\r\n");
            } else {
                client.request("POST", "/api/chat", LARGE_CTX);
            }
            assertThat(client.readResponse().status()).isEqualTo(200);
            RawBackend.Request got = backend.requests().get(0);
            assertThat(got.body()).isEqualTo(CLAMPED);
            assertThat(got.all("Content-Length")).containsExactly(Integer.toString(CLAMPED.length()));
            // OpenAI's API has no such fields.
            assertThat(client.exchange("POST", "/v1/chat/completions", LARGE_CTX)
                            .status())
                    .isEqualTo(200);
            assertThat(backend.requests().get(1).body()).isEqualTo(LARGE_CTX);
        }
    }

    @Test
    void theSecondBackendGetsTheRewrittenBodyToo() throws Exception {
        try (RawBackend first = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.reset();
                });
                RawBackend second = RawBackend.answering(OK);
                Drover drover =
                        rewriting(Drover.first(first.url(), second.url())).start()) {
            assertThat(drover.exchange("POST", "/api/chat", LARGE_CTX).status()).isEqualTo(200);
            assertThat(first.requests()).extracting(RawBackend.Request::body).containsOnly(CLAMPED);
            assertThat(second.requests()).extracting(RawBackend.Request::body).containsExactly(CLAMPED);
        }
    }

    @Test
    void aBodyOf20MegabytesIsLookedIntoAndRewritten() throws Exception {
        String image = "QUJD".repeat(5 << 20);
        String start = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"images\":[\"" + image + "\"]}],";
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = rewriting(Drover.over(backend.url()))
                        .set("validation.fields", "true")
                        .set("validation.max-images", "1")
                        .start();
                RawClient client = drover.connect().within(Duration.ofSeconds(60))) {
            assertThat(client.exchange("POST", "/api/chat", start + "\"options\":{\"num_ctx\":9000}}")
                            .status())
                    .isEqualTo(200);
            String body = backend.requests().get(0).body();
            assertThat(body.length())
                    .isEqualTo(start.length() + "\"keep_alive\":\"30m\",\"options\":{\"num_ctx\":4096}}".length());
            assertThat(body)
                    .startsWith("{\"keep_alive\":\"30m\",\"model\"")
                    .endsWith("\"options\":{\"num_ctx\":4096}}");
            Response refused = client.exchange("POST", "/api/chat", start + "\"stream\":1}");
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.body())
                    .contains("stream: a number, 1, at byte " + (start.length() + 9))
                    .hasSizeLessThan(200);
            Response second = client.exchange("POST", "/api/chat", start.replace("\"]}", "\",\"\"]}") + "\"x\":1}");
            assertThat(second.status()).isEqualTo(400);
            assertThat(second.body()).contains("images: 2 (expected: at most 1");
            client.hangUp();
            drover.drained(3);
        }
    }

    @Test
    void aClientThatLeavesInTheMiddleLeavesNothingBehind() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = rewriting(Drover.over(backend.url()))
                        .set("validation.fields", "true")
                        .start();
                RawClient client = drover.connect()) {
            client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{\"model\":\"m\","
                    + "\"prompt\":\"" + "x".repeat(300_000));
            Drover.await("kept", () -> drover.server().proxy().retainedBodyBytes() > 200_000);
            client.hangUp();
            drover.drained(1);
            assertThat(backend.connectionsAccepted()).isZero();
        }
    }

    @Test
    void aCodedBodyCannotBeLookedIntoAndIs415() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = rewriting(Drover.over(backend.url())).start()) {
            Response refused = drover.exchange("POST", "/api/chat", "xyz", "Content-Encoding: zstd");
            assertThat(refused.status()).isEqualTo(415);
            assertThat(refused.body()).contains("Content-Encoding");
            assertThat(drover.exchange("POST", "/v1/responses", "xyz", "Content-Encoding: zstd")
                            .status())
                    .isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{\"model\":\"m\""})
    void aBodyThatIsNotWholeIs400(String body) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("validation.max-images", "1")
                        .start();
                RawClient client = drover.connect()) {
            assertThat(client.exchange("POST", "/api/chat", body).status()).isEqualTo(400);
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(200);
            assertThat(backend.requests()).hasSize(1);
        }
    }
}
