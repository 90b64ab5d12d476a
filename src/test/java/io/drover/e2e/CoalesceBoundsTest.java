package io.drover.e2e;

import static io.drover.e2e.StagedBackend.CHAT;
import static io.drover.e2e.StagedBackend.HEAD;
import static io.drover.e2e.StagedBackend.LAST;
import static io.drover.e2e.StagedBackend.ask;
import static io.drover.e2e.StagedBackend.askSlowly;
import static io.drover.e2e.StagedBackend.awaitFollowers;
import static io.drover.e2e.StagedBackend.end;
import static io.drover.e2e.StagedBackend.line;
import static io.drover.e2e.StagedBackend.question;
import static io.drover.e2e.StagedBackend.sendLines;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.testing.Drover;
import io.drover.testing.RawClient;
import io.drover.testing.Secrets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One computation for many who ask the same at once: whose it is, and how much memory and time it may take. */
class CoalesceBoundsTest extends Coalescing {

    private Drover.Setup over(StagedBackend.Play play) throws IOException {
        play(play);
        return setup();
    }

    private RawClient askAs(String name) {
        return keep(drover.connect()).request("POST", "/api/chat", CHAT, "Authorization: Bearer " + name);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoAsksAsSomebodyElseJoinsWhereAnswersAreShared(boolean perTenant, @TempDir Path dir) throws Exception {
        Drover.Setup setup = over((connection, number) -> {
            connection.await(first);
            connection.send(HEAD);
            connection.sendChunk(line("answer " + number));
            end(connection);
        });
        Path keys = Files.writeString(
                dir.resolve("keys"), Secrets.line("alice", "alice", "") + Secrets.line("bob", "bob", ""));
        begin(setup.set("auth.mode", "api-key")
                .set("auth.keys-file", keys.toString())
                .set("cache.per-tenant", Boolean.toString(perTenant)));
        RawClient alice = askAs("alice");
        backend.awaitAsked(1);
        RawClient again = askAs("alice");
        awaitFollowers(drover, 1);
        RawClient bob = askAs("bob");
        if (perTenant) {
            backend.awaitAsked(2);
        } else {
            awaitFollowers(drover, 2);
        }
        first.countDown();
        assertThat(alice.readResponse().body()).isEqualTo(line("answer 1") + LAST);
        assertThat(again.readResponse().body()).isEqualTo(line("answer 1") + LAST);
        assertThat(bob.readResponse().body()).isEqualTo(line("answer " + (perTenant ? 2 : 1)) + LAST);
        assertThat(backend.asked()).isEqualTo(perTenant ? 2 : 1);
    }

    @Test
    void whatWillNotBeKeptTakesNoRoomOfWhatWill() throws Exception {
        begin(over((connection, number) -> {
                    connection.send(HEAD);
                    sendLines(connection, 0, number == 1 ? 128 : 4);
                    if (number == 1) {
                        connection.await(first);
                    }
                    end(connection);
                })
                .set("cache.max-entry", "64KiB")
                .set("cache.recording", "64KiB"));
        RawClient large = keep(ask(drover));
        large.readHead();
        for (int i = 0; i < 8; i++) {
            large.readChunk();
        }
        String other = question("something else");
        assertThat(drover.exchange("POST", "/api/chat", other).header("X-Cache"))
                .isEqualTo("MISS");
        assertThat(drover.exchange("POST", "/api/chat", other).header("X-Cache"))
                .isEqualTo("HIT");
        first.countDown();
        assertThat(String.join("", large.readChunks())).isEqualTo(LAST);
    }

    /** The first one's client cannot be left within a chunk, and must not take all of one for that into memory. */
    @Test
    void oneChunkIsHeldUpOnceTooMuchOfItWaits() throws Exception {
        byte[] piece = new byte[1 << 16];
        Drover.Setup setup = over((connection, number) -> {
            connection.send(HEAD + "10000000\r\nx");
            connection.await(first);
            connection.sendUntilClosed(piece, 2048);
        });
        begin(setup.set("cache.max-entry", "1MiB"));
        RawClient leader = keep(askSlowly(drover));
        backend.awaitAsked(1);
        RawClient follower = keep(ask(drover));
        awaitFollowers(drover, 1);
        assertThat(follower.readHead().status()).isEqualTo(200);
        first.countDown();
        assertThatThrownBy(() -> follower.within(Duration.ofSeconds(2)).readExactly(64 << 20))
                .isInstanceOf(UncheckedIOException.class);
        assertThat(leader.readHead().status()).isEqualTo(200);
        leader.readExactly(16 << 20);
        assertThat(drover.openClients()).isEqualTo(2);
        leader.reset();
        follower.reset();
    }
}
