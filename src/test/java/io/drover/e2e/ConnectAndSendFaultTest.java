package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The matrix's phases before the backend has the request: it cannot be reached, or does not take what is sent. */
@ParameterizedClass(name = "{0}")
@MethodSource("io.drover.testing.Engine#all")
class ConnectAndSendFaultTest {
    /** More than the kernel's buffers on both sides hold. */
    private static final int LARGE = 24 << 20;

    private static final RawBackend.Script ANSWERS = connection -> {
        while (connection.hasMore()) {
            connection.readRequest();
            connection.answer("{\"from\":\"b\"}");
        }
    };

    private final Engine engine;

    ConnectAndSendFaultTest(Engine engine) {
        this.engine = engine;
    }

    @ParameterizedTest
    @EnumSource(Route.class)
    void aRefusedConnectGoesToTheNextWhateverTheRoute(Route route) throws Exception {
        try (RawBackend b = RawBackend.start(ANSWERS);
                Drover drover =
                        Drover.first(Ports.refusing(), b.url()).on(engine).start()) {
            assertThat(drover.exchange(route.method, route.path, route.body()).body())
                    .isEqualTo("{\"from\":\"b\"}");

            assertThat(b.requests()).hasSize(1);
            assertThat(drover.logged().attempts()).isEqualTo(2);
            assertThat(drover.metric("drover_backend_up{backend=\"a\",}")).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Route.class)
    void aConnectThatTakesTooLongGoesToTheNextWhateverTheRoute(Route route) throws Exception {
        try (Blackhole hole = Blackhole.open();
                RawBackend b = RawBackend.start(ANSWERS);
                Drover drover = Drover.first(hole.url(), b.url())
                        .on(engine)
                        .set("timeouts.connect", "150ms")
                        .start()) {
            assertThat(drover.exchange(route.method, route.path, route.body()).body())
                    .isEqualTo("{\"from\":\"b\"}");

            assertThat(drover.logged().attempts()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(Route.class)
    void aloneARefusedConnectIs502AndOnceItIsKnownToBeDown503(Route route) throws Exception {
        try (Drover drover = Drover.over(Ports.refusing()).on(engine).start()) {
            RawClient.Response first = drover.exchange(route.method, route.path, route.body());
            RawClient.Response second = drover.exchange(route.method, route.path, route.body());

            assertThat(first.status()).isEqualTo(502);
            assertThat(first.body()).contains("connection refused");
            assertThat(second.status()).isEqualTo(503);
            assertThat(second.header("Retry-After")).isNotEmpty();
            assertThat(drover.log(2))
                    .allSatisfy(line -> assertThat(line.outcome()).isEqualTo("connect/upstream"));
        }
    }

    @Test
    void aloneAConnectThatTakesTooLongIs504() throws Exception {
        try (Blackhole hole = Blackhole.open();
                Drover drover = Drover.over(hole.url())
                        .on(engine)
                        .set("timeouts.connect", "150ms")
                        .start()) {
            assertThat(drover.exchange("GET", "/api/tags", "").status()).isEqualTo(504);

            LogLine line = drover.logged();
            assertThat(line.outcome()).isEqualTo("connect/upstream");
            assertThat(line.get("cause")).startsWith("connect timed out");
        }
    }

    @Test
    void aNameThatDoesNotResolveGoesToTheNext() throws Exception {
        try (RawBackend b = RawBackend.start(ANSWERS);
                Drover drover = Drover.first(URI.create("http://nobody.invalid:1"), b.url())
                        .on(engine)
                        .start()) {
            assertThat(drover.exchange("POST", "/api/copy", "{}").status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "CHAT,  close, true",
        "CHAT,  reset, true",
        "CHAT,  stall, true",
        "COPY,  close, false",
        "COPY,  reset, false",
        "COPY,  stall, false",
        "UNKNOWN, reset, false"
    })
    void aBackendThatDoesNotTakeTheBody(Route route, String fault, boolean retried) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        try (RawBackend a = RawBackend.start(connection -> {
                    connection.readHead();
                    switch (fault) {
                        case "close" -> connection.close();
                        case "reset" -> connection.reset();
                        default -> connection.await(done);
                    }
                });
                RawBackend b = RawBackend.start(ANSWERS);
                Drover drover = Drover.first(a.url(), b.url())
                        .on(engine)
                        .set("timeouts.upstream-write", "300ms")
                        .start()) {
            try (RawClient client = drover.connect()) {
                Thread sender = sendLarge(client, route);
                RawClient.Response response = client.readResponse();

                int expected = retried ? 200 : fault.equals("stall") ? 504 : 502;
                assertThat(response.status()).as(response.body()).isEqualTo(expected);
                client.hangUp();
                sender.join();
                done.countDown();
            }
            assertThat(a.requests()).hasSize(1);
            assertThat(b.requests()).hasSize(retried ? 1 : 0);
            LogLine line = drover.logged();
            if (retried) {
                assertThat(line.outcome()).isEqualTo("ok");
                assertThat(b.requests().get(0).body()).hasSizeGreaterThan(LARGE);
            } else {
                assertThat(line.outcome()).isEqualTo("send/upstream");
            }
        }
    }

    /** A blob that is there already: the answer comes while the upload runs, and the rest is not worth sending. */
    @Test
    void anEarlyAnswerEndsAnUploadAndBothItsConnections() throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        try (RawBackend a = RawBackend.start(connection -> {
                    if (connection.number() == 1) {
                        connection.readHead();
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                        connection.await(done);
                    } else {
                        connection.readRequest();
                        connection.answer("{\"mine\":true}");
                    }
                });
                Drover drover = Drover.over(a.url()).on(engine).start()) {
            try (RawClient client = drover.connect()) {
                Thread sender = sendLarge(client, Route.UNKNOWN);
                RawClient.Response response = client.readResponse();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.header("Connection")).isEqualTo("close");
                client.hangUp();
                sender.join();
                done.countDown();
            }
            assertThat(drover.exchange("GET", "/api/tags", "").body()).isEqualTo("{\"mine\":true}");
            assertThat(drover.log(2))
                    .allSatisfy(line -> assertThat(line.outcome()).isEqualTo("ok"));
        }
    }

    /** What is sent into a connection that has ended fails, and that is not what is tested. */
    private static Thread sendLarge(RawClient client, Route route) {
        Thread sender = new Thread(() -> {
            try {
                client.request(route.method, route.path, Route.body(LARGE));
            } catch (UncheckedIOException e) {
                assertThat(e).hasMessageNotContaining("timed out");
            }
        });
        sender.start();
        return sender;
    }
}
