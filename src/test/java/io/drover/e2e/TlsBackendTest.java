package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.BackendState;
import io.drover.testing.Certificates;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Backends that speak TLS: who is believed, and how a connection may end. */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("io.drover.e2e.TlsTest#sides")
class TlsBackendTest {
    private static final RawBackend.Script OK = connection -> {
        while (connection.hasMore()) {
            connection.readRequest();
            connection.answer("{}");
        }
    };
    private static final X509Bundle EXPIRED =
            Certificates.issued(builder -> builder.notBefore(Instant.now().minus(Duration.ofDays(9)))
                    .notAfter(Instant.now().minus(Duration.ofDays(1))));
    private static final X509Bundle OF_ANOTHER = Certificates.issued(builder -> new CertificateBuilder()
            .subject("CN=another")
            .addSanDnsName("gpu.another.test")
            .addExtendedKeyUsageServerAuth()
            .ecp256());

    private final Engine engine;
    private final String provider;
    private String trusting = "";

    @TempDir
    private Path directory = Path.of("");

    TlsBackendTest(Engine engine, String provider) {
        this.engine = engine;
        this.provider = provider;
    }

    static Stream<Arguments> sides() {
        return TlsTest.sides();
    }

    @BeforeEach
    void write() throws IOException {
        trusting = "tls.ca-file = \"" + Certificates.writeAuthority(directory.resolve("ca.pem")) + "\"";
    }

    private static RawBackend backend(X509Bundle certificate, RawBackend.Script script) throws IOException {
        return RawBackend.start(Certificates.server(certificate), script);
    }

    private Drover.Setup over(URI url, String entry) {
        return Drover.over().backend(url, entry).on(engine).set("tls.provider", provider);
    }

    private String refusal(X509Bundle certificate, String entry) throws IOException {
        try (RawBackend backend = backend(certificate, OK);
                Drover drover = over(backend.url(), entry).start()) {
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
            assertThat(response.status()).isEqualTo(502);
            assertThat(backend.requests()).isEmpty();
            return response.body();
        }
    }

    private void accepted(X509Bundle certificate, String entry) throws IOException {
        try (RawBackend backend = backend(certificate, OK);
                Drover drover = over(backend.url(), entry).start();
                RawClient client = drover.connect()) {
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(200);
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(200);
            assertThat(backend.connectionsAccepted())
                    .as("connections for two requests")
                    .isEqualTo(1);
        }
    }

    @Test
    void oneThatTheAuthorityVouchesForIsAsked() throws IOException {
        accepted(Certificates.good(), trusting);
    }

    @Test
    void oneWithACertificateOfItsOwnIsNot() throws IOException {
        assertThat(refusal(Certificates.selfSigned(), trusting)).contains("certificate not trusted");
        assertThat(refusal(Certificates.good(), "")).contains("certificate not trusted");
    }

    @Test
    void oneWhoseCertificateHasExpiredIsNot() throws IOException {
        assertThat(refusal(EXPIRED, trusting)).contains("certificate expired");
    }

    @Test
    void oneWhoseCertificateIsForAnotherNameIsNotUnlessThatIsTheName() throws IOException {
        assertThat(refusal(OF_ANOTHER, trusting)).contains("certificate for another name");
        accepted(OF_ANOTHER, trusting + ", tls.name = gpu.another.test");
    }

    @Test
    void unverifiedAnyIsAsked() throws IOException {
        accepted(Certificates.selfSigned(), "tls.verify = false");
        accepted(EXPIRED, "tls.verify = false");
        accepted(OF_ANOTHER, "tls.verify = false");
    }

    @Test
    void oneThatSpeaksPlainHttpIsSaidTo() throws IOException {
        try (RawBackend plain = RawBackend.start(connection -> {
                    connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
                    connection.awaitClientClose();
                });
                Drover drover = over(https(plain), trusting).start()) {
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);

            assertThat(response.status()).isEqualTo(502);
            assertThat(response.body()).contains("no TLS spoken there");
        }
    }

    @Test
    void aHandshakeThatHangsEndsWithTheTimeOfTheConnect() throws IOException {
        try (RawBackend silent = RawBackend.start(RawBackend.Connection::awaitClientClose);
                Drover drover = over(https(silent), trusting)
                        .set("timeouts.connect", "300ms")
                        .start()) {
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);

            assertThat(response.status()).isEqualTo(504);
            assertThat(response.body()).contains("TLS handshake timed out");
        }
    }

    @Test
    void anotherBackendIsAskedInPlaceOfOneThatIsNotBelieved() throws IOException {
        try (RawBackend bad = backend(EXPIRED, OK);
                RawBackend good = backend(Certificates.good(), OK);
                Drover drover = over(bad.url(), trusting)
                        .backend(good.url(), trusting + ", backup = true")
                        .start()) {
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);

            assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
            assertThat(drover.backend("a").downReason(System.nanoTime())).contains("certificate expired");
        }
    }

    @Test
    void probesVerifyToo() throws IOException {
        AtomicInteger answered = new AtomicInteger();
        RawBackend.Script models = connection -> {
            while (connection.hasMore()) {
                connection.readRequest();
                connection.answer("{\"models\":[]}");
                answered.incrementAndGet();
            }
        };
        try (RawBackend bad = backend(EXPIRED, OK);
                RawBackend good = backend(Certificates.good(), models);
                Drover drover = over(bad.url(), trusting)
                        .backend(good.url(), trusting)
                        .set("health.active.interval", "1m")
                        .set("health.active.fall", "1")
                        .start()) {
            Drover.await("a down", () -> drover.backend("a").state() == BackendState.DOWN);
            assertThat(drover.backend("a").downReason(System.nanoTime())).contains("certificate expired");
            Drover.await("b probed and listed", () -> answered.get() == 3);
            assertThat(drover.backend("b").isUp(System.nanoTime())).isTrue();
        }
    }

    @Test
    void anAnswerThatEndsWithItsConnectionEndsOnlyIfTheBackendSaysSo() throws IOException {
        CountDownLatch read = new CountDownLatch(1);
        RawBackend.Script script = connection -> {
            RawBackend.Request request = connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"models\":[]}");
            if (request.startLine().contains("/api/tags")) {
                connection.finish();
            } else {
                connection.await(read);
                connection.breakOff();
            }
            connection.awaitClientClose();
        };
        try (RawBackend backend = backend(Certificates.good(), script);
                Drover drover = over(backend.url(), trusting).start()) {
            assertThat(drover.exchange("GET", "/api/tags", "").body()).isEqualTo("{\"models\":[]}");

            try (RawClient client = drover.connect()) {
                client.request("GET", "/api/ps", "");
                client.readHead();
                read.countDown();
                assertThat(client.readChunk()).isEqualTo("{\"models\":[]}");
                client.expectClosed();
            }
            assertThat(drover.log(2).get(1).toString()).contains("truncated answer");
        }
    }

    @Test
    void aReloadReadsTheAuthoritiesAgain() throws IOException {
        Path authorities = directory.resolve("ca.pem");
        try (RawBackend backend = backend(Certificates.good(), OK);
                Drover drover = over(backend.url(), trusting).start()) {
            java.nio.file.Files.writeString(
                    authorities, Certificates.selfSigned().getCertificatePEM());
            assertThat(drover.post("/api/reload").status()).isEqualTo(200);

            assertThat(drover.exchange("POST", "/api/chat", Route.BODY).body()).contains("certificate not trusted");
        }
    }

    private static URI https(RawBackend plain) {
        return URI.create("https://127.0.0.1:" + plain.address().getPort());
    }
}
