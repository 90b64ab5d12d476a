package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.demo.SimulatedOllama;
import io.drover.server.Draining;
import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SIGTERM in each phase of a request: what runs may finish, what is new is not begun, what is stuck is cut. */
class DrainTest {
    private SimulatedOllama ollama;

    @BeforeEach
    void start() {
        ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults()
                .withTokensPerSecond(50)
                .withTokens(20)
                .withSlots(4));
    }

    @AfterEach
    void stop() {
        ollama.close();
    }

    private static Draining drain(Drover drover) {
        Draining draining = Draining.start(drover.server());
        drover.endsByItself();
        return draining;
    }

    @Test
    void aStreamFinishesAndAnIdleConnectionEndsAtOnce() throws Exception {
        try (Drover drover = Drover.over(ollama.url()).start();
                RawClient streaming = drover.connect();
                RawClient idle = drover.connect()) {
            idle.exchange("GET", "/health", "");
            streaming.request("POST", "/api/chat", Route.BODY).readHead();
            Draining draining = drain(drover);
            idle.expectClosed();
            assertThat(String.join("", streaming.readChunks())).contains("\"done\":true");
            streaming.expectClosed();
            draining.join();
            assertThatThrownBy(drover::connect).isInstanceOf(UncheckedIOException.class);
            assertThat(drover.log(2).get(1).outcome()).isEqualTo("ok");
        }
    }

    @Test
    void aRequestWhoseHeadHasNotComeYetEndsByItsTimeout() throws Exception {
        try (Drover drover = Drover.over(ollama.url())
                        .set("timeouts.request-head", "300ms")
                        .start();
                RawClient client = drover.connect()) {
            client.send("GET /api/ta");
            Drover.await("in", () -> drover.openClients() == 1);
            Draining draining = drain(drover);
            assertThat(client.readResponse().status()).isEqualTo(408);
            client.hangUp();
            draining.join();
        }
    }

    @Test
    void aRequestThatIsStillBeingReadIsServedAndItsConnectionEnds() throws Exception {
        try (Drover drover = Drover.over(ollama.url()).start();
                RawClient client = drover.connect()) {
            client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: " + Route.BODY.length() + "\r\n\r\n{");
            Drover.await("in", () -> drover.openClients() == 1);
            Draining draining = drain(drover);
            client.send(Route.BODY.substring(1));
            RawClient.Response response = client.readResponse();
            assertThat(response.body()).contains("\"done\":true");
            assertThat(response.header("Connection")).isEqualTo("close");
            client.expectClosed();
            draining.join();
        }
    }

    @Test
    void whatIsStuckIsCutWhenTheTimeIsOverAndItsBackendStops() throws Exception {
        try (Drover drover =
                        Drover.over(ollama.url()).set("drain-timeout", "300ms").start();
                RawClient waiting = drover.connect();
                RawClient streaming = drover.connect()) {
            waiting.request("POST", "/api/chat", Route.BODY, "X-Sim-Fault: stall-before-head");
            streaming
                    .request("POST", "/api/chat", Route.BODY, "X-Sim-Fault: stall:2")
                    .readHead();
            ollama.await("both there", () -> ollama.requests() == 2);
            Draining draining = drain(drover);
            assertThat(waiting.readResponse().status()).isEqualTo(503);
            assertThat(new String(streaming.readUntilClose(), java.nio.charset.StandardCharsets.UTF_8))
                    .endsWith("{\"error\":\"the proxy broke off the answer: the process ends\"}\n\r\n0\r\n\r\n");
            draining.join();
            ollama.await("cancelled", () -> ollama.cancelled() == 2);
            assertThat(drover.log(2))
                    .allSatisfy(line -> assertThat(line.get("side")).isEqualTo("proxy"));
        }
    }

    @Test
    void aSecondSignalStopsAtOnce() throws Exception {
        try (Drover drover =
                        Drover.over(ollama.url()).set("drain-timeout", "60s").start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Route.BODY, "X-Sim-Fault: stall:2")
                    .readHead();
            Draining draining = drain(drover);
            Drover.await("draining", () -> drover.server().proxy().isDraining());
            draining.hurry();
            Drover.await("over", Duration.ofSeconds(5), draining::isOver);
        }
    }

    @Test
    void duringTheDelayItIsNotReadyButServes() throws Exception {
        try (Drover drover = Drover.over(ollama.url()).set("drain-delay", "60s").start()) {
            Draining draining = drain(drover);
            Drover.await("draining", () -> drover.server().proxy().isDraining());
            RawClient.Response ready = drover.exchange("GET", "/ready", "");
            assertThat(ready.status()).isEqualTo(503);
            assertThat(ready.body()).contains("shutting down");
            RawClient.Response served = drover.exchange("GET", "/api/tags", "");
            assertThat(served.status()).isEqualTo(200);
            assertThat(served.header("Connection")).isEqualTo("close");
            draining.hurry();
            draining.join();
        }
    }
}
