package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a client gets when there is nothing better: a backend's own error, or the rest of an answer it takes slowly. */
class LastResortTest {
    @ParameterizedTest
    @CsvSource({
        "404 Not Found, model 'x' not found",
        "503 Service Unavailable, server busy\\, please try again.",
        "500 Internal Server Error, llama runner process has terminated: exit status 2"
    })
    void anErrorIsNotTradedForABackendThatIsDown(String status, String message) throws Exception {
        String body = "{\"error\":\"" + message.replace("\\", "") + "\"}";
        try (RawBackend first = RawBackend.answering("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n"
                        + "Content-Length: " + body.length() + "\r\n\r\n" + body);
                Drover drover = Drover.first(first.url(), Ports.refusing()).start()) {
            drover.backend("b").onConnectFailure("connection refused", System.nanoTime());
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
            assertThat(response.status()).isEqualTo(Integer.parseInt(status.substring(0, 3)));
            assertThat(response.body()).isEqualTo(body);
            assertThat(response.head().has("Retry-After")).isEqualTo(status.startsWith("503"));
        }
    }

    @Test
    void aSlowHttp10ReaderGetsTheWholeAnswerAfterItsBackendIsDone() throws Exception {
        int size = 12 * 1024 * 1024;
        try (RawBackend backend = bigAnswer(size);
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.client-write", "1s")
                        .set("buffers.stream-high", "16MiB")
                        .set("buffers.stream-low", "1MiB")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 64 * 1024)) {
            client.send("GET /next HTTP/1.0\r\n\r\n");
            client.readHead();
            // Longer than client-write in all, but never without taking something.
            for (int read = 0; read < size; read += size / 48) {
                client.readExactly(size / 48);
                TimeLimitsTest.pause(50);
            }
            client.expectClosed();
        }
    }

    @Test
    void anHttp10ClientThatTakesNothingOfTheLastBytesIsReset() throws Exception {
        int size = 12 * 1024 * 1024;
        try (RawBackend backend = bigAnswer(size);
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.client-write", "400ms")
                        .set("buffers.stream-high", "16MiB")
                        .set("buffers.stream-low", "1MiB")
                        .start();
                RawClient client = RawClient.connect(drover.address(), 64 * 1024)) {
            client.send("GET /next HTTP/1.0\r\n\r\n");
            client.readHead();
            Drover.await("no client left", Duration.ofSeconds(10), () -> drover.openClients() == 0);
            client.readUntilReset();
        }
    }

    private static RawBackend bigAnswer(int size) throws Exception {
        return RawBackend.start(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\n\r\n");
            byte[] piece = new byte[64 * 1024];
            for (int sent = 0; sent < size; sent += piece.length) {
                connection.send(piece);
            }
        });
    }
}
