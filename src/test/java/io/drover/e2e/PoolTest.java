package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections to backends are used again only when they are clean: each client gets its own answer. */
class PoolTest {
    private static final String EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

    /** Answers each request with its own path, the first one with {@code first} in place of that. */
    private static RawBackend echoing(String first) throws Exception {
        return RawBackend.start(connection -> {
            while (connection.hasMore()) {
                RawBackend.Request request = connection.readRequest();
                boolean isFirst = request.startLine().contains("/first");
                if (isFirst) {
                    connection.send(first);
                } else {
                    connection.answer(request.startLine().split(" ")[1]);
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
            })
    void bytesBehindAnAnswerReachNobody(String answer) throws Exception {
        try (RawBackend backend = echoing(answer + EVIL);
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            assertThat(client.exchange("GET", "/first", "").body()).doesNotContain("evil");
            assertThat(client.exchange("GET", "/second", "").body()).isEqualTo("/second");
            assertThat(backend.connectionsAccepted()).isEqualTo(2);
        }
    }

    @Test
    void aBodyBehindAnAnswerToHeadReachesNobody() throws Exception {
        try (RawBackend backend = echoing("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            RawClient.Response head = client.exchange("HEAD", "/first", "");
            assertThat(head.header("Content-Length")).isEqualTo("4");
            assertThat(client.exchange("GET", "/second", "").body()).isEqualTo("/second");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
            })
    void aConnectionThatItsBackendEndsIsNotUsedAgain(String answer) throws Exception {
        try (RawBackend backend = echoing(answer);
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            assertThat(client.exchange("GET", "/first", "").body()).isEqualTo("ok");
            assertThat(client.exchange("GET", "/second", "").body()).isEqualTo("/second");
            assertThat(backend.connectionsAccepted()).isEqualTo(2);
        }
    }

    /**
     * An answer that fills the read buffer to its last byte: what came behind it is read when the client's next request
     * may be on its way already.
     */
    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536})
    void bytesBehindAnAnswerThatFillsTheReadBufferReachNobody(int bytes) throws Exception {
        String head = "HTTP/1.1 200 OK\r\nContent-Length: %05d\r\n\r\n";
        int length = bytes - head.formatted(0).length();
        String exact = head.formatted(length) + "x".repeat(length);
        try (RawBackend backend = echoing(exact + EVIL);
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.readResponse().body()).hasSize(length);
            assertThat(client.readResponse().body()).isEqualTo("/second");
        }
    }

    @Test
    void unsolicitedBytesOnAnUnusedConnectionCloseIt() throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    while (connection.hasMore()) {
                        connection.readRequest();
                        connection.answer("own");
                        if (connection.number() == 1) {
                            connection.await(answered);
                            connection.send(EVIL);
                        }
                    }
                });
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.exchange("GET", "/api/tags", "");
            assertThat(drover.openUpstreams()).isEqualTo(1);
            answered.countDown();
            Drover.await("closed", () -> drover.openUpstreams() == 0);
            assertThat(client.exchange("GET", "/api/tags", "").body()).isEqualTo("own");
        }
    }

    /** A body that the backend has not taken is still to come, whatever was answered: nobody may wait behind it. */
    @ParameterizedTest
    @CsvSource({"POST, /api/chat", "PUT, /first"})
    void anEarlyAnswerLeavesNoBodyForTheNextClientToWaitBehind(String method, String path) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    if (connection.number() == 1) {
                        connection.readHead();
                        connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nearly");
                        connection.await(done);
                    } else {
                        connection.readRequest();
                        connection.answer("own");
                    }
                });
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect();
                RawClient next = drover.connect()) {
            Thread sender = new Thread(() -> client.request(method, path, Route.body(24 << 20)));
            sender.start();
            assertThat(client.readResponse().body()).isEqualTo("early");
            assertThat(next.within(Duration.ofSeconds(2))
                            .exchange("GET", "/api/tags", "")
                            .body())
                    .isEqualTo("own");
            sender.join();
            done.countDown();
        }
    }

    @ParameterizedTest
    @CsvSource({"GET, '', 200", "HEAD, '', 200", "OPTIONS, '', 200", "POST, '', 502", "POST, x, 502", "DELETE, '', 502"
    })
    void aStaleConnectionIsReplacedOnceWhereTheRequestIsSafe(String method, String body, int status) throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.answer("");
                    if (connection.number() == 1) {
                        connection.readRequest();
                    }
                });
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            assertThat(client.exchange("GET", "/first", "").status()).isEqualTo(200);
            assertThat(client.exchange(method, "/second", body).status()).isEqualTo(status);

            assertThat(backend.requests()).hasSize(status == 200 ? 3 : 2);
            LogLine second = drover.log(2).get(1);
            assertThat(second.attempts()).isEqualTo(status == 200 ? 2 : 1);
        }
    }

    /** It is no evidence against the backend, so that it costs no attempt and a single backend can still serve. */
    @Test
    void aStaleConnectionCostsInferenceNoAttempt() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.answer("{}");
                    if (connection.number() == 1) {
                        connection.readRequest();
                        connection.reset();
                    }
                });
                Drover drover =
                        Drover.over(backend.url()).set("retry.attempts", "0").start();
                RawClient client = drover.connect()) {
            assertThat(client.exchange("GET", "/first", "").status()).isEqualTo(200);
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(200);
            assertThat(backend.requests()).hasSize(3);
        }
    }

    @Test
    void aFreshConnectionThatDiesIsNotReplacedAgain() throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    if (connection.number() == 1) {
                        connection.answer("");
                        connection.readRequest();
                    }
                });
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            client.exchange("GET", "/first", "");
            assertThat(client.exchange("GET", "/second", "").status()).isEqualTo(502);
            assertThat(backend.requests()).hasSize(3);
        }
    }

    @Test
    void noConnectionIsKeptToAnAddressThatTheNameNoLongerHas() throws Exception {
        CountDownLatch moved = new CountDownLatch(1);
        try (RawBackend backend = RawBackend.start(connection -> {
                    while (connection.hasMore()) {
                        if (connection.readRequest().startLine().contains("slow")) {
                            connection.await(moved);
                        }
                        connection.answer("ok");
                    }
                });
                Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect();
                RawClient other = drover.connect()) {
            other.request("GET", "/slow", "");
            Drover.await("asked", () -> backend.requests().size() == 1);
            assertThat(client.exchange("GET", "/first", "").body()).isEqualTo("ok");
            assertThat(drover.openUpstreams()).isEqualTo(2);

            drover.backend("a").onResolved(new InetAddress[] {InetAddress.getByName("127.0.0.2")});

            Drover.await("the unused one closed", () -> drover.openUpstreams() == 1);
            moved.countDown();
            assertThat(other.readResponse().body()).isEqualTo("ok");
            Drover.await("the used one closed", () -> drover.openUpstreams() == 0);
        }
    }

    @Test
    void anUnusedConnectionIsClosedInTime() throws Exception {
        try (RawBackend backend = echoing("HTTP/1.1 204 No Content\r\n\r\n");
                Drover drover = Drover.over(backend.url())
                        .set("upstream.idle-timeout", "200ms")
                        .start()) {
            assertThat(drover.exchange("GET", "/first", "").status()).isEqualTo(204);
            assertThat(drover.openUpstreams()).isEqualTo(1);
            Drover.await("closed", Duration.ofSeconds(2), () -> drover.openUpstreams() == 0);
        }
    }
}
