package io.drover.e2e;

import static io.drover.e2e.StagedBackend.CHAT;
import static io.drover.e2e.StagedBackend.END;
import static io.drover.e2e.StagedBackend.HEAD;
import static io.drover.e2e.StagedBackend.LAST;
import static io.drover.e2e.StagedBackend.ask;
import static io.drover.e2e.StagedBackend.askSlowly;
import static io.drover.e2e.StagedBackend.awaitFollowers;
import static io.drover.e2e.StagedBackend.end;
import static io.drover.e2e.StagedBackend.http10;
import static io.drover.e2e.StagedBackend.line;
import static io.drover.e2e.StagedBackend.sendLines;
import static io.drover.e2e.StagedBackend.start;
import static io.drover.e2e.StagedBackend.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One computation for many who ask the same at once, where it fails, or is overtaken by something else. */
class CoalesceFaultTest extends Coalescing {

    /** Each one's answer: of the one that was first, and of two that follow. */
    private List<RawClient.Response> three() {
        List<RawClient> clients = List.of(leader(), follower(1), follower(2));
        first.countDown();
        return clients.stream().map(RawClient::readResponse).toList();
    }

    private String again() {
        return drover.exchange("POST", "/api/chat", CHAT).header("X-Cache");
    }

    @Test
    void aBackendThatFailsBeforeTheFirstByteIsReplacedForAll() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.close();
        });
        StagedBackend other = play((connection, number) -> {
            connection.send(HEAD);
            end(connection);
        });
        begin(Drover.first(backend.url(), other.url()).loops(2));
        assertThat(three()).extracting(RawClient.Response::body).as("answers").containsOnly(LAST);
        assertThat(other.asked()).isEqualTo(1);
        assertThat(again()).isEqualTo("HIT");
    }

    @Test
    void anErrorThatIsTriedElsewhereIsNoAnswerToAnybody() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send("HTTP/1.1 503 Busy\r\nContent-Length: 19\r\n\r\n{\"error\":\"no room\"}");
        });
        StagedBackend other = play((connection, number) -> {
            connection.send(HEAD);
            end(connection);
        });
        begin(Drover.first(backend.url(), other.url()).loops(2));
        assertThat(three()).extracting(RawClient.Response::body).containsOnly(LAST);
        assertThat(other.asked()).isEqualTo(1);
    }

    @Test
    void whereNoBackendIsLeftAllAreTold() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.close();
        });
        begin(setup());
        assertThat(three()).allSatisfy(response -> {
            assertThat(response.status()).isEqualTo(502);
            assertThat(response.body()).contains("\"error\"");
        });
        assertThat(backend.asked()).isEqualTo(1);
        drover.log(3);
    }

    @Test
    void aStreamThatBreaksEndsWithItsErrorForAll() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            connection.hold();
            connection.reset();
        });
        begin(setup());
        assertThat(three()).allSatisfy(response -> {
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.body()).startsWith(line("one") + "{\"error\":").endsWith("}\n");
        });
        assertThat(drover.log(3)).extracting(each -> each.outcome()).containsOnly("relay/upstream");
        assertThat(drover.metric("drover_cache_entries")).isZero();
    }

    /** What the first one's client has, the others have too, though nothing was told them before the end. */
    @Test
    void anAnswerThatIsMalformedAtOnceIsBrokenForAll() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD + "nonsense\r\n");
            connection.awaitClientClose();
        });
        begin(setup());
        List<RawClient> clients = List.of(leader(), follower(1), follower(2));
        first.countDown();
        for (RawClient each : clients) {
            assertThat(each.within(Duration.ofSeconds(3)).readHead().status()).isEqualTo(200);
            each.expectClosed();
        }
        assertThat(drover.log(3)).extracting(each -> each.outcome()).containsOnly("relay/upstream");
    }

    @Test
    void aStreamOfEventsThatBreaksIsCutForAll() throws Exception {
        String event = "data: {\"id\":\"x\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
        play((connection, number) -> {
            connection.await(first);
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            connection.sendChunk(event);
            connection.hold();
            connection.reset();
        });
        begin(setup());
        String body =
                "{\"model\":\"m\",\"stream\":true,\"temperature\":0,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}";
        RawClient leader = keep(drover.connect()).request("POST", "/v1/chat/completions", body);
        backend.awaitAsked(1);
        RawClient follower = keep(drover.connect()).request("POST", "/v1/chat/completions", body);
        awaitFollowers(drover, 1);
        first.countDown();
        for (RawClient each : List.of(leader, follower)) {
            each.readHead();
            assertThat(each.readChunk()).isEqualTo(event);
            assertThat(each.readChunk()).contains("broke off");
            each.expectClosed();
        }
    }

    private void playLargeThenNothing() throws IOException {
        play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            connection.await(first);
            sendLines(connection, 0, 6 * 1024);
            connection.awaitClientClose();
        });
    }

    /** While one follows, of an answer whose backend has fallen silent. */
    private void assertStalledFirstClientIsDropped(String clientWrite, String idle) throws Exception {
        playLargeThenNothing();
        begin(setup().set("timeouts.client-write", clientWrite).set("timeouts.idle", idle));
        keep(askSlowly(drover));
        backend.awaitAsked(1);
        RawClient follower = follower(1);
        first.countDown();
        assertThat(follower.readResponse().body()).contains("{\"error\":").endsWith("}\n");
        assertThat(drover.log(2)).extracting(each -> each.get("cause")).contains("client takes no bytes");
    }

    /** Whoever is left when a stalled client has been dropped is not left waiting for a silent backend. */
    @Test
    void aBackendThatFallsSilentIsNoticedWithoutTheFirst() throws Exception {
        assertStalledFirstClientIsDropped("400ms", "2s");
    }

    /** That its backend has failed does not make a client wait that takes nothing. */
    @Test
    void aStalledFirstClientIsDroppedAfterItsBackendHasFallenSilent() throws Exception {
        assertStalledFirstClientIsDropped("3s", "500ms");
    }

    /** That the first one had left before makes no success of it. */
    @Test
    void aBackendWhoseAnswersBreakIsEjectedWhoeverIsLeft() throws Exception {
        Semaphore gate = new Semaphore(0);
        play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            assertThat(gate.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
            connection.reset();
        });
        begin(setup().set("health.passive.failures", "2"));
        for (int i = 1; i <= 2; i++) {
            RawClient leader = keep(ask(drover));
            backend.awaitAsked(i);
            RawClient follower = follower(1);
            leader.hangUp();
            Drover.await("it has left", () -> drover.openClients() == 1);
            gate.release();
            assertThat(follower.readResponse().body()).contains("{\"error\":");
            follower.hangUp();
            Drover.await("all have left", () -> drover.openClients() == 0);
        }
        Drover.await("it is ejected", () -> drover.metrics().contains("drover_backend_ejections_total{"));
    }

    /** The end of such a stream is the end of its connection, and nothing else would tell the client. */
    @ParameterizedTest
    @ValueSource(strings = {"", "Connection: keep-alive\r\n"})
    void aSlowFirstClientOfHttp10IsToldToo(String more) throws Exception {
        int lines = 6 * 1024;
        play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            connection.await(first);
            sendLines(connection, 0, lines);
            connection.await(second);
            connection.reset();
        });
        begin(setup());
        RawClient leader = keep(RawClient.connect(drover.address(), 4096)).send(http10(more));
        backend.awaitAsked(1);
        RawClient follower = follower(1);
        first.countDown();
        follower.readHead();
        long read = 0;
        while (read < (line("one") + StagedBackend.lines(0, lines)).length()) {
            read += follower.readChunk().length();
        }
        second.countDown();
        assertThat(follower.readChunk()).contains("\"error\"");
        leader.readHead();
        assertThat(text(leader.readUntilClose())).contains("{\"error\":").endsWith("}\n");
    }

    @ParameterizedTest
    @CsvSource({"500,Internal Server Error", "404,Not Found", "503,Busy"})
    void anAnswerThatIsAnErrorIsOneForAll(int status, String reason) throws Exception {
        String error = "{\"error\":\"it is so\"}";
        play((connection, number) -> {
            connection.await(first);
            connection.send("HTTP/1.1 " + status + " " + reason
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + error.length() + "\r\n\r\n" + error);
        });
        begin(setup());
        assertThat(three()).allSatisfy(response -> {
            assertThat(response.status()).isEqualTo(status);
            assertThat(response.body()).isEqualTo(error);
        });
        assertThat(backend.asked()).isEqualTo(1);
        assertThat(again()).isEqualTo("MISS");
    }

    @Test
    void aLineThatIsAnErrorIsOneForAllAndNotKept() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            connection.sendChunk(line("one") + "{\"error\":\"out of memory\"}\n");
            connection.send(END);
        });
        begin(setup());
        assertThat(three())
                .extracting(RawClient.Response::body)
                .containsOnly(line("one") + "{\"error\":\"out of memory\"}\n");
        assertThat(again()).isEqualTo("MISS");
    }

    /** Not everyone can read it, so that each asks for itself; and what it gets is its own. */
    @Test
    void aCodedAnswerIsNobodyElses() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Encoding: gzip\r\n"
                    + "Content-Length: 2\r\n\r\nxx");
        });
        begin(setup());
        assertThat(three())
                .extracting(response -> response.header("X-Cache"))
                .as("whose answer it is")
                .containsOnly("MISS");
        assertThat(backend.asked()).isEqualTo(3);
        assertThat(drover.log(3)).extracting(each -> each.get("cache")).containsOnly("miss");
        assertThat(drover.metric("llm_cache_misses_total")).isEqualTo(3);
    }

    @Test
    void whereNobodyCanAnswerAllGetWhatIsOlder() throws Exception {
        play((connection, number) -> {
            if (number > 1) {
                connection.await(first);
                connection.close();
                return;
            }
            connection.send(HEAD);
            end(connection);
        });
        begin(setup().set("cache.ttl", "1ms"));
        assertThat(again()).isEqualTo("MISS");
        long kept = System.currentTimeMillis();
        Drover.await("it is no longer fresh", () -> System.currentTimeMillis() > kept + 2);
        RawClient leader = keep(ask(drover));
        backend.awaitAsked(2);
        RawClient follower = follower(1);
        first.countDown();
        for (RawClient each : List.of(leader, follower)) {
            RawClient.Response response = each.readResponse();
            assertThat(response.header("X-Cache")).isEqualTo("STALE");
            assertThat(response.body()).contains("\"done\":true");
        }
    }

    private String purge() {
        String body = "{\"all\":true}";
        try (RawClient client = RawClient.connect(drover.adminAddress())) {
            return client.exchange("POST", "/api/cache/purge", body, "X-Drover: 1")
                    .body();
        }
    }

    @Test
    void whatWasPurgedMeanwhileIsNeitherKeptNorJoined() throws Exception {
        play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line(number == 1 ? "one" : "other"));
            if (number == 1) {
                connection.await(first);
            }
            end(connection);
        });
        begin(setup());
        RawClient leader = leader();
        RawClient follower = follower(1);
        assertThat(purge()).contains("purged");
        RawClient.Response after = drover.exchange("POST", "/api/chat", CHAT);
        assertThat(after.header("X-Cache")).isEqualTo("MISS");
        assertThat(after.body()).contains("other");
        first.countDown();
        assertThat(leader.readResponse().body()).isEqualTo(line("one") + LAST);
        assertThat(follower.readResponse().body()).isEqualTo(line("one") + LAST);
        RawClient.Response kept = drover.exchange("POST", "/api/chat", CHAT);
        assertThat(kept.header("X-Cache")).isEqualTo("HIT");
        assertThat(kept.body()).contains("other");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theEndOfTheProcessEndsAllOfIt(boolean begun) throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        play((connection, number) -> {
            if (begun) {
                connection.send(HEAD);
                connection.sendChunk(line("one"));
            }
            connection.awaitClientClose();
            cancelled.countDown();
        });
        drover = start(setup().loops(4));
        RawClient leader = leader();
        RawClient ghost = follower(1);
        RawClient follower = follower(2);
        RawClient old = keep(drover.connect()).send(http10(""));
        awaitFollowers(drover, 3);
        ghost.hangUp();
        leader.hangUp();
        Drover.await("two have left", () -> drover.openClients() == 2);
        if (begun) {
            follower.readHead();
            assertThat(follower.readChunk()).isEqualTo(line("one"));
            old.readHead();
            old.readExactly(line("one").length());
        }
        drover.kill();
        if (begun) {
            assertThat(follower.readChunk()).contains("the process ends");
            assertThat(text(old.readUntilClose())).contains("the process ends");
        } else {
            assertThat(follower.readResponse().status()).isEqualTo(503);
            assertThat(old.readResponse().status()).isEqualTo(503);
        }
        Drover.await("it is cancelled", () -> cancelled.getCount() == 0);
        assertThat(drover.logLines()).hasSize(4);
        assertThat(drover.logLines())
                .extracting(each -> each.get("cause"))
                .filteredOn(cause -> cause.contains("the process ends"))
                .hasSize(2);
        assertThat(drover.openUpstreams()).isZero();
    }

    @Test
    void theEndOfTheProcessEndsARepeatOfWhatIsKept() throws Exception {
        play((connection, number) -> {
            connection.send(HEAD);
            sendLines(connection, 0, 6 * 1024);
            end(connection);
        });
        drover = start(setup());
        assertThat(drover.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(200);
        Drover.await("it is kept", () -> drover.metric("drover_cache_entries") == 1);
        RawClient slow = keep(askSlowly(drover));
        assertThat(slow.readHead().header("X-Cache")).isEqualTo("HIT");
        drover.kill();
        assertThat(drover.logLines().get(1).get("cause")).isEqualTo("the process ends");
    }

    @Test
    void aReloadChangesNothingOfWhatRuns() throws Exception {
        play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            connection.await(first);
            end(connection);
        });
        StagedBackend other = play((connection, number) -> connection.answer("{}"));
        begin(setup());
        RawClient leader = leader();
        RawClient follower = follower(1);
        drover.rewrite("drover.backends = [\"" + other.url() + "\"]\n");
        assertThat(drover.post("/api/reload").status()).isEqualTo(200);
        leader.hangUp();
        Drover.await("it has left", () -> drover.openClients() == 1);
        first.countDown();
        assertThat(follower.readResponse().body()).isEqualTo(line("one") + LAST);
        assertThat(other.asked()).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStreamThatIsRepeatedElsewhereGoesOnForAll(boolean leaderLeaves) throws Exception {
        String rest = line("two") + LAST;
        play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            connection.sendChunk(line("two").substring(0, 20));
            connection.await(first);
            connection.reset();
        });
        StagedBackend other = play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line("one") + rest);
            connection.send(END);
        });
        begin(Drover.first(backend.url(), other.url()).loops(2).set("retry.mid-stream", "deterministic"));
        RawClient leader = leader();
        RawClient follower = follower(1);
        follower.readHead();
        assertThat(follower.readChunk()).isEqualTo(line("one"));
        if (leaderLeaves) {
            leader.hangUp();
            Drover.await("it has left", () -> drover.openClients() == 1);
        }
        first.countDown();
        assertThat(String.join("", follower.readChunks())).isEqualTo(rest);
        if (!leaderLeaves) {
            assertThat(leader.readResponse().body()).isEqualTo(line("one") + rest);
        }
        assertThat(other.asked()).isEqualTo(1);
        assertThat(again()).isEqualTo("HIT");
    }

    @Test
    void limitsCountWhoFollows() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            end(connection);
        });
        begin(setup().set("limits.requests.rate", "3/h").set("limits.requests.burst", "3"));
        List<RawClient.Response> served = three();
        assertThat(served).extracting(RawClient.Response::status).containsOnly(200);
        assertThat(drover.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(429);
    }

    /** In doubt whose answer it is, nobody else gets it. */
    @Test
    void backendsWithDifferentModelsShareNothing() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            end(connection);
        });
        StagedBackend other = StagedBackend.start("2", (connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            end(connection);
        });
        keep(other);
        begin(Drover.over(backend.url(), other.url()).loops(2));
        RawClient one = keep(ask(drover));
        RawClient two = keep(ask(drover));
        Drover.await("both are asked", () -> backend.asked() + other.asked() == 2);
        first.countDown();
        assertThat(one.readResponse().header("X-Cache")).isEqualTo("BYPASS");
        assertThat(two.readResponse().header("X-Cache")).isEqualTo("BYPASS");
    }
}
