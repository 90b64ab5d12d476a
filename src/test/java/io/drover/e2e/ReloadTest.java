package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The configuration is read again while requests run. */
class ReloadTest {
    private static SimulatedOllama ollama() {
        return SimulatedOllama.start(SimulatedOllama.Settings.defaults());
    }

    private static String backends(Object... urls) {
        List<String> entries = new ArrayList<>();
        for (Object url : urls) {
            entries.add("\"" + url + "\"");
        }
        return "drover.backends = [" + String.join(", ", entries) + "]\n";
    }

    private static String servedBy(Drover drover) {
        RawClient.Response response = drover.exchange("POST", "/api/chat", Route.BODY);
        assertThat(response.status()).isEqualTo(200);
        return response.header("X-Drover-Backend");
    }

    private static String reload(Drover drover) {
        RawClient.Response response = drover.post("/api/reload");
        assertThat(response.status()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    @Test
    void aHerdIsReplacedByAnother() {
        try (SimulatedOllama a = ollama();
                SimulatedOllama b = ollama();
                Drover drover = Drover.over(a.url()).start()) {
            assertThat(servedBy(drover)).isEqualTo("a");
            drover.rewrite(backends(b.url()));

            assertThat(reload(drover))
                    .isEqualTo("{\"added\":[\"" + b.url().getAuthority()
                            + "\"],\"removed\":[\"a\"],\"needs_restart\":[],\"warnings\":[]}");

            assertThat(servedBy(drover)).isEqualTo(b.url().getAuthority());
            assertThat(drover.metric("drover_reloads_total{result=\"ok\",}")).isEqualTo(1);
            assertThat(drover.metric("drover_backend_up{backend=\"a\",}")).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void aStreamOnOneThatGoesRunsToItsEnd(Engine engine) throws Exception {
        CountDownLatch reloaded = new CountDownLatch(1);
        try (RawBackend leaves = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                    connection.sendChunk("{\"done\":false}\n");
                    connection.await(reloaded);
                    connection.sendChunk("{\"done\":true}\n");
                    connection.send("0\r\n\r\n");
                    connection.awaitClientClose();
                });
                SimulatedOllama comes = ollama();
                Drover drover = Drover.over(leaves.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Route.BODY);
            client.readHead();
            assertThat(client.readChunk()).isEqualTo("{\"done\":false}\n");
            drover.rewrite(backends(comes.url()));
            reload(drover);
            reloaded.countDown();

            assertThat(client.readChunks()).containsExactly("{\"done\":true}\n");
            // The same connection of the client: its next request follows the new configuration.
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).header("X-Drover-Backend"))
                    .isEqualTo(comes.url().getAuthority());
            Drover.await("no connection to the one that left", () -> drover.openUpstreams() == 1);
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void anUploadThatBeganBeforeGoesToTheNewHerd(Engine engine) {
        try (SimulatedOllama leaves = ollama();
                SimulatedOllama comes = ollama();
                Drover drover = Drover.over(leaves.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.send("POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
                    + Route.BODY.length() + "\r\n\r\n" + Route.BODY.substring(0, 10));
            Drover.await("connected", () -> drover.openClients() == 1);
            drover.rewrite(backends(comes.url()));
            reload(drover);

            client.send(Route.BODY.substring(10));
            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("X-Drover-Backend"))
                    .isEqualTo(comes.url().getAuthority());
        }
    }

    @Test
    void nothingIsRefusedWhileHerdsReplaceEachOther() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(4);
        try (SimulatedOllama a = ollama();
                SimulatedOllama b = ollama();
                Drover drover = Drover.over(a.url()).loops(2).start()) {
            AtomicBoolean over = new AtomicBoolean();
            List<Future<Integer>> served = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                served.add(clients.submit(() -> {
                    int count = 0;
                    try (RawClient client = drover.connect()) {
                        while (!over.get()) {
                            RawClient.Response response = client.exchange("POST", "/api/chat", Route.BODY);
                            assertThat(response.status()).as(response.body()).isEqualTo(200);
                            assertThat(response.body()).contains("\"done\":true");
                            count++;
                        }
                    }
                    return count;
                }));
            }
            for (int i = 0; i < 20; i++) {
                drover.rewrite(backends(i % 2 == 0 ? b.url() : a.url()));
                reload(drover);
            }
            over.set(true);
            for (Future<Integer> each : served) {
                assertThat(each.get(10, TimeUnit.SECONDS)).isPositive();
            }
        } finally {
            clients.shutdownNow();
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void whoWaitsOnOneThatGoesAndDiesIsServedByTheNewHerd(Engine engine) throws Exception {
        CountDownLatch reloaded = new CountDownLatch(1);
        try (RawBackend leaves = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.await(reloaded);
                    connection.reset();
                });
                SimulatedOllama comes = ollama();
                Drover drover = Drover.over(leaves.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("POST", "/api/chat", Route.BODY);
            Drover.await("asked", () -> leaves.requests().size() == 1);
            drover.rewrite(backends(comes.url()));
            reload(drover);
            reloaded.countDown();

            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("X-Drover-Backend"))
                    .isEqualTo(comes.url().getAuthority());
        }
    }

    @Test
    void untilDiscoveryFindsSomebodyThoseServeThatDidSoFar() {
        try (SimulatedOllama a = ollama();
                Drover drover = Drover.over(a.url()).start()) {
            drover.rewrite("drover.discovery { dns = \"no-such-host.invalid:1\", interval = 50ms }\n");
            assertThat(reload(drover)).startsWith("{\"added\":[],\"removed\":[],");
            assertThat(servedBy(drover)).isEqualTo("a");

            drover.rewrite("drover.discovery { dns = \"localhost:" + a.url().getPort() + "\", interval = 50ms }\n");
            reload(drover);

            Drover.await("found", () -> servedBy(drover).equals(a.url().getAuthority()));
            assertThat(drover.server().cluster().backends())
                    .extracting(Backend::name)
                    .doesNotContain("a");
        }
    }

    @Test
    void whatFitsOnlyAfterARestartIsRefused() {
        try (SimulatedOllama a = ollama();
                Drover drover = Drover.over(a.url()).start()) {
            drover.rewrite(backends(a.url())
                    + "drover.limits.request-body = 500MiB\ndrover.buffers.retained-bodies = 512MiB\n");

            RawClient.Response response = drover.post("/api/reload");

            assertThat(response.status()).isEqualTo(422);
            assertThat(response.body()).contains("drover.limits.request-body").contains("256MiB");
        }
    }

    @Test
    void whoPipelinesBehindAReloadIsAnsweredInOrder() {
        try (SimulatedOllama a = ollama();
                Drover drover = Drover.over(a.url()).start();
                RawClient client = RawClient.connect(drover.adminAddress())) {
            client.send("POST /api/reload HTTP/1.1\r\nHost: localhost\r\nX-Drover: 1\r\nContent-Length: 0\r\n\r\n"
                    .concat("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .concat("GET /api/backends HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));

            assertThat(client.readResponse().body()).startsWith("{\"added\":[]");
            assertThat(client.readResponse().body()).startsWith("{\"status\":");
            assertThat(client.readResponse().body()).contains("\"name\":\"a\"");
        }
    }

    @Test
    void whatHasLeftIsInNoMetricOnceNothingRunsThere() {
        try (SimulatedOllama a = ollama();
                SimulatedOllama b = ollama();
                Drover drover = Drover.over(a.url()).start()) {
            servedBy(drover);
            drover.log(1);
            assertThat(drover.metrics()).contains("backend=\"a\"");
            drover.rewrite(backends(b.url()));
            reload(drover);

            Drover.await("forgotten", () -> !drover.metrics().contains("backend=\"a\""));
        }
    }

    @Test
    void anInvalidFileChangesNothingAndSaysWhy() {
        try (SimulatedOllama a = ollama();
                SimulatedOllama b = ollama();
                Drover drover = Drover.over(a.url()).start()) {
            drover.rewrite(backends(b.url()) + "drover.retry.attempts = many\ndrover.balanse = round-robin\n");

            RawClient.Response response = drover.post("/api/reload");

            assertThat(response.status()).isEqualTo(422);
            assertThat(response.body())
                    .contains("drover.conf:2: drover.retry.attempts: \\\"many\\\" (expected: ")
                    .contains("drover.conf:3: drover.balanse");
            assertThat(servedBy(drover)).isEqualTo("a");
            assertThat(drover.metric("drover_reloads_total{result=\"invalid\",}"))
                    .isEqualTo(1);
            // And the next valid one counts.
            drover.rewrite(backends(b.url()));
            reload(drover);
            assertThat(servedBy(drover)).isEqualTo(b.url().getAuthority());
        }
    }

    @Test
    void limitsAndBalanceChangeAndUnchangedBucketsStay() {
        try (SimulatedOllama a = ollama();
                SimulatedOllama b = ollama();
                Drover drover = Drover.over(a.url(), b.url()).start()) {
            String limit = "drover.limits.requests { rate = \"1/h\", burst = 2 }\n";
            drover.rewrite(backends(a.url(), b.url()) + limit);
            reload(drover);
            assertThat(drover.exchange("POST", "/api/chat", Route.BODY).header("RateLimit-Remaining"))
                    .isEqualTo("1");

            drover.rewrite(backends(a.url(), b.url()) + limit + "drover.balance = round-robin\n");
            reload(drover);

            RawClient.Response second = drover.exchange("POST", "/api/chat", Route.BODY);
            assertThat(second.header("RateLimit-Remaining")).isEqualTo("0");
            assertThat(drover.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(429);
            drover.rewrite(backends(a.url(), b.url()));
            reload(drover);
            assertThat(servedBy(drover)).isNotEqualTo(servedBy(drover));
        }
    }

    @Test
    void theHostOfABackendThatStaysChanges() throws Exception {
        try (RawBackend stays = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                Drover drover = Drover.over(stays.url()).start()) {
            drover.exchange("POST", "/api/chat", Route.BODY);
            drover.rewrite("drover.backends = [{ url = \"" + stays.url() + "\", name = a, host = gpu.internal }]");

            assertThat(reload(drover)).startsWith("{\"added\":[],\"removed\":[],");

            drover.exchange("POST", "/api/chat", Route.BODY);
            assertThat(stays.requests()).last().satisfies(request -> assertThat(request.header("Host"))
                    .isEqualTo("gpu.internal"));
        }
    }

    @Test
    void whatOnlyARestartChangesIsNamed() {
        try (SimulatedOllama a = ollama();
                Drover drover = Drover.over(a.url()).start()) {
            drover.rewrite(backends(a.url()) + "drover.buffers.hold-back = 1KiB\ndrover.metrics.max-models = 1\n");

            assertThat(reload(drover)).contains("\"needs_restart\":[\"buffers\",\"metrics\"]");
        }
    }

    @Test
    void oneThatIsAddedAndDeadGetsNothing() throws Exception {
        try (SimulatedOllama a = ollama();
                Drover drover =
                        Drover.over(a.url()).set("health.active.interval", "1m").start()) {
            drover.rewrite(backends(a.url(), Ports.refusing()));

            reload(drover);

            for (int i = 0; i < 4; i++) {
                assertThat(servedBy(drover)).isEqualTo(a.url().getAuthority());
            }
            assertThat(drover.log(4)).extracting(LogLine::attempts).containsOnly(1);
        }
    }
}
