package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An answer that its client takes slower than its backend sends it: reading stops and resumes thousands of times. */
class BackpressureTest {
    private static final int PIECES = 128;
    private static final byte[] PIECE = piece();

    private static byte[] piece() {
        byte[] bytes = new byte[1 << 20];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void aSlowClientGetsEveryByteOfALargeAnswer(Engine engine) throws Exception {
        try (RawBackend backend = RawBackend.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + PIECES * PIECE.length + "\r\n\r\n");
                    for (int i = 0; i < PIECES; i++) {
                        connection.send(PIECE);
                    }
                });
                Drover drover = Drover.over(backend.url()).on(engine).start();
                RawClient client = drover.connect()) {
            client.request("GET", "/api/tags", "");
            assertThat(client.readHead().status()).isEqualTo(200);
            for (int i = 0; i < PIECES; i++) {
                assertThat(Arrays.equals(client.readExactly(PIECE.length), PIECE))
                        .as("MiB %d", i)
                        .isTrue();
            }
        }
    }
}
