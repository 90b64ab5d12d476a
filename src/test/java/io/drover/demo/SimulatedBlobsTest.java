package io.drover.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.RawClient;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Uploads: digested, never held, refused early when they are known. */
class SimulatedBlobsTest {
    private static final String SMALL = "hello";
    private static final String SMALL_DIGEST =
            "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    private SimulatedOllama ollama;
    private RawClient client;

    @BeforeEach
    void start() {
        ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
        client = RawClient.connect(ollama.address());
    }

    @AfterEach
    void stop() {
        client.close();
        ollama.close();
    }

    @Test
    void aBlobIsCreatedOnceAndKnownAfterwards() {
        String path = "/api/blobs/" + SMALL_DIGEST;
        assertThat(client.exchange("HEAD", path, "").status()).isEqualTo(404);

        RawClient.Response created = client.exchange("POST", path, SMALL);
        assertThat(created.status()).isEqualTo(201);
        assertThat(created.header("Content-Length")).isEqualTo("0");
        assertThat(created.head().has("Content-Type")).isFalse();

        assertThat(client.exchange("HEAD", path, "").status()).isEqualTo(200);
        assertThat(client.exchange("HEAD", path.replace("sha256:", "sha256-"), "")
                        .status())
                .isEqualTo(200);
        assertThat(client.exchange("POST", path, SMALL).status()).isEqualTo(200);
        assertThat(client.exchange(
                                "POST", "/api/create", "{\"model\":\"m\",\"files\":{\"a\":\"" + SMALL_DIGEST + "\"}}")
                        .body())
                .endsWith("{\"status\":\"success\"}\n");
    }

    @Test
    void aWrongDigestIs400() {
        String wrong = "sha256:" + "0".repeat(64);

        RawClient.Response response = client.exchange("POST", "/api/blobs/" + wrong, SMALL);

        assertThat(response.status()).isEqualTo(400);
        assertThat(response.body())
                .isEqualTo("{\"error\":\"digest mismatch, expected \\\"" + wrong + "\\\", got \\\"" + SMALL_DIGEST
                        + "\\\"\"}");
        assertThat(client.exchange("POST", "/api/blobs/sha256:12", SMALL).body())
                .isEqualTo("{\"error\":\"invalid digest format\"}");
    }

    @Test
    void aChunkedBlobIsRead() {
        client.send("POST /api/blobs/" + SMALL_DIGEST + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");

        assertThat(client.readResponse().status()).isEqualTo(201);
        assertThat(ollama.received().get(0).bodyLength()).isEqualTo(5);
    }

    @Test
    void sixtyFourMegabytesAreStreamedInConstantMemory() throws Exception {
        long size = 64L << 20;
        byte[] zeros = new byte[1 << 20];
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (int i = 0; i < 64; i++) {
            digest.update(zeros);
        }
        String sum = HexFormat.of().formatHex(digest.digest());
        long before = PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
        HttpRequest request = HttpRequest.newBuilder(ollama.url().resolve("/api/blobs/sha256:" + sum))
                .version(HttpClient.Version.HTTP_1_1)
                .POST(HttpRequest.BodyPublishers.ofInputStream(() -> zeros(size)))
                .build();

        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());

        assertThat(response.statusCode()).isEqualTo(201);
        ReceivedRequest received = ollama.received().get(0);
        assertThat(received.bodyLength()).isEqualTo(size);
        assertThat(received.sha256()).isEqualTo(sum);
        assertThat(received.body()).isEmpty();
        // Whole arenas chunks of 4 MiB, not the blob.
        assertThat(PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory() - before)
                .isLessThanOrEqualTo(16L << 20);
    }

    private static InputStream zeros(long size) {
        return new InputStream() {
            private long left = size;

            @Override
            public int read() {
                return left-- > 0 ? 0 : -1;
            }

            @Override
            public int read(byte[] into, int from, int length) {
                if (left == 0) {
                    return -1;
                }
                int n = (int) Math.min(left, length);
                Arrays.fill(into, from, from + n, (byte) 0);
                left -= n;
                return n;
            }
        };
    }

    @Test
    void aKnownBlobOf256KiBIsAnsweredUnreadAndTheConnectionEnds() {
        client.exchange("POST", "/api/blobs/" + SMALL_DIGEST, SMALL);

        client.send("POST /api/blobs/" + SMALL_DIGEST + " HTTP/1.1\r\nHost: a\r\nContent-Length: 262144\r\n\r\n");

        RawClient.Response response = client.readResponse();
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("Connection")).isEqualTo("close");
        client.expectClosed();
        assertThat(ollama.received().get(1).complete()).isFalse();
        assertThat(ollama.cancelled()).isZero();
    }

    @Test
    void aKnownBlobOfUnknownLengthIsGivenUpAfter256KiB() {
        client.exchange("POST", "/api/blobs/" + SMALL_DIGEST, SMALL);
        String kilobyte = "400\r\n" + "x".repeat(1024) + "\r\n";

        client.send("POST /api/blobs/" + SMALL_DIGEST + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(kilobyte.repeat(257));

        assertThat(client.readResponse().header("Connection")).isEqualTo("close");
        client.expectClosed();
    }

    @Test
    void aShortKnownBlobIsReadForTheSakeOfTheConnection() {
        client.exchange("POST", "/api/blobs/" + SMALL_DIGEST, SMALL);
        client.send("POST /api/blobs/" + SMALL_DIGEST + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
        client.expectSilence(Duration.ofMillis(30));

        client.send("lo");

        assertThat(client.readResponse().status()).isEqualTo(200);
        assertThat(client.exchange("GET", "/", "").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"100-continue", "100-Continue"})
    void expectIsAnsweredWhenTheBodyIsWantedAndNotWhenItIsKnown(String expect) {
        String head = "POST /api/blobs/" + SMALL_DIGEST + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: "
                + expect + "\r\n\r\n";
        client.send(head);
        assertThat(client.readHead().statusLine()).isEqualTo("HTTP/1.1 100 Continue");
        client.send(SMALL);
        assertThat(client.readResponse().status()).isEqualTo(201);

        client.send(head);
        RawClient.Response known = client.readResponse();
        assertThat(known.status()).isEqualTo(200);
        assertThat(known.header("connection").toLowerCase(Locale.ROOT)).isEqualTo("close");
    }

    @Test
    void anUploadThatBreaksOffIsRememberedAsIncomplete() {
        client.send("POST /api/blobs/" + SMALL_DIGEST + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
        ollama.await("head read", () -> ollama.requests() == 1);
        client.close();

        ollama.await("remembered", () -> ollama.received().size() == 1);
        assertThat(ollama.received().get(0).complete()).isFalse();
        assertThat(ollama.received().get(0).text()).isEqualTo("hel");
        assertThat(ollama.cancelled()).isEqualTo(1);
    }
}
