package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.DroverConfig.TransportKind;
import io.drover.server.Draining;
import io.drover.testing.Certificates;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.drover.testing.TlsPeer;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

/** Clients that abuse TLS, or end it in order: handshakes that do not end, and how either side says that it is done. */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("sides")
class TlsFaultTest {
    private static final X509Bundle GOOD = Certificates.good();
    private static final SSLContext CLIENT = Certificates.client();
    private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final String ASK = "GET /api/tags HTTP/1.1\r\nHost: x\r\n\r\n";

    private final Engine engine;
    private final String provider;

    @TempDir
    private Path directory = Path.of("");

    TlsFaultTest(Engine engine, String provider) {
        this.engine = engine;
        this.provider = provider;
    }

    /** Java's engine is one for all transports. */
    static Stream<Arguments> sides() {
        return TlsTest.sides()
                .filter(side ->
                        !"jdk".equals(side.get()[1]) || ((Engine) side.get()[0]).transport() == TransportKind.NIO);
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

    private static TlsPeer peer(Drover drover, String version) throws IOException {
        return TlsPeer.connect(drover.address(), CLIENT, version, 1 << 14);
    }

    /** Those that say nothing, that stop within the ClientHello, and behind it. */
    @ParameterizedTest
    @ValueSource(strings = {"limits.connections", "limits.connections-per-client"})
    void handshakesThatDoNotEndAreConnectionsToo(String limit) throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend)
                        .set(limit, "3")
                        .set("timeouts.lingering-close", "1s")
                        .start();
                TlsPeer silent = peer(drover, "TLSv1.3");
                TlsPeer half = peer(drover, "TLSv1.3").sendRaw(new byte[] {0x16, 3, 1, 2});
                TlsPeer waiting = peer(drover, "TLSv1.3").sayHello()) {
            Drover.await("three", () -> drover.openClients() == 3);

            try (RawClient told = RawClient.connect(drover.address(), CLIENT, VERSIONS)) {
                RawClient.Response refused = told.readResponse();
                assertThat(refused.body()).contains(limit);
                assertThat(refused.status()).isEqualTo(limit.endsWith("client") ? 429 : 503);
            }
            Drover.await("gone", () -> drover.openClients() == 3);
            List<RawClient> many = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                many.add(drover.connect());
            }
            many.forEach(client -> client.within(Duration.ofSeconds(3)).expectClosed());
            many.forEach(RawClient::close);

            half.hangUp();
            silent.hangUp();
            waiting.hangUp();
            Drover.await("all gone", () -> drover.openClients() == 0);
            try (TlsPeer next = peer(drover, "TLSv1.3").shakeHands()) {
                assertThat(next.send(ASK).readUntil("ok")).contains("200 OK");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void aHelloAndNoMoreIsCutOff(String version) throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover =
                        over(backend).set("timeouts.request-head", "300ms").start();
                TlsPeer waiting = peer(drover, version).sayHello();
                TlsPeer slow = TlsPeer.connect(drover.address(), CLIENT, version, 1)) {
            slow.sendRaw(new byte[] {0x16, 3, 1});

            waiting.awaitEnd();
            slow.awaitEnd();

            Drover.await("failures", () -> drover.metric("drover_tls_handshake_failures_total") == 2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void recordsMayComeByteByByte(String version) throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                TlsPeer peer = TlsPeer.connect(drover.address(), CLIENT, version, 1)) {
            peer.shakeHands();
            for (int i = 0; i < 3; i++) {
                assertThat(peer.send(ASK).readUntil("ok")).contains("200 OK");
            }
            peer.sendNotify();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void aConnectionEndsInOrder(String version) throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover =
                        over(backend).set("timeouts.keep-alive", "200ms").start();
                TlsPeer asked = peer(drover, version).shakeHands();
                TlsPeer idle = peer(drover, version).shakeHands()) {
            asked.send("GET /api/tags HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assertThat(asked.readToEnd()).endsWith("ok");
            assertThat(asked.isNotified()).isTrue();
            assertThat(asked.isReset()).isFalse();

            idle.send(ASK).readToEnd();
            assertThat(idle.isNotified()).isTrue();
            assertThat(idle.isReset()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void aDrainEndsInOrder(String version) throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                TlsPeer idle = peer(drover, version).shakeHands()) {
            idle.send(ASK).readUntil("ok");
            Draining draining = Draining.start(drover.server());

            idle.readToEnd();

            assertThat(idle.isNotified()).isTrue();
            assertThat(idle.isReset()).isFalse();
            draining.join();
            drover.endsByItself();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void whoSaysThatItIsDoneIsAnsweredTheSame(String version) throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                TlsPeer peer = peer(drover, version).shakeHands()) {
            peer.send(ASK).readUntil("ok");
            peer.sendNotify();

            peer.readToEnd();

            assertThat(peer.isNotified()).isTrue();
            assertThat(peer.isReset()).isFalse();
        }
    }

    /** To HTTP/1.0, which knows of an end by the end of the connection only. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void aBrokenAnswerNeverEndsInOrder(String version) throws IOException {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
                    connection.hold();
                    connection.reset();
                });
                Drover drover = over(backend).start();
                TlsPeer peer = peer(drover, version).shakeHands()) {
            peer.send("GET /api/tags HTTP/1.0\r\n\r\n").readToEnd();

            assertThat(peer.isNotified()).isFalse();
        }
    }

    /** A second handshake costs the server ten times what it costs the client (CVE-2011-1473). */
    @Test
    void aSecondHandshakeIsNotHeld() throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                TlsPeer peer = peer(drover, "TLSv1.2").shakeHands()) {
            peer.send(ASK).readUntil("ok");
            peer.askAgain(1);

            assertThatThrownBy(peer::endHandshake)
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void newKeysMayBeAskedFor() throws IOException {
        try (RawBackend backend = RawBackend.answering(OK);
                Drover drover = over(backend).start();
                TlsPeer peer = peer(drover, "TLSv1.3").shakeHands()) {
            peer.send(ASK).readUntil("ok");
            for (int i = 0; i < 10; i++) {
                peer.askAgain(1);
                peer.send(ASK);
                peer.readUntil("ok");
            }
            peer.sendNotify();
        }
    }

    /** The answers to those who read none would be kept without an end. */
    @Test
    void newKeysAreNotAskedForWithoutAnEnd() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    try {
                        connection.awaitClientClose();
                    } catch (SocketTimeoutException longer) {
                        // Java takes a while to get there on a busy machine; the client sees how it ends.
                    }
                });
                Drover drover = over(backend).start();
                TlsPeer peer = peer(drover, "TLSv1.3").shakeHands()) {
            peer.send(ASK);
            Drover.await("asked", () -> !backend.requests().isEmpty());

            assertThatThrownBy(() -> {
                        for (int i = 0; i < 2000; i++) {
                            peer.askAgain(500);
                        }
                    })
                    .isInstanceOf(SocketException.class);

            Drover.await("gone", () -> drover.openClients() == 0);
        }
    }
}
