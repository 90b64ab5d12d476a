package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.BackendState;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of requests that wait for an answer when probes find their backend down. */
class TakeBackTest {
    private static final String ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"done\": true}";

    private static void fall(Drover drover, String name) {
        Backend backend = drover.backend(name);
        for (int i = 0; backend.state(System.nanoTime()) != BackendState.DOWN; i++) {
            assertThat(i).isLessThan(10);
            backend.onProbe(false, "probe timed out", System.nanoTime());
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void aRequestThatWaitsThereGoesToAnother(Engine engine) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        try (RawBackend frozen = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.await(over);
                });
                RawBackend well = RawBackend.answering(ANSWER);
                Drover drover =
                        Drover.first(frozen.url(), well.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Route.BODY);
            Drover.await("asked", () -> frozen.requests().size() == 1);
            fall(drover, "a");

            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
            LogLine line = drover.logged();
            assertThat(line.attempts()).isEqualTo(2);
            over.countDown();
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void aStreamThatHasBegunGoesOn(Engine engine) throws Exception {
        CountDownLatch fallen = new CountDownLatch(1);
        try (RawBackend slow = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                    connection.sendChunk("{\"done\":false}\n");
                    connection.await(fallen);
                    connection.sendChunk("{\"done\":true}\n");
                    connection.send("0\r\n\r\n");
                });
                RawBackend other = RawBackend.answering(ANSWER);
                Drover drover = Drover.first(slow.url(), other.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Route.BODY);
            client.readHead();
            assertThat(client.readChunk()).isEqualTo("{\"done\":false}\n");
            fall(drover, "a");
            fallen.countDown();
            assertThat(client.readChunks()).containsExactly("{\"done\":true}\n");
            assertThat(drover.logged().attempts()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void whatMayNotBeSentTwiceStays(Engine engine) throws Exception {
        CountDownLatch fallen = new CountDownLatch(1);
        try (RawBackend slow = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.await(fallen);
                    connection.send(ANSWER);
                });
                RawBackend other = RawBackend.answering(ANSWER);
                Drover drover = Drover.first(slow.url(), other.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/pull", "{\"model\":\"llama3.2\",\"stream\":false}");
            Drover.await("asked", () -> slow.requests().size() == 1);
            fall(drover, "a");
            fallen.countDown();
            RawClient.Response response = client.readResponse();
            assertThat(response.header("X-Drover-Backend")).isEqualTo("a");
            assertThat(other.requests()).isEmpty();
        }
    }
}
