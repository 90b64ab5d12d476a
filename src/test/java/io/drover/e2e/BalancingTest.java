package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawClient;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where requests go, with many of them at once and backends that come and go. */
class BalancingTest {
    private static final int STREAMS = 100;

    private static final SimulatedOllama.Settings PACED = SimulatedOllama.Settings.defaults()
            .withTokensPerSecond(40)
            .withTokens(40)
            .withSlots(200);

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void endingOneBackendLosesNoRequestThatHadNotBegunToAnswer(boolean reset) throws Exception {
        // Half of the streams wait for their first token when the backend dies.
        SimulatedOllama.Settings few = PACED.withSlots(25);
        try (SimulatedOllama a = SimulatedOllama.start(few);
                SimulatedOllama b = SimulatedOllama.start(PACED);
                Drover drover = Drover.over(a.url(), b.url()).loops(2).start()) {
            AtomicInteger whole = new AtomicInteger();
            AtomicInteger broken = new AtomicInteger();
            AtomicInteger lost = new AtomicInteger();
            CountDownLatch ready = new CountDownLatch(STREAMS);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < STREAMS; i++) {
                Thread thread = new Thread(() -> {
                    boolean begun = false;
                    try (RawClient client = drover.connect()) {
                        client.request("POST", "/api/chat", Route.BODY);
                        ready.countDown();
                        RawClient.Head head = client.readHead();
                        begun = head.status() == 200;
                        List<String> chunks = client.readChunks();
                        String last = chunks.get(chunks.size() - 1);
                        boolean told = begun && last.startsWith("{\"error\":\"the backend broke off the answer: ");
                        (last.contains("\"done\":true") ? whole : told ? broken : lost).incrementAndGet();
                    } catch (UncheckedIOException | NumberFormatException e) {
                        (begun ? broken : lost).incrementAndGet();
                    }
                });
                threads.add(thread);
                thread.start();
            }
            ready.await();
            a.await("both are busy", () -> a.active() == 25 && a.waiting() == 25 && b.active() == 50);
            a.refuse();
            a.disconnect(reset);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(lost).hasValue(0);
            // The dying backend gives freed slots to a few that waited, which then have begun as well.
            assertThat(broken.get()).isLessThan(50);
            assertThat(whole.get()).isEqualTo(STREAMS - broken.get());
            drover.drained(STREAMS);
            assertThat(drover.logLines())
                    .allSatisfy(line -> assertThat(line.status()).isEqualTo(200));
        }
    }

    @Test
    void streamsSpreadEvenlyAndTheCountIsExactOverTwoLoops() throws Exception {
        try (SimulatedOllama a = SimulatedOllama.start(PACED);
                SimulatedOllama b = SimulatedOllama.start(PACED);
                SimulatedOllama c = SimulatedOllama.start(PACED);
                Drover drover = Drover.over(a.url(), b.url(), c.url()).loops(2).start()) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                clients.add(drover.connect().request("POST", "/api/chat", Route.BODY));
            }
            a.await("10 each", () -> a.active() == 10 && b.active() == 10 && c.active() == 10);
            clients.forEach(RawClient::close);
            drover.drained(30);
        }
    }

    @Test
    void aBackupServesOnlyWhileNoOtherIsUp() {
        SimulatedOllama.Settings settings = SimulatedOllama.Settings.defaults().withTokens(3);
        try (SimulatedOllama a = SimulatedOllama.start(settings);
                SimulatedOllama b = SimulatedOllama.start(settings);
                Drover drover = Drover.first(a.url(), b.url())
                        .set("health.passive.eject", "300ms")
                        .start()) {
            for (int i = 0; i < 5; i++) {
                assertThat(from(drover)).isEqualTo("a");
            }
            a.refuse();
            a.disconnect(false);
            for (int i = 0; i < 5; i++) {
                assertThat(from(drover)).isEqualTo("b");
            }
            a.resume();
            Drover.await("a serves again", () -> from(drover).equals("a"));
            assertThat(drover.logLines()).extracting(LogLine::outcome).containsOnly("ok");
        }
    }

    private static String from(Drover drover) {
        RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
        assertThat(response.status()).isEqualTo(200);
        return response.header("X-Drover-Backend");
    }

    /** Each class of error that another backend may not have, and each that it would have too. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "busy-503",
                "unavailable-503",
                "error-500-load",
                "error-500-runner",
                "error-first-line",
                "model-404"
            })
    void anErrorBeforeTheFirstByteGoesToTheNextBackend(String fault) {
        try (SimulatedOllama a = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                SimulatedOllama b = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.first(a.url(), b.url()).start()) {
            a.fault(io.drover.demo.Fault.of(io.drover.demo.Fault.Kind.valueOf(
                    fault.toUpperCase(java.util.Locale.ROOT).replace('-', '_'))));
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.body()).contains("\"done\":true").doesNotContain("error");
            assertThat(response.header("X-Drover-Backend")).isEqualTo("b");
            LogLine line = drover.logged();
            assertThat(line.attempts()).isEqualTo(2);
            assertThat(line.outcome()).isEqualTo("ok");
        }
    }

    @Test
    void whereAllFailTheLastAnswerIsTheClients() {
        try (SimulatedOllama a = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                SimulatedOllama b = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.first(a.url(), b.url()).start()) {
            RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY, "X-Sim-Fault: model-404");
            assertThat(response.status()).isEqualTo(404);
            assertThat(response.body()).contains("not found");
            assertThat(drover.logged().attempts()).isEqualTo(2);
        }
    }
}
