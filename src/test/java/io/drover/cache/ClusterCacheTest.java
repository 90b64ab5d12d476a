package io.drover.cache;

import static io.drover.cache.Samples.MODEL;
import static io.drover.cache.Samples.key;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Await;
import io.drover.testing.FreePort;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import redis.embedded.RedisServer;

/** Replicas with a cluster of Redis, of one server, in common. */
@Timeout(60)
class ClusterCacheTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final Samples.Counts counts = new Samples.Counts();

    @Test
    void entriesPurgesAndLeasesAreShared(@TempDir Path dir) throws Exception {
        int port = FreePort.next();
        RedisServer redis = RedisServer.newRedisServer()
                .port(port)
                .bind("127.0.0.1")
                .setting("dir " + dir)
                .setting("save \"\"")
                .setting("cluster-enabled yes")
                .build();
        redis.start();
        String uri = "redis://127.0.0.1:" + port + ",redis://localhost:" + port;
        // In halves: a command line may have 64 KiB.
        assertThat((char) command(port, addSlots(0, 8_192))).isEqualTo('+');
        assertThat((char) command(port, addSlots(8_192, 16_384))).isEqualTo('+');
        try (RedisLink oneLink = new RedisLink(uri);
                RedisLink otherLink = new RedisLink(uri);
                ResponseCache one = ResponseCache.open(new Samples.Settings().config(), oneLink, counts);
                ResponseCache other = ResponseCache.open(new Samples.Settings().config(), otherLink, counts)) {
            oneLink.start();
            otherLink.start();
            Await.until("in use", SOON, () -> one.isShared() && other.isShared());
            one.store(
                    key("a"),
                    Samples.whole("hello", MODEL, one.generation(key("a"), MODEL), System.currentTimeMillis()));
            Await.until(
                    "found",
                    SOON,
                    () -> other.inRedis(key("a"), Form.WHOLE, MODEL)
                                    .toCompletableFuture()
                                    .join()
                            != null);

            assertThat(one.lease(key("b")).toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .extracting(Lease::state)
                    .isEqualTo(Lease.State.TAKEN);
            assertThat(other.lease(key("b")).toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .extracting(Lease::state)
                    .isEqualTo(Lease.State.HELD);

            // Its release then comes behind the answer: one connection keeps the order of two commands.
            Lease lease = one.lease(key("a")).toCompletableFuture().get(20, TimeUnit.SECONDS);
            assertThat(slotsOf(uri, "drover:cache:*" + key("a") + "*"))
                    .as("an answer and its lease are on one server")
                    .hasSize(2)
                    .containsOnly(slotsOf(uri, "drover:cache:lease:*" + key("a") + "*")
                            .get(0));
            lease.release();

            assertThat(one.purgeAll().toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .isEqualTo(new Purged(1, true));
            Await.until("gone", SOON, () -> other.inMemory(key("a"), Form.WHOLE, MODEL) == null);
        } finally {
            redis.stop();
        }
    }

    private static List<Integer> slotsOf(String uri, String names) {
        RedisClusterClient client = RedisClusterClient.create(uri.substring(0, uri.indexOf(',')));
        try {
            return client.connect().sync().keys(names).stream()
                    .map(SlotHash::getSlot)
                    .toList();
        } finally {
            client.shutdown(Duration.ZERO, SOON);
        }
    }

    private static String addSlots(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(" ", "CLUSTER ADDSLOTS ", ""));
    }

    private static int command(int port, String line) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
            return socket.getInputStream().read();
        }
    }
}
