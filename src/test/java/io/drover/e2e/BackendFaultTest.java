package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.TransportKind;
import io.drover.testing.Certificates;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Phase by fault, on the backend's side: what the client is told, and how many copies of the request there are. */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("wires")
class BackendFaultTest {
    private static final String ANSWER = "{\"from\":\"b\"}";

    /** What is spoken on either side. */
    private enum Wires {
        PLAIN,
        TLS,
        /** As TLS, without BoringSSL. */
        TLS_OF_JAVA
    }

    private final Engine engine;
    private final Wires wires;
    private final @Nullable SSLContext backends;

    BackendFaultTest(Engine engine, Wires wires) {
        this.engine = engine;
        this.wires = wires;
        this.backends = wires == Wires.PLAIN ? null : Certificates.server(Certificates.good());
    }

    /** With TLS neither loops nor transports make a difference: each connection has its own engine above its bytes. */
    static Stream<Arguments> wires() {
        List<Engine> engines = Engine.all().toList();
        return Stream.concat(
                engines.stream().map(engine -> Arguments.of(engine, Wires.PLAIN)),
                Stream.of(
                        Arguments.of(engines.get(0), Wires.TLS),
                        Arguments.of(new Engine(TransportKind.NIO, 1), Wires.TLS_OF_JAVA)));
    }

    static Stream<Arguments> cells() {
        return Stream.of(BackendFault.values()).flatMap(fault -> Stream.of(Route.values())
                // Other routes have no idle timeout: a listing may be slow for good reasons.
                .filter(route -> route.replayable || !fault.isStall() || fault.when == BackendFault.When.AWAIT_HEAD)
                .flatMap(route -> Stream.of(true, false).map(alone -> Arguments.of(fault, route, alone))));
    }

    @ParameterizedTest(name = "{0} {1} alone: {2}")
    @MethodSource("cells")
    void aBackendFails(BackendFault fault, Route route, boolean alone) throws Exception {
        try (RawBackend a = RawBackend.start(backends, connection -> {
                    connection.readRequest();
                    fault.play.on(connection);
                });
                RawBackend b = RawBackend.start(backends, connection -> {
                    while (connection.hasMore()) {
                        connection.readRequest();
                        connection.answer(ANSWER);
                    }
                });
                Drover drover = start(fault, alone, a.url(), b.url())) {
            boolean next = !alone && route.replayable && fault.isRetried();
            try (RawClient client = drover.connect()) {
                route.send(client);
                if (next) {
                    RawClient.Response response = client.readResponse();
                    assertThat(response.body()).isEqualTo(ANSWER);
                    assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
                } else if (fault.when == BackendFault.When.AWAIT_HEAD) {
                    RawClient.Response response = client.readResponse();
                    assertThat(response.status()).isEqualTo(fault.status);
                    assertThat(response.body()).startsWith("{\"error\":\"" + fault.cause);
                    assertThat(response.header("Connection")).isEmpty();
                } else if (fault.isTold() && route == Route.CHAT) {
                    assertThat(client.readHead().status()).isEqualTo(200);
                    List<String> chunks = client.readChunks();
                    assertThat(chunks.get(chunks.size() - 1))
                            .isEqualTo("{\"error\":\"the backend broke off the answer: " + fault.cause + "\"}\n");
                } else {
                    isVisiblyTruncated(client);
                }
            }

            assertThat(a.requests()).hasSize(1);
            assertThat(b.requests()).hasSize(next ? 1 : 0);
            LogLine line = drover.logged();
            assertThat(line.status()).isEqualTo(next ? 200 : fault.status);
            assertThat(line.attempts()).isEqualTo(next ? 2 : 1);
            if (next) {
                assertThat(line.outcome()).isEqualTo("ok");
                assertThat(line.get("backend")).isEqualTo("b");
            } else {
                boolean relay = fault.when != BackendFault.When.AWAIT_HEAD;
                assertThat(line.outcome()).isEqualTo((relay ? "relay" : "await_head") + "/upstream");
                assertThat(line.get("cause")).startsWith(fault.cause);
            }
        }
    }

    /** Only a cell that stalls has a short timeout: the others are not to fail on a busy machine. */
    private Drover start(BackendFault fault, boolean alone, URI a, URI b) {
        String tls = wires == Wires.PLAIN ? "" : "tls.verify = false";
        Drover.Setup setup = Drover.over().backend(a, tls).on(engine);
        if (!alone) {
            setup.backend(b, "backup = true, " + tls);
        }
        if (wires != Wires.PLAIN) {
            setup.withTls().set("tls.provider", wires == Wires.TLS ? "auto" : "jdk");
        }
        if (fault.isStall()) {
            boolean head = fault.when == BackendFault.When.AWAIT_HEAD;
            setup.set(head ? "timeouts.first-byte" : "timeouts.idle", "100ms");
        }
        return setup.start();
    }

    private static void isVisiblyTruncated(RawClient client) {
        RawClient.Head head = client.readHead();
        assertThat(head.status()).isEqualTo(200);
        String rest = new String(client.readUntilClose(), StandardCharsets.ISO_8859_1);
        if (head.isChunked()) {
            assertThat(rest).doesNotEndWith("0\r\n\r\n");
        } else {
            assertThat(rest.length()).isLessThan(Integer.parseInt(head.header("Content-Length")));
        }
    }
}
