package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.TransportKind;
import io.drover.server.Transport;
import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A reset that comes right behind bytes, so that it is there before they are read. Netty can lose such a reset on
 * io_uring: {@link Transport} says how that is prevented. A loss is likely and not certain, so each is tried often.
 */
class ResetBehindBytesTest {
    private static final int ROUNDS = 20;

    /** Well below every timeout that could end the exchange instead. */
    private static final Duration SOON = Duration.ofSeconds(5);

    static List<TransportKind> transports() {
        return Transport.available();
    }

    @ParameterizedTest
    @MethodSource("transports")
    void ofAClientFreesItsBackend(TransportKind kind) throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    if (connection.hasMore()) {
                        connection.awaitClientClose();
                    }
                });
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.first-byte", "60s")
                        .on(new Engine(kind, 1))
                        .start()) {
            for (int round = 1; round <= ROUNDS; round++) {
                int logged = round;
                drover.connect()
                        .request("POST", "/api/chat", Route.body(5_000 * round))
                        .reset();
                Drover.await(
                        "end of request " + round, SOON, () -> drover.logLines().size() == logged);
                Drover.await("backend freed", SOON, () -> drover.backend("a").inFlight() == 0);
            }
            assertThat(drover.log(ROUNDS)).extracting(line -> line.get("side")).containsOnly("client");
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void ofABackendCutsItsAnswer(TransportKind kind) throws Exception {
        String lines = "3\r\n{}\n\r\n".repeat(30_000);
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + lines);
                    connection.reset();
                });
                Drover drover = Drover.over(backend.url())
                        .set("timeouts.idle", "60s")
                        .on(new Engine(kind, 1))
                        .start()) {
            for (int round = 0; round < ROUNDS; round++) {
                try (RawClient client = drover.connect().within(SOON)) {
                    client.request("POST", "/api/chat", Route.BODY);
                    assertEndsWithoutTerminator(client);
                }
            }
            assertThat(drover.log(ROUNDS)).extracting(LogLine::outcome).doesNotContain("ok");
        }
    }

    private static void assertEndsWithoutTerminator(RawClient client) {
        try {
            assertThat(new String(client.readUntilClose(), StandardCharsets.US_ASCII))
                    .doesNotEndWith("0\r\n\r\n");
        } catch (UncheckedIOException e) {
            assertThat(e).hasMessageNotContaining("timed out");
        }
    }
}
