package io.drover.e2e;

import static io.drover.e2e.StagedBackend.CHAT;
import static io.drover.e2e.StagedBackend.HEAD;
import static io.drover.e2e.StagedBackend.LAST;
import static io.drover.e2e.StagedBackend.ask;
import static io.drover.e2e.StagedBackend.askSlowly;
import static io.drover.e2e.StagedBackend.awaitFollowers;
import static io.drover.e2e.StagedBackend.end;
import static io.drover.e2e.StagedBackend.http10;
import static io.drover.e2e.StagedBackend.line;
import static io.drover.e2e.StagedBackend.lines;
import static io.drover.e2e.StagedBackend.question;
import static io.drover.e2e.StagedBackend.sendLines;
import static io.drover.e2e.StagedBackend.statuses;
import static io.drover.e2e.StagedBackend.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One computation for many who ask the same at once: who gets what, whoever of them leaves or is slow. */
class CoalesceTest extends Coalescing {
    private static final int LARGE = 6 * 1024;
    private static final String TWO_PARTS = line("one") + line("two") + LAST;

    enum Moment {
        BEFORE_HEAD,
        MID_STREAM
    }

    /** An answer in two parts, the second once a test lets it. */
    private void playTwoParts() throws IOException {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            connection.await(second);
            connection.sendChunk(line("two"));
            end(connection);
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aHundredAtOnceReachTheBackendOnce(boolean splitWrites) throws Exception {
        play((connection, number) -> {
            connection.await(first);
            String wire = HEAD + StagedBackend.chunk(line("one")) + StagedBackend.chunk(LAST) + StagedBackend.END;
            for (String part : wire.split(splitWrites ? "" : "(?<=\\})")) {
                connection.send(part);
            }
        });
        begin(setup().loops(4));
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            clients.add(keep(drover.connect()));
        }
        clients.parallelStream().forEach(client -> client.request("POST", "/api/chat", CHAT));
        awaitFollowers(drover, 99);
        first.countDown();
        List<RawClient.Response> responses =
                clients.stream().map(RawClient::readResponse).toList();
        assertThat(responses).extracting(RawClient.Response::body).containsOnly(line("one") + LAST);
        assertThat(responses).extracting(RawClient.Response::status).containsOnly(200);
        assertThat(responses)
                .extracting(response -> response.header("Content-Type"))
                .containsOnly("application/x-ndjson");
        assertThat(responses)
                .extracting(response -> response.header("X-Cache"))
                .containsOnlyOnce("MISS")
                .containsOnly("MISS", "COALESCED");
        assertThat(backend.asked()).isEqualTo(1);
        assertThat(drover.metric("llm_cache_misses_total")).isEqualTo(1);
        assertThat(drover.metric("llm_cache_hits_total")).isZero();
        assertThat(drover.metric("drover_cache_coalesced_total")).isEqualTo(99);
        assertThat(Collections.frequency(statuses(drover, 100), "coalesced")).isEqualTo(99);
        assertThat(drover.metric("llm_tokens_generated_total{model=\"m\",}")).isEqualTo(5);
        assertThat(drover.exchange("POST", "/api/chat", CHAT).header("X-Cache")).isEqualTo("HIT");
    }

    @Test
    void whoJoinsLateHasWhatCameAtOnceThenEachLineAsItComes() throws Exception {
        playTwoParts();
        begin(setup());
        RawClient leader = leader();
        first.countDown();
        assertThat(leader.readHead().header("X-Cache")).isEqualTo("MISS");
        assertThat(leader.readChunk()).isEqualTo(line("one"));
        RawClient late = follower(1);
        assertThat(late.readHead().header("X-Cache")).isEqualTo("COALESCED");
        assertThat(late.readChunk()).isEqualTo(line("one"));
        second.countDown();
        assertThat(String.join("", late.readChunks())).isEqualTo(line("two") + LAST);
        assertThat(String.join("", leader.readChunks())).isEqualTo(line("two") + LAST);
    }

    @Test
    void overTlsAsWell() throws Exception {
        playTwoParts();
        begin(setup().withTls());
        RawClient leader = leader();
        RawClient follower = follower(1);
        first.countDown();
        second.countDown();
        assertThat(leader.readResponse().body()).isEqualTo(TWO_PARTS);
        assertThat(follower.readResponse().body()).isEqualTo(TWO_PARTS);
    }

    static Stream<Arguments> enginesAndMoments() {
        return Engine.all().flatMap(engine -> Stream.of(Moment.values()).map(moment -> Arguments.of(engine, moment)));
    }

    @ParameterizedTest
    @MethodSource("enginesAndMoments")
    void theFirstMayLeaveAndTheOthersGetAllOfIt(Engine engine, Moment moment) throws Exception {
        playTwoParts();
        begin(setup().on(engine));
        RawClient leader = leader();
        RawClient follower = follower(1);
        if (moment == Moment.MID_STREAM) {
            first.countDown();
            assertThat(leader.readHead().status()).isEqualTo(200);
            assertThat(leader.readChunk()).isEqualTo(line("one"));
        }
        leader.hangUp();
        Drover.await("it has left", () -> drover.openClients() == 1);
        RawClient another = follower(2);
        first.countDown();
        second.countDown();
        assertThat(follower.readResponse().body()).isEqualTo(TWO_PARTS);
        assertThat(another.readResponse().body()).isEqualTo(TWO_PARTS);
        LogLine gone = drover.log(3).stream()
                .filter(line -> line.get("cache").equals("miss"))
                .findFirst()
                .orElseThrow();
        assertThat(gone.get("cause")).isEqualTo("client closed the connection");
        assertThat(gone.get("side")).isEqualTo("client");
        assertThat(drover.exchange("POST", "/api/chat", CHAT).header("X-Cache")).isEqualTo("HIT");
        assertThat(backend.asked()).isEqualTo(1);
    }

    @Test
    void aFollowerMayLeaveAndTheOthersGoOn() throws Exception {
        playTwoParts();
        begin(setup());
        RawClient leader = leader();
        RawClient leaves = follower(1);
        RawClient stays = follower(2);
        first.countDown();
        assertThat(leaves.readHead().status()).isEqualTo(200);
        leaves.reset();
        awaitFollowers(drover, 1);
        second.countDown();
        assertThat(leader.readResponse().body()).isEqualTo(TWO_PARTS);
        assertThat(stays.readResponse().body()).isEqualTo(TWO_PARTS);
    }

    @ParameterizedTest
    @EnumSource(Moment.class)
    void theBackendIsToldToStopWhenTheLastHasLeft(Moment moment) throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        play((connection, number) -> {
            if (number > 1) {
                connection.send(HEAD);
                end(connection);
                return;
            }
            if (moment == Moment.MID_STREAM) {
                connection.send(HEAD);
                connection.sendChunk(line("one"));
            }
            connection.awaitClientClose();
            cancelled.countDown();
        });
        begin(setup());
        RawClient leader = leader();
        RawClient one = follower(1);
        RawClient other = follower(2);
        one.hangUp();
        leader.hangUp();
        awaitFollowers(drover, 1);
        Drover.await("one is left", () -> drover.openClients() == 1);
        assertThat(cancelled.getCount()).isEqualTo(1);
        other.hangUp();
        Drover.await("it is cancelled", () -> cancelled.getCount() == 0);
        drover.log(3);
        assertThat(drover.exchange("POST", "/api/chat", CHAT).header("X-Cache")).isEqualTo("MISS");
    }

    // ------------------------------------------------------------------ each at its own pace

    private void playLarge(int lines) throws IOException {
        play((connection, number) -> {
            connection.send(HEAD);
            connection.sendChunk(line("one"));
            connection.await(first);
            sendLines(connection, 0, lines);
            end(connection);
        });
    }

    private static String large(int lines) {
        return line("one") + lines(0, lines) + LAST;
    }

    @Test
    void whoDoesNotReadHoldsNobodyUp() throws Exception {
        playLarge(LARGE);
        begin(setup());
        RawClient leader = leader();
        RawClient slow = keep(askSlowly(drover));
        awaitFollowers(drover, 1);
        RawClient quick = follower(2);
        first.countDown();
        assertThat(leader.readResponse().body()).isEqualTo(large(LARGE));
        assertThat(quick.readResponse().body()).isEqualTo(large(LARGE));
        assertThat(slow.readResponse().body()).isEqualTo(large(LARGE));
    }

    enum Framing {
        CHUNKED,
        LENGTH,
        HTTP10
    }

    static Stream<Arguments> enginesAndFramings() {
        return Engine.all().filter(engine -> engine.loops() == 2).flatMap(engine -> Stream.of(Framing.values())
                .map(framing -> Arguments.of(engine, framing)));
    }

    /** The one for whom the answer was asked is no better than the others. */
    @ParameterizedTest
    @MethodSource("enginesAndFramings")
    void theFirstHoldsNobodyUpEither(Engine engine, Framing framing) throws Exception {
        String all = large(LARGE);
        play((connection, number) -> {
            if (framing == Framing.LENGTH) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: "
                        + all.length() + "\r\n\r\n");
                connection.await(first);
                connection.send(all);
            } else {
                connection.send(HEAD);
                connection.sendChunk(line("one"));
                connection.await(first);
                sendLines(connection, 0, LARGE);
                end(connection);
            }
        });
        begin(setup().on(engine));
        RawClient leader = keep(RawClient.connect(drover.address(), 4096));
        if (framing == Framing.HTTP10) {
            leader.send(http10(""));
        } else {
            leader.request("POST", "/api/chat", CHAT);
        }
        backend.awaitAsked(1);
        RawClient follower = follower(1);
        first.countDown();
        assertThat(follower.readResponse().body()).isEqualTo(all);
        RawClient.Head head = leader.readHead();
        assertThat(text(leader.readBody(head))).isEqualTo(all);
        if (framing != Framing.HTTP10) {
            // COALESCED: what is large is kept behind the answer, and there to be followed until then.
            assertThat(leader.exchange("POST", "/api/chat", CHAT).header("X-Cache"))
                    .isIn("HIT", "COALESCED");
        }
        assertThat(backend.asked()).isEqualTo(1);
    }

    /** The last piece of an answer may be the one that is too much for the first one's client. */
    @Test
    void theFirstFallsBehindAtWhateverByte() throws Exception {
        Semaphore gate = new Semaphore(0);
        play((connection, number) -> {
            if (number == 1) {
                connection.send(HEAD);
                end(connection);
                return;
            }
            String body = line("x".repeat(40 * number)) + LAST;
            assertThat(gate.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
            connection.send(HEAD + StagedBackend.chunk(body) + StagedBackend.END);
        });
        StagedBackend other = StagedBackend.start((connection, number) -> {});
        keep(other);
        begin(Drover.first(backend.url(), other.url())
                .loops(2)
                .set("retry.mid-stream", "deterministic")
                .set("buffers.stream-high", "2KiB")
                .set("buffers.stream-low", "1KiB"));
        assertThat(drover.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(200);
        for (int i = 2; i < 60; i++) {
            String question = question("why " + i);
            RawClient leader = keep(drover.connect().request("POST", "/api/chat", question));
            backend.awaitAsked(i);
            RawClient follower = keep(drover.connect().request("POST", "/api/chat", question));
            awaitFollowers(drover, 1);
            gate.release();
            String all = line("x".repeat(40 * i)) + LAST;
            assertThat(leader.readResponse().body()).isEqualTo(all);
            assertThat(follower.readResponse().body()).isEqualTo(all);
            assertThat(leader.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"64KiB", "64MiB"})
    void anAnswerThatIsNotKeptIsFollowedAllTheSame(String recording) throws Exception {
        playLarge(1024);
        begin(setup().set("cache.max-entry", "64KiB").set("cache.recording", recording));
        RawClient leader = leader();
        RawClient follower = follower(1);
        RawClient other = follower(2);
        first.countDown();
        assertThat(leader.readResponse().body()).isEqualTo(large(1024));
        assertThat(follower.readResponse().body()).isEqualTo(large(1024));
        assertThat(other.readResponse().body()).isEqualTo(large(1024));
        assertThat(drover.exchange("POST", "/api/chat", CHAT).header("X-Cache")).isEqualTo("MISS");
        assertThat(backend.asked()).isEqualTo(2);
    }

    /** What comes in one piece is no measure of how fast a client is. */
    @Test
    void whoTakesWhatComesHasNotFallenBehind() throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD + StagedBackend.chunk(lines(0, 400)) + StagedBackend.chunk(LAST) + StagedBackend.END);
        });
        begin(setup().set("cache.max-entry", "4KiB"));
        RawClient leader = leader();
        RawClient follower = follower(1);
        first.countDown();
        assertThat(leader.readResponse().body()).isEqualTo(lines(0, 400) + LAST);
        assertThat(follower.readResponse().body()).isEqualTo(lines(0, 400) + LAST);
    }

    @Test
    void theFirstThatFallsBehindDoesNotTakeTheOthersAlong() throws Exception {
        playLarge(16 * 1024);
        begin(setup().set("cache.max-entry", "4MiB"));
        RawClient leader = keep(askSlowly(drover));
        backend.awaitAsked(1);
        RawClient follower = follower(1);
        first.countDown();
        assertThat(follower.readResponse().body()).isEqualTo(large(16 * 1024));
        assertThat(drover.log(2))
                .extracting(line -> line.get("cause"))
                .contains("client fell behind an answer that others follow");
        assertThatThrownBy(leader::readResponse).isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void whoFallsBehindAnAnswerThatIsNotKeptIsTold() throws Exception {
        playLarge(16 * 1024);
        begin(setup().set("cache.max-entry", "256KiB"));
        RawClient leader = leader();
        RawClient slow = keep(askSlowly(drover));
        awaitFollowers(drover, 1);
        first.countDown();
        assertThat(leader.readResponse().body()).isEqualTo(large(16 * 1024));
        assertThat(drover.log(2))
                .extracting(line -> line.get("cause"))
                .contains("client fell behind an answer that others follow");
        assertThat(slow.readHead().isChunked()).isTrue();
        assertThatThrownBy(slow::readChunks).isInstanceOf(UncheckedIOException.class);
    }

    /** Nothing is lost for others when there are none. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoIsAloneMayBeAsSlowAsItLikes(boolean leaderLeaves) throws Exception {
        int lines = 30 * 1024;
        playLarge(lines);
        begin(setup().set("cache.max-entry", "2MiB").set("timeouts.idle", "700ms"));
        RawClient leader = keep(askSlowly(drover));
        backend.awaitAsked(1);
        RawClient follower = keep(askSlowly(drover));
        awaitFollowers(drover, 1);
        first.countDown();
        RawClient slow = leaderLeaves ? follower : leader;
        RawClient gone = leaderLeaves ? leader : follower;
        gone.readExactly(1 << 20);
        gone.hangUp();
        Drover.await("one is left", () -> drover.openClients() == 1);
        try (RawClient idle = drover.connect()) {
            idle.expectSilence(Duration.ofMillis(1500));
        }
        assertThat(slow.readResponse().body()).isEqualTo(large(lines));
        assertThat(backend.asked()).isEqualTo(1);
    }

    /** Within a chunk the client's framing cannot be left, so that it must wait for the rest of it. */
    @Test
    void whoIsAloneHoldsItsBackendUpAgain() throws Exception {
        byte[] piece = new byte[1 << 16];
        CountDownLatch sent = new CountDownLatch(1);
        play((connection, number) -> {
            connection.send(HEAD + "10000000\r\n" + "x");
            connection.await(first);
            for (int i = 0; i < 256; i++) {
                connection.send(piece);
            }
            connection.await(second);
            assertThat(connection.sendUntilClosed(piece, 1024)).isLessThan(700);
            sent.countDown();
        });
        begin(setup().set("cache.max-entry", "32MiB"));
        RawClient leader = keep(askSlowly(drover));
        backend.awaitAsked(1);
        RawClient follower = follower(1);
        assertThat(follower.readHead().status()).isEqualTo(200);
        first.countDown();
        follower.readExactly(15 << 20);
        follower.hangUp();
        awaitFollowers(drover, 0);
        second.countDown();
        try (RawClient idle = drover.connect()) {
            idle.expectSilence(Duration.ofMillis(800));
        }
        leader.reset();
        Drover.await("its backend was held up", () -> sent.getCount() == 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoTakesNothingForTooLongIsDropped(boolean leads) throws Exception {
        playLarge(LARGE);
        begin(setup().set("timeouts.client-write", "400ms"));
        RawClient one = keep(leads ? askSlowly(drover) : ask(drover));
        backend.awaitAsked(1);
        RawClient other = keep(leads ? ask(drover) : askSlowly(drover));
        awaitFollowers(drover, 1);
        RawClient third = follower(2);
        first.countDown();
        RawClient stalled = leads ? one : other;
        assertThat((leads ? other : one).readResponse().body()).isEqualTo(large(LARGE));
        assertThat(third.readResponse().body()).isEqualTo(large(LARGE));
        LogLine line = drover.log(3).stream()
                .filter(each -> !each.get("phase").isEmpty())
                .findFirst()
                .orElseThrow();
        assertThat(line.get("cause")).isEqualTo("client takes no bytes");
        assertThat(line.get("cache")).isEqualTo(leads ? "miss" : "coalesced");
        stalled.readUntilReset();
    }

    @Test
    void whoWaitsForMemoryOfSlowClientsTakesNobodyAlong() throws Exception {
        playLarge(LARGE);
        begin(setup().set("buffers.outbound", "256KiB").set("buffers.stream-high", "256KiB"));
        RawClient leader = keep(askSlowly(drover));
        backend.awaitAsked(1);
        RawClient slow = keep(askSlowly(drover));
        awaitFollowers(drover, 1);
        RawClient quick = follower(2);
        first.countDown();
        assertThat(quick.readResponse().body()).isEqualTo(large(LARGE));
        Drover.await("one of them is dropped", () -> drover.openClients() < 3);
        leader.hangUp();
        slow.hangUp();
        assertThat(drover.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(200);
        assertThat(backend.asked()).isEqualTo(1);
    }

    // ------------------------------------------------------------------ who joins, and who does not

    @Test
    void aConnectionThatAsksTwiceGetsTheSecondFromTheFirst() throws Exception {
        playTwoParts();
        begin(setup());
        RawClient client = keep(drover.connect());
        client.request("POST", "/api/chat", CHAT).request("POST", "/api/chat", CHAT);
        first.countDown();
        second.countDown();
        assertThat(client.readResponse().body()).isEqualTo(TWO_PARTS);
        assertThat(client.readResponse().header("X-Cache")).isEqualTo("HIT");
        assertThat(backend.asked()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "false | ''              | X-None: 1",
                "true  | 'stream':false, | X-None: 1",
                "true  | 'think':false,  | X-None: 1",
                "true  | ''              | Cache-Control: no-cache",
                "true  | ''              | Cache-Control: no-store",
                "true  | ''              | Cache-Control: max-age=0",
            },
            quoteCharacter = '`')
    void whoAsksForSomethingElseGetsIt(String coalesce, String more, String header) throws Exception {
        play((connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            connection.sendChunk(line(number == 1 ? "one" : "other"));
            end(connection);
        });
        begin(setup().set("cache.coalesce", coalesce));
        RawClient leader = leader();
        String field = more.equals("''") ? "" : more.replace('\'', '"');
        String body = CHAT.replace("\"options\"", field + "\"options\"");
        RawClient other = keep(drover.connect()).request("POST", "/api/chat", body, header);
        backend.awaitAsked(2);
        first.countDown();
        assertThat(leader.readResponse().body()).contains("one");
        assertThat(other.readResponse().body()).contains("other");
        assertThat(drover.metric("drover_cache_coalesced_total")).isZero();
    }
}
