package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.admission.AuthVerdict;
import io.drover.admission.KeyRing;
import io.drover.admission.KeyStore;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.Jwt;
import io.drover.config.SecretHash;
import io.drover.testing.Await;
import io.drover.testing.FreePort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import redis.embedded.RedisServer;

@Timeout(60)
class RedisHashTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final Path dir;
    private final int port;
    private final RedisLink link;
    private final RedisHash hash;
    private RedisServer redis;

    RedisHashTest(@TempDir Path dir) throws IOException {
        this.dir = dir;
        this.port = FreePort.next();
        this.link = new RedisLink("redis://127.0.0.1:" + port);
        this.hash = new RedisHash(link, KeyStore.REDIS_KEY);
        this.redis = server();
    }

    @BeforeEach
    void start() throws IOException {
        redis.start();
        link.start();
        Await.until("up", SOON, link::isUp);
    }

    @AfterEach
    void end() throws IOException {
        thread.shutdownNow();
        link.close();
        redis.stop();
    }

    @Test
    void aHashThatIsNotThereIsEmpty() throws Exception {
        assertThat(all()).isEmpty();
    }

    @Test
    void allOfALongHashIsRead() throws Exception {
        for (int i = 0; i < 5_000; i += 1_000) {
            StringBuilder command = new StringBuilder("HSET drover:keys");
            for (int field = i; field < i + 1_000; field++) {
                command.append(" field-").append(field).append(" välue-").append(field);
            }
            command(command.toString());
        }

        Map<String, String> all = all();

        assertThat(all).hasSize(5_000).containsEntry("field-0", "välue-0").containsEntry("field-4999", "välue-4999");
    }

    @Test
    void anotherTypeFails() throws IOException {
        command("SET drover:keys text");

        assertThatThrownBy(this::all).isInstanceOf(ExecutionException.class).hasMessageContaining("WRONGTYPE");
    }

    @Test
    void withRedisAwayItFailsInBoundedTime() throws IOException {
        redis.stop();

        assertThatThrownBy(() -> hash.all().toCompletableFuture().get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class);
        RedisLink unconnected = new RedisLink("redis://127.0.0.1:" + port);
        try (unconnected) {
            assertThat(new RedisHash(unconnected, "x").all().toCompletableFuture())
                    .isCompletedExceptionally();
        }
    }

    @Test
    void keysInRedisAreFollowedAndStayWhileItIsAway() throws Exception {
        command("HSET drover:keys alice '" + line("alice", "one") + "'");
        try (KeyRing ring = KeyRing.open(auth(), hash::all, thread)) {
            Await.until("read", SOON, () -> lets(ring, "one"));

            command("HSET drover:keys bob '" + line("bob", "two") + "'");
            Await.until("one more", SOON, () -> lets(ring, "two"));
            command("HDEL drover:keys alice");
            Await.until("revoked", SOON, () -> !lets(ring, "one"));

            redis.stop();
            Await.until("down", SOON, () -> !link.isUp());
            assertThat(lets(ring, "two")).isTrue();

            redis = server();
            redis.start();
            Await.until("back, without keys", SOON, () -> !lets(ring, "two"));
        }
    }

    private Map<String, String> all() throws Exception {
        return hash.all().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private static boolean lets(KeyRing ring, String secret) {
        byte[] bytes = secret.getBytes(StandardCharsets.US_ASCII);
        AuthVerdict verdict = ring.known(bytes, 0, bytes.length, 0);
        return verdict.principal() != null;
    }

    private static String line(String name, String secret) throws NoSuchAlgorithmException {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.US_ASCII));
        return "{\"name\":\"" + name + "\",\"hash\":\"" + SecretHash.of(digest) + "\"}";
    }

    private static Auth auth() {
        Jwt jwt = new Jwt(Optional.empty(), Optional.empty(), "", "", List.of(), "sub", "", Duration.ZERO);
        return new Auth(
                List.of(AuthMode.API_KEY),
                Optional.empty(),
                true,
                Optional.empty(),
                Duration.ofMillis(50),
                "/key/",
                1,
                jwt);
    }

    private RedisServer server() throws IOException {
        return RedisServer.newRedisServer()
                .port(port)
                .bind("127.0.0.1")
                .setting("dir " + dir)
                .setting("save \"\"")
                .build();
    }

    /** Sends one command over a connection of its own and waits for the beginning of its answer. */
    private void command(String line) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
            assertThat((char) socket.getInputStream().read()).isIn('+', ':');
        }
    }
}
