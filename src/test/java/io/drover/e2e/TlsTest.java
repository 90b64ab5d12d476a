package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Certificates;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that speak TLS to the proxy port, and some that do not. */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("sides")
class TlsTest {
    private static final X509Bundle GOOD = Certificates.good();
    private static final SSLContext CLIENT = Certificates.client();
    private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /** A ClientHello of TLS 1.1 with TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA and nothing else. */
    private static final byte[] HELLO_OF_1_1 =
            HexFormat.of().parseHex("160301002d" + "01000029" + "0302" + "11".repeat(32) + "00" + "0002c013" + "0100");

    private final Engine engine;
    private final String provider;

    @TempDir
    private Path directory = Path.of("");

    TlsTest(Engine engine, String provider) {
        this.engine = engine;
        this.provider = provider;
    }

    static Stream<Arguments> sides() {
        return Engine.all().filter(engine -> engine.loops() == 1).flatMap(engine -> Stream.of("auto", "jdk")
                .map(provider -> Arguments.of(engine, provider)));
    }

    @BeforeEach
    void write() throws IOException {
        Certificates.write(GOOD, directory);
    }

    private Drover.Setup over(RawBackend backend) {
        return Drover.over(backend.url())
                .on(engine)
                .set("tls.certificate", directory.resolve("certificate.pem").toString())
                .set("tls.key", directory.resolve("key.pem").toString())
                .set("tls.provider", provider);
    }

    private static RawClient connect(Drover drover) {
        return RawClient.connect(drover.address(), CLIENT, VERSIONS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void bothVersionsAreSpokenAndTheBackendIsToldOfHttps(String version) throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                RawClient client = RawClient.connect(drover.address(), CLIENT, version)) {
            assertThat(client.exchange("GET", "/api/tags", "").body()).isEqualTo("ok");
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(200);

            assertThat(client.session().getProtocol()).isEqualTo(version);
            assertThat(client.session().getCipherSuite()).matches("TLS_(ECDHE_.*_)?(AES|CHACHA20).*(GCM|POLY1305).*");
            assertThat(backend.requests().get(0).header("X-Forwarded-Proto")).isEqualTo("https");
        }
    }

    @Test
    void anOlderVersionIsRefusedWithAnAlert() throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                RawClient client = drover.connect()) {
            client.send(HELLO_OF_1_1);

            byte[] alert = client.readExactly(7);

            assertThat(alert[0]).isEqualTo((byte) 0x15);
            assertThat(alert[5]).as("fatal").isEqualTo((byte) 2);
            assertThat(alert[6]).as("protocol_version").isEqualTo((byte) 70);
            Drover.await("one failure", () -> drover.metric("drover_tls_handshake_failures_total") == 1);
        }
    }

    @Test
    void aClientOfTheJdkAgreesOnHttp11() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start()) {
            HttpClient client = HttpClient.newBuilder().sslContext(CLIENT).build();
            URI uri = URI.create("https://localhost:" + drover.address().getPort() + "/api/tags");

            HttpResponse<String> response =
                    client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());

            assertThat(response.body()).isEqualTo("ok");
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
            drover.server().close();
            drover.endsByItself();
        }
    }

    @Test
    void plainHttpIsToldSoInPlainHttp() throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start()) {
            RawClient.Response response = drover.exchange("GET", "/api/tags", "");

            assertThat(response.status()).isEqualTo(400);
            assertThat(response.body()).contains("plain HTTP on a port that speaks TLS");
            assertThat(drover.metric("drover_tls_handshake_failures_total")).isEqualTo(1);
            assertThat(backend.requests()).isEmpty();
        }
    }

    @Test
    void aHandshakeThatDoesNotEndIsCutOff() throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover =
                        over(backend).set("timeouts.request-head", "300ms").start();
                RawClient silent = drover.connect();
                RawClient slow = drover.connect()) {
            slow.send(new byte[] {0x16, 3, 1, 2});

            silent.expectClosed();
            slow.expectClosed();

            Drover.await("one failure", () -> drover.metric("drover_tls_handshake_failures_total") == 1);
        }
    }

    @Test
    void aProxyHeaderComesBeforeTlsAndItsClientIsCounted() throws IOException {
        String header = "PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n";
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend)
                        .set("proxy-protocol", "true")
                        .set("limits.trusted-proxies", "127.0.0.1")
                        .set("limits.connections-per-client", "1")
                        .start();
                RawClient first = RawClient.connect(drover.address(), header, CLIENT, VERSIONS);
                RawClient second = RawClient.connect(drover.address(), header, CLIENT, VERSIONS)) {
            assertThat(second.readResponse().status()).isEqualTo(429);
            assertThat(first.exchange("GET", "/api/tags", "").status()).isEqualTo(200);

            assertThat(backend.requests().get(0).header("X-Real-IP")).isEqualTo("203.0.113.9");
            assertThat(backend.requests().get(0).header("X-Forwarded-Proto")).isEqualTo("https");
        }
    }

    @Test
    void tokensComeOneByOne() throws IOException {
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch second = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(head("application/x-ndjson"));
                    connection.sendChunk("{\"n\":1,\"done\":false}\n");
                    connection.await(first);
                    connection.sendChunk("{\"n\":2,\"done\":false}\n");
                    connection.await(second);
                    connection.sendChunk("{\"n\":3,\"done\":true}\n");
                    connection.send("0\r\n\r\n");
                });
                Drover drover = over(backend).start();
                RawClient client = connect(drover)) {
            client.request("POST", "/api/chat", Route.BODY);
            client.readHead();

            assertThat(client.readChunk()).contains("\"n\":1");
            first.countDown();
            assertThat(client.readChunk()).contains("\"n\":2");
            second.countDown();
            assertThat(client.readChunk()).contains("\"n\":3");
            assertThat(client.readChunk()).isEmpty();
        }
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws IOException {
        AtomicInteger count = new AtomicInteger();
        try (RawBackend backend = RawBackend.start(connection -> {
                    while (connection.hasMore()) {
                        connection.readRequest();
                        connection.answer("{\"n\":" + count.incrementAndGet() + "}");
                    }
                });
                Drover drover = over(backend).start();
                RawClient client = connect(drover)) {
            client.send("GET /api/tags HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20));

            for (int i = 1; i <= 20; i++) {
                assertThat(client.readResponse().body()).isEqualTo("{\"n\":" + i + "}");
            }
        }
    }

    @Test
    void aBigUploadArrivesWhole() throws IOException {
        byte[] part = "x".repeat(64 * 1024).getBytes(StandardCharsets.ISO_8859_1);
        int parts = 256;
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readHead();
                    for (int i = 0; i < parts; i++) {
                        assertThat(connection.readExactly(part.length)).isEqualTo(part);
                    }
                    connection.send(OK);
                });
                Drover drover = over(backend).start();
                RawClient client = connect(drover)) {
            client.send("POST /api/blobs/sha256:0 HTTP/1.1\r\nHost: x\r\nContent-Length: " + part.length * parts
                    + "\r\n\r\n");
            for (int i = 0; i < parts; i++) {
                client.send(part);
            }
            assertThat(client.readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void aSlowReaderSlowsItsBackendAndGetsEverything() throws IOException {
        int size = 64 * 1024;
        int parts = 1024;
        AtomicInteger sent = new AtomicInteger();
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + (long) size * parts + "\r\n\r\n");
                    byte[] part = new byte[size];
                    for (int i = 0; i < parts; i++) {
                        connection.send(part);
                        sent.incrementAndGet();
                    }
                    connection.awaitClientClose();
                });
                Drover drover = over(backend).start();
                RawClient client = connect(drover)) {
            client.request("GET", "/api/tags", "");
            RawClient.Head head = client.readHead();
            Drover.await("a slow client", () -> drover.outboundBytes() > 0);

            assertThat(sent.get()).isLessThan(parts);
            assertThat(client.readBody(head)).hasSize(size * parts);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesFreesItsBackend(boolean byReset) throws IOException {
        CountDownLatch freed = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                    connection.sendChunk("{\"done\":false}\n");
                    connection.awaitClientClose();
                    freed.countDown();
                });
                Drover drover = over(backend).start();
                RawClient client = connect(drover)) {
            client.request("POST", "/api/chat", Route.BODY);
            client.readHead();
            client.readChunk();

            if (byReset) {
                client.reset();
            } else {
                client.hangUp();
            }

            Drover.await("the backend freed", () -> freed.getCount() == 0);
        }
    }

    @Test
    void toHttp10ABrokenStreamOfEventsEndsInAReset() throws IOException {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send(head("text/event-stream"));
                    connection.sendChunk("data: {}\n\n");
                    connection.hold();
                    connection.reset();
                });
                Drover drover = over(backend).start();
                RawClient client = connect(drover)) {
            String body = Route.BODY.replace("{\"model", "{\"stream\":true,\"model");
            client.send("POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            client.readHead();

            client.readUntilReset();
        }
    }

    @Test
    void toHttp10AWholeAnswerEndsInOrder() throws IOException {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                    connection.sendChunk("all");
                    connection.send("0\r\n\r\n");
                });
                Drover drover = over(backend).start();
                RawClient client = connect(drover)) {
            client.send("GET /api/tags HTTP/1.0\r\n\r\n");
            client.readHead();

            assertThat(client.readUntilClose())
                    .asString(StandardCharsets.ISO_8859_1)
                    .isEqualTo("all");
        }
    }

    @Test
    void aReloadTakesANewCertificateForNewConnections() throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                RawClient before = connect(drover)) {
            assertThat(before.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
            X509Bundle renewed = Certificates.good();
            Certificates.write(renewed, directory);
            assertThat(presented(drover)).isEqualTo(GOOD.getCertificate());

            assertThat(drover.post("/api/reload").status()).isEqualTo(200);

            assertThat(presented(drover)).isEqualTo(renewed.getCertificate());
            assertThat(before.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
        }
    }

    @Test
    void aReloadOfFilesThatDoNotBelongTogetherChangesNothing() throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start()) {
            Files.writeString(directory.resolve("key.pem"), Certificates.good().getPrivateKeyPEM());

            RawClient.Response response = drover.post("/api/reload");

            assertThat(response.status()).isEqualTo(422);
            assertThat(response.body()).contains("the key of the first certificate in drover.tls.certificate");
            assertThat(presented(drover)).isEqualTo(GOOD.getCertificate());
        }
    }

    private static String head(String type) {
        return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    }

    private static X509Certificate presented(Drover drover) throws IOException {
        InetSocketAddress address = drover.address();
        try (RawClient client = RawClient.connect(address, CLIENT, VERSIONS).within(Duration.ofSeconds(10))) {
            return (X509Certificate) client.session().getPeerCertificates()[0];
        }
    }
}
