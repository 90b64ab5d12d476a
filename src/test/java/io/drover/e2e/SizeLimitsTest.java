package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is too large or too much is refused with the right status, and what it held is given back. */
class SizeLimitsTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    @ParameterizedTest
    @EnumSource(
            value = Route.class,
            names = {"CHAT", "COPY", "UNKNOWN"})
    void aBodyWhoseLengthIsTooLargeIs413AndNobodySeesIt(Route route) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("limits.request-body", "1000")
                        .start();
                RawClient client = drover.connect()) {
            client.send(route.method + " " + route.path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(413);
            assertThat(response.header("Connection")).isEqualTo("close");
            client.expectClosed();
            assertThat(backend.connectionsAccepted()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Route.class,
            names = {"CHAT", "COPY"})
    void aChunkedBodyIs413WhenItHasGrownTooLarge(Route route) throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    assertThat(connection.readUntilClose()).doesNotContain("0\r\n\r\n");
                });
                Drover drover = Drover.over(backend.url())
                        .set("limits.request-body", "1000")
                        .start();
                RawClient client = drover.connect()) {
            client.send(route.method + " " + route.path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.send("1f4\r\n" + " ".repeat(500) + "\r\n");
            if (route == Route.COPY) {
                Drover.await("passed on", () -> backend.requests().size() == 1);
            }
            client.send("1f5\r\n" + " ".repeat(501) + "\r\n");
            assertThat(client.readResponse().status()).isEqualTo(413);
            client.expectClosed();
            assertThat(backend.requests().size()).isEqualTo(route == Route.CHAT ? 0 : 1);
        }
    }

    @Test
    void aBlobMayHaveAnySize() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("limits.request-body", "1000")
                        .start()) {
            assertThat(drover.exchange("POST", "/api/blobs/sha256:ab", "x".repeat(2000))
                            .status())
                    .isEqualTo(200);
            assertThat(backend.requests().get(0).body()).hasSize(2000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"one", "many"})
    void aHeadThatIsTooLargeIs431(String kind) throws Exception {
        String fields = kind.equals("one") ? "X: " + "x".repeat(40_000) + "\r\n" : "X: y\r\n".repeat(200);
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.send("GET /api/tags HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
            assertThat(client.readResponse().status()).isEqualTo(431);
            client.expectClosed();
            assertThat(backend.connectionsAccepted()).isZero();
        }
    }

    @Test
    void overTheBudgetOfRetainedBodiesIs503AndAllIsGivenBack() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("limits.request-body", "500KiB")
                        .set("buffers.retained-bodies", "512KiB")
                        .start();
                RawClient first = drover.connect();
                RawClient second = drover.connect()) {
            String head = "POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n";
            String body = Route.body(150 << 10);
            int half = body.length() / 2;
            first.send(head.formatted(body.length()) + body.substring(0, half));
            Drover.await("kept", () -> drover.server().proxy().retainedBodyBytes() > half / 2);
            String large = Route.body(480 << 10);
            second.send(head.formatted(large.length()) + large);
            RawClient.Response refused = second.readResponse();
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("Retry-After")).isNotEmpty();
            second.expectClosed();
            assertThat(first.send(body.substring(half)).readResponse().status()).isEqualTo(200);
            Drover.await("given back", () -> drover.server().proxy().retainedBodyBytes() == 0);
            assertThat(backend.requests()).hasSize(1);
        }
    }

    @Test
    void oneConnectionTooManyIs503() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("limits.connections", "3")
                        .start()) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(drover.connect());
            }
            Drover.await("all in", () -> drover.openClients() == 3);
            try (RawClient fourth = drover.connect()) {
                RawClient.Response refused = fourth.readResponse();
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.header("Retry-After")).isNotEmpty();
                // A request that was under way meets no reset, which could destroy the answer.
                fourth.request("GET", "/api/tags", "");
                fourth.expectClosed();
            }
            for (RawClient client : clients) {
                assertThat(client.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
                client.close();
            }
            drover.drained();
            assertThat(drover.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
        }
    }

    /** It was refused for what its head says; its body is still on its way, and must not destroy the answer. */
    @ParameterizedTest
    @CsvSource({"POST, /debug/pprof, 404, ''", "POST, /api/chat, 403, 'Origin: http://evil.example'"})
    void anOwnAnswerToALongUploadArrives(String method, String path, int status, String header) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.lingering-close", "2s")
                        .start();
                RawClient client = drover.connect()) {
            String[] headers = header.isEmpty() ? new String[0] : new String[] {header};
            client.request(method, path, "x".repeat(4 << 20), headers);
            assertThat(client.readResponse().status()).isEqualTo(status);
            assertThat(backend.connectionsAccepted()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"CONNECT, a:1, 405", "TRACE, /, 405", "GET, *, 400", "GET, ftp://a/, 400"})
    void whatIsNotServedIsRefused(String method, String target, int status) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.send(method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.readResponse().status()).isEqualTo(status);
            client.expectClosed();
        }
    }

    @Test
    void jsonThatDoesNotParseIs400() {
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.over(ollama.url()).start()) {
            assertThat(drover.exchange("POST", "/api/chat", "{\"model\":}").status())
                    .isEqualTo(400);
            assertThat(ollama.requests()).isZero();
        }
    }

    /** Each of them fails at once, within the dispatch of the one before. */
    @Test
    void thousandsOfPipelinedRequestsThatAllFailAtOnceAreAnswered() {
        int count = 2000;
        try (Drover drover = Drover.over(URI.create("http://nobody.invalid:1")).start();
                RawClient client = drover.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count));
            for (int i = 0; i < count; i++) {
                assertThat(client.readResponse().status()).isBetween(502, 503);
            }
            client.hangUp();
            drover.drained(count);
        }
    }
}
