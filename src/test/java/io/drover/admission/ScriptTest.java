package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.drover.cache.RedisLink;
import io.drover.cache.RedisScripts;
import io.drover.testing.Await;
import io.drover.testing.Redis;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the scripts do in a real Redis. Its clock goes on meanwhile, far less than the second that is allowed for here. */
@Timeout(60)
class ScriptTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final long SECOND = 1_000_000;
    private static final Offset<Long> ABOUT = within(SECOND);

    private final Redis redis;
    private final RedisLink link;
    private final RedisScripts scripts;

    ScriptTest(@TempDir Path dir) {
        redis = Redis.start(dir);
        link = new RedisLink(redis.uri());
        scripts = new RedisScripts(link);
    }

    @BeforeEach
    void start() {
        link.start();
        Await.until("up", SOON, link::isUp);
    }

    @AfterEach
    void stop() {
        link.close();
        redis.close();
    }

    private List<Long> run(String script, String key, Object... arguments) {
        List<String> texts = Arrays.stream(arguments).map(Object::toString).toList();
        try {
            return scripts.run(script, key, texts).toCompletableFuture().get(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** In seconds; what is missing then, and how long ago the bucket was full, in microseconds. */
    private List<Long> charge(String key, long taken, long back, long age, long believed, boolean force) {
        return run(Script.CHARGE, key, taken * SECOND, back * SECOND, age * SECOND, believed * SECOND, force ? 1 : 0);
    }

    private List<Long> charge(long taken) {
        return charge("b", taken, 0, 0, 0, false);
    }

    @Test
    void chargesAddUpAndMayGoBeyondTheBucket() {
        assertThat(charge(100)).containsExactly(100 * SECOND, 0L);
        assertThat(charge(50).get(0)).isCloseTo(150 * SECOND, ABOUT);
        assertThat(charge(4_000_000_000L).get(0)).as("127 years").isCloseTo(4_000_000_150L * SECOND, ABOUT);
    }

    @Test
    void aFullBucketIsForgotten() {
        charge(100);
        assertThat(Long.parseLong(redis.command("TTL", "b").substring(1))).isBetween(99L, 100L);

        run(Script.CHARGE, "c", 1_000, 0, 0, 0, 0);
        Await.until("forgotten", SOON, () -> redis.command("EXISTS", "c").equals(":0"));
    }

    @Test
    void aBucketThatWasGivenBackIsNotTakenForALostOne() {
        charge(100);
        assertThat(charge("b", 0, 100, 0, 0, false).get(0)).isZero();
        assertThat(Long.parseLong(redis.command("TTL", "b").substring(1))).isBetween(90L, 100L);

        assertThat(charge("b", 10, 0, 0, 95, false).get(0))
                .as("whatever a replica believes that has not heard of it")
                .isCloseTo(10 * SECOND, ABOUT);
    }

    @Test
    void debtsEndSomewhere() {
        for (int i = 0; i < 4; i++) {
            charge(4_000_000_000L);
        }
        assertThat(charge(1).get(0)).isCloseTo(6_900_000_000L * SECOND, ABOUT);
    }

    @Test
    void whatWasTakenBeforeItWasFullIsNotGivenBack() {
        charge(100);

        assertThat(charge("b", 0, 40, 5, 0, false).get(0)).isCloseTo(100 * SECOND, ABOUT);
        assertThat(charge("b", 0, 40, 0, 0, false).get(0)).isCloseTo(60 * SECOND, ABOUT);
        assertThat(charge("b", 10, 1_000, 0, 0, false).get(0))
                .as("full, then 10")
                .isCloseTo(10 * SECOND, ABOUT);
    }

    @Test
    void aLostBucketIsWhatTheReplicaBelieves() {
        assertThat(charge("b", 10, 0, 0, 70, false).get(0)).isCloseTo(80 * SECOND, ABOUT);
        assertThat(charge("b", 10, 0, 0, 500, false).get(0))
                .as("not if it is there")
                .isCloseTo(90 * SECOND, ABOUT);
        assertThat(charge("b", 10, 0, 0, 500, true).get(0))
                .as("but after an outage")
                .isCloseTo(510 * SECOND, ABOUT);
        assertThat(charge("b", 10, 0, 0, 5, true).get(0)).as("never less").isCloseTo(520 * SECOND, ABOUT);
    }

    private List<Long> spend(String replica, int report, long tokens, long gpu, long knownTokens) {
        long until = System.currentTimeMillis() + 100_000;
        return run(Script.SPEND, "a", replica, report, tokens, gpu, knownTokens, 0, until);
    }

    @Test
    void aReportCountsOnce() {
        assertThat(spend("x", 1, 100, 5_000_000, 0)).containsExactly(100L, 5_000_000L);
        assertThat(spend("y", 1, 10, 1, 0)).containsExactly(110L, 5_000_001L);
        assertThat(spend("x", 1, 100, 5_000_000, 0)).containsExactly(110L, 5_000_001L);
        assertThat(spend("x", 2, -30, 0, 0)).containsExactly(80L, 5_000_001L);
        assertThat(spend("x", 1, 100, 5_000_000, 0)).as("late, from before").containsExactly(80L, 5_000_001L);
        assertThat(spend("x", 2, -30, 0, 0)).as("and again").containsExactly(80L, 5_000_001L);
        assertThat(spend("y", 2, 1L << 50, 1L << 50, 0)).containsExactly((1L << 50) + 80, (1L << 50) + 5_000_001);
        assertThat(Long.parseLong(redis.command("TTL", "a").substring(1))).isBetween(90L, 100L);
    }

    @Test
    void aLostAccountIsWhatTheReplicaKnows() {
        assertThat(spend("x", 7, 5, 0, 300).get(0)).isEqualTo(305);
        assertThat(spend("x", 8, 5, 0, 400).get(0)).as("not if it is there").isEqualTo(310);
        assertThat(spend("x", 8, 5, 0, 400).get(0)).isEqualTo(310);
        assertThat(spend("x", 10, 5, 0, 400).get(0))
                .as("but if it is an older one, without the 9th")
                .isEqualTo(405);
        assertThat(spend("x", 12, 5, 0, 1).get(0)).as("never less").isEqualTo(410);
    }

    @Test
    void replicasCountUntilTheyAreSilentOrLeave() {
        assertThat(run(Script.REPLICAS, "r", "x", 60_000)).containsExactly(1L);
        assertThat(run(Script.REPLICAS, "r", "y", 60_000)).containsExactly(2L);
        assertThat(run(Script.REPLICAS, "r", "x", 60_000)).containsExactly(2L);
        assertThat(run(Script.REPLICAS, "r", "y", 0)).containsExactly(1L);
        run(Script.REPLICAS, "r", "x", 1);
        Await.until("gone", SOON, () -> run(Script.REPLICAS, "r", "z", 60_000).equals(List.of(1L)));
    }

    @Test
    void aRedisThatHasLostTheScriptIsGivenItAgain() {
        charge(10);
        assertThat(redis.command("SCRIPT", "FLUSH")).isEqualTo("+OK");
        assertThat(charge(10).get(0)).isCloseTo(20 * SECOND, ABOUT);
    }

    @Test
    void aRedisThatIsAwayFailsSoon() {
        int connections = link.connections();
        redis.kill();
        Await.until("down", SOON, () -> !link.isUp());
        assertThatThrownBy(() -> scripts.run(Script.CHARGE, "b", List.of("1", "0", "0", "0", "0"))
                        .toCompletableFuture()
                        .get(20, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class);

        redis.start();
        Await.until("up", SOON, link::isUp);

        assertThat(link.connections()).isGreaterThan(connections);
        assertThat(charge("b", 0, 0, 0, 30, false).get(0)).isCloseTo(30 * SECOND, ABOUT);
    }
}
