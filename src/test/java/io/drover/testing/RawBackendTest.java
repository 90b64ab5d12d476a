package io.drover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class RawBackendTest {
    @Test
    void playsItsScriptByteByByte() throws IOException {
        CountDownLatch gate = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    assertThat(connection.readRequest().body()).isEqualTo("hello");
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                    connection.sendChunk("one");
                    connection.await(gate);
                    connection.sendChunk("two");
                    connection.send("0\r\n\r\n");
                    connection.awaitClientClose();
                });
                RawClient client = RawClient.connect(backend.address())) {
            client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
            client.readHead();
            assertThat(client.readChunk()).isEqualTo("one");
            gate.countDown();
            assertThat(client.readChunks()).containsExactly("two");
            assertThat(backend.requests()).singleElement().satisfies(r -> assertThat(r.header("transfer-encoding"))
                    .isEqualTo("chunked"));
        }
    }

    @Test
    void answersEveryRequestAlike() throws IOException {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 204 No Content\r\n\r\n");
                RawClient client = RawClient.connect(backend.address())) {
            assertThat(client.exchange("GET", "/", "").status()).isEqualTo(204);
            assertThat(client.exchange("POST", "/", "x").status()).isEqualTo(204);
            assertThat(backend.connectionsAccepted()).isEqualTo(1);
        }
    }

    @Test
    void closesAndResets() throws IOException {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    if (connection.number() == 1) {
                        connection.close();
                    } else {
                        connection.reset();
                    }
                });
                RawClient first = RawClient.connect(backend.address())) {
            first.request("GET", "/", "").expectClosed();
            try (RawClient second = RawClient.connect(backend.address())) {
                second.request("GET", "/", "").expectReset();
            }
        }
    }

    @Test
    void aFailedScriptFailsTheTest() throws IOException {
        RawBackend backend = RawBackend.start(connection -> {
            throw new IllegalStateException("wrong");
        });
        try (RawClient client = RawClient.connect(backend.address())) {
            client.expectClosed();
        }

        assertThatThrownBy(backend::close).isInstanceOf(AssertionError.class);
    }
}
