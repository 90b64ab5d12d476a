package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.drover.testing.Await;
import io.drover.testing.FreePort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import redis.embedded.RedisSentinel;
import redis.embedded.RedisServer;
import redis.embedded.core.RedisServerBuilder;

@Timeout(60)
class RedisLinkTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(RedisLink.class);
    private final List<AutoCloseable> opened = new ArrayList<>();

    private final Path dir;

    RedisLinkTest(@TempDir Path dir) {
        this.dir = dir;
    }

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
        logger.detachAppender(log);
    }

    @Test
    void redisComesGoesAndComesBack() throws IOException {
        int port = FreePort.next();
        RedisLink link = start("redis://127.0.0.1:" + port);
        Await.until("told that it is down", SOON, () -> logged().size() == 1);
        assertThat(link.isUp()).isFalse();

        RedisServer redis = redis(port);
        Await.until("up", SOON, link::isUp);
        redis.stop();
        Await.until("down", SOON, () -> !link.isUp());
        redis(port);
        Await.until("up again", SOON, link::isUp);

        Await.until("the last change told", SOON, () -> logged().size() >= 4);
        String where = "Redis at 127.0.0.1:" + port;
        assertThat(logged()).hasSize(4);
        assertThat(logged().get(0)).startsWith("WARN " + where + " is down: ");
        assertThat(logged().get(1)).isEqualTo("INFO " + where + " is up");
        assertThat(logged().get(2)).startsWith("WARN " + where + " is down: ");
        assertThat(logged().get(3)).isEqualTo("INFO " + where + " is up");
    }

    @Test
    void aRedisThatAcceptsAndSaysNothingIsDownAndReplaced() throws IOException {
        RedisLink link;
        int port;
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            port = silent.getLocalPort();
            link = start("redis://127.0.0.1:" + port);
            Await.until("told that it is down", SOON, () -> logged().size() == 1);
        }

        redis(port);

        Await.until("up", SOON, link::isUp);
    }

    @Test
    void aRedisThatStopsAnsweringIsDownUntilItAnswers() throws IOException {
        int port = FreePort.next();
        redis(port);
        RedisLink link = start("redis://127.0.0.1:" + port);
        Await.until("up", SOON, link::isUp);

        command(port, "CLIENT PAUSE 3000");

        Await.until("down", SOON, () -> !link.isUp());
        Await.until("up again", SOON, link::isUp);
    }

    @Test
    void aConnectionThatWentSilentIsReplaced() throws IOException {
        int port = FreePort.next();
        redis(port);
        Relay relay = with(new Relay(port));
        RedisLink link = start("redis://127.0.0.1:" + relay.port());
        Await.until("up", SOON, link::isUp);

        relay.silenceTheFirst();

        Await.until("down", SOON, () -> !link.isUp());
        Await.until("up over another connection", SOON, link::isUp);
    }

    @Test
    void aPasswordIsUsedAndNeverLogged() throws IOException {
        int port = FreePort.next();
        RedisLink right = start("redis://:sesame@127.0.0.1:" + port);
        RedisLink wrong = start("redis://:tahini@127.0.0.1:" + port);
        Await.until("both told", SOON, () -> logged().size() == 2);

        redis(port, "requirepass sesame");

        Await.until("up", SOON, right::isUp);
        Await.until("told", SOON, () -> logged().size() == 3);
        assertThat(wrong.isUp()).isFalse();
        assertThat(logged()).noneMatch(line -> line.contains("sesame") || line.contains("tahini"));
    }

    @Test
    void severalServersAreACluster() throws IOException {
        int port = FreePort.next();
        RedisLink link = start("redis://127.0.0.1:" + port + ",redis://localhost:" + port);
        Await.until("told that it is down", SOON, () -> logged().size() == 1);

        RedisServer redis = redis(port, "cluster-enabled yes");
        // In halves: a command line may have 64 KiB.
        command(port, addSlots(0, 8_192));
        command(port, addSlots(8_192, 16_384));

        Await.until("up", SOON, link::isUp);
        assertThat(link.connections())
                .as("without those that asked for the cluster's servers, which come again each minute")
                .isBetween(1, 2);
        redis.stop();
        Await.until("down", SOON, () -> !link.isUp());
        redis(port, "cluster-enabled yes");
        Await.until("up again", SOON, link::isUp);
    }

    @Test
    void sentinelsNameTheMaster() throws Exception {
        int port = FreePort.next();
        redis(port);
        int sentinelPort = FreePort.next();
        RedisSentinel sentinel = RedisSentinel.newRedisSentinel()
                .port(sentinelPort)
                .bind("127.0.0.1")
                .masterName("herd")
                .masterPort(port)
                .quorumSize(1)
                .build();
        opened.add(sentinel::stop);
        sentinel.start();
        RedisLink link = start("redis-sentinel://127.0.0.1:" + sentinelPort + "#herd");
        Await.until("up", SOON, link::isUp);

        with(link.subscribe("channel", () -> {}).toCompletableFuture().get(20, TimeUnit.SECONDS));

        assertThat(link.connections()).as("without those to sentinels").isEqualTo(1);
    }

    @Test
    void closingEndsItInBoundedTimeWhateverRedisDoes() throws IOException {
        ServerSocket silent = with(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
        RedisLink connecting = start("redis://127.0.0.1:" + silent.getLocalPort());
        int port = FreePort.next();
        redis(port);
        RedisLink link = start("redis://127.0.0.1:" + port);
        Await.until("up", SOON, link::isUp);

        long start = System.nanoTime();
        connecting.close();
        link.close();
        link.close();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(link.isUp()).isFalse();
    }

    @Test
    void startingWaitsForNothing() throws IOException {
        RedisLink link = with(new RedisLink("redis://redis.invalid:6379"));
        long start = System.nanoTime();

        link.start();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
        assertThat(link.isUp()).isFalse();
        Await.until("told that it is down", SOON, () -> logged().size() == 1);
        assertThat(logged().get(0)).startsWith("WARN Redis at redis.invalid:6379 is down: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis://:secret@host:notaport",
                "redis://:se cret@host",
                "http://:secret@host",
                "redis-sentinel://:secret@",
                "redis://:secret@host:70000"
            })
    void aWrongUriIsRefusedWithoutRepeatingIt(String uri) {
        assertThatThrownBy(() -> new RedisLink(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasNoCause()
                .hasMessageStartingWith("redis.uri: ")
                .hasMessageNotContaining("cret");
    }

    @Test
    void whatIsSaidOfAUriHoldsNoSecret() {
        assertThat(said("redis://user:secret@a:1")).isEqualTo("a:1");
        assertThat(said("redis://:secret@a:1,b:2")).isEqualTo("a:1, b:2");
        assertThat(said("rediss://:secret@a:1,rediss://:secret@b:2")).isEqualTo("a:1, b:2");
        assertThat(said("redis-sentinel://:secret@s1:26379,s2:26379/0#mymaster"))
                .isEqualTo("s1:26379, s2:26379");
    }

    private static String addSlots(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(" ", "CLUSTER ADDSLOTS ", ""));
    }

    private static String said(String uri) {
        return RedisSource.text(RedisSource.parse(uri));
    }

    private RedisLink start(String uri) {
        RedisLink link = with(new RedisLink(uri));
        link.start();
        return link;
    }

    private RedisServer redis(int port, String... settings) throws IOException {
        RedisServerBuilder builder = RedisServer.newRedisServer()
                .port(port)
                .bind("127.0.0.1")
                .setting("dir " + dir)
                .setting("save \"\"");
        for (String setting : settings) {
            builder.setting(setting);
        }
        RedisServer redis = builder.build();
        opened.add(redis::stop);
        redis.start();
        return redis;
    }

    /** Sends one command over a connection of its own and waits for its answer. */
    private static void command(int port, String line) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
            byte[] answer = socket.getInputStream().readNBytes(5);
            assertThat(new String(answer, StandardCharsets.US_ASCII)).isEqualTo("+OK\r\n");
        }
    }

    private List<String> logged() {
        return List.copyOf(log.list).stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }

    private <T extends AutoCloseable> T with(T one) {
        opened.add(0, one);
        return one;
    }
}
