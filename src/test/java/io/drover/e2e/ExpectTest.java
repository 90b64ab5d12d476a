package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Informational responses, and clients that wait for one (RFC 9110, 10.1.1). */
class ExpectTest {
    private static final String BLOB = "POST /api/blobs/sha256:ab HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";

    @Test
    void whereTheBodyIsKeptItIsAnsweredHereAndNotPassedOn() throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n");
            assertThat(client.readHead().status()).isEqualTo(100);
            assertThat(backend.connectionsAccepted()).isZero();
            client.send("{}");
            assertThat(client.readHead().status()).isEqualTo(200);
            assertThat(backend.requests().get(0).all("Expect")).isEmpty();
        }
    }

    @Test
    void whereTheBodyIsStreamedItIsPassedOnAndTheBackendsAnswerComesBackOnce() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    assertThat(connection.readHead().header("Expect")).isEqualTo("100-continue");
                    connection.send("HTTP/1.1 100 Continue\r\n\r\n".repeat(2));
                    assertThat(connection.readExactly(5)).hasSize(5);
                    connection.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
                    connection.awaitClientClose();
                });
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.send(BLOB + "Expect: 100-continue\r\n\r\n");
            assertThat(client.readHead().status()).isEqualTo(100);
            client.send("hello");
            assertThat(client.readHead().status()).isEqualTo(201);
        }
    }

    @Test
    void aBlobThatIsThereAlreadySavesTheUpload() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    assertThat(connection.readUntilClose()).isEmpty();
                });
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.send(BLOB + "Expect: 100-continue\r\n\r\n");
            RawClient.Head head = client.readHead();
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.header("Connection")).isEqualTo("close");
            client.expectClosed();
            client.hangUp();
            assertThat(drover.logged().outcome()).isEqualTo("ok");
        }
    }

    @Test
    void nobodyWhoDidNotAskIsTold() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    while (connection.hasMore()) {
                        connection.readRequest();
                        connection.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
                        connection.answer("ok");
                    }
                });
                Drover drover = Drover.over(backend.url()).start()) {
            try (RawClient client = drover.connect()) {
                client.send("GET / HTTP/1.0\r\n\r\n");
                assertThat(client.readHead().status()).isEqualTo(200);
            }
            try (RawClient client = drover.connect()) {
                client.send("PUT /next HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
                client.expectSilence(Duration.ofMillis(100));
                client.send("ab");
                assertThat(client.readHead().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void anotherExpectationIs417() throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 204 No Content\r\n\r\n");
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: magic\r\n\r\n{}");
            assertThat(client.readResponse().status()).isEqualTo(417);
        }
    }
}
