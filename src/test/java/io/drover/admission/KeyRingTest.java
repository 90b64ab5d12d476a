package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.Jwt;
import io.drover.testing.Await;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

@Timeout(30)
final class KeyRingTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration OFTEN = Duration.ofMillis(5);
    private static final Duration NEVER = Duration.ofDays(1);

    private static final String UNKNOWN = "unknown key";

    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final Path file;

    private volatile Map<String, String> stored = Map.of();
    private volatile boolean away;

    KeyRingTest(@TempDir Path dir) {
        this.file = dir.resolve("keys");
    }

    @AfterEach
    void end() {
        thread.shutdownNow();
    }

    @Test
    void aKeyIsKnownAtOnceWhereverItStandsInItsBytes() throws IOException {
        Files.writeString(file, Keys.line("alice", "one"));
        KeyRing ring = KeyRing.open(auth(true, false, NEVER), null, thread);
        byte[] head = "Bearer one\r\n".getBytes(StandardCharsets.US_ASCII);

        assertThat(ring.known(head, 7, 10, 0)).isEqualTo(AuthVerdict.of(Principal.named("alice")));
        assertThat(ring.known(head, 7, 9, 0)).isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.UNKNOWN, UNKNOWN));
        assertThat(ring.known(head, 7, 7, 0)).isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.UNKNOWN, UNKNOWN));
        assertThat(ring.verify("one".getBytes(StandardCharsets.US_ASCII), 0))
                .isCompletedWithValue(AuthVerdict.of(Principal.named("alice")));
        assertThat(ring.size()).isEqualTo(1);
    }

    @Test
    void aSecretThatIsTooLongIsNotAsked() throws IOException {
        String longest = "x".repeat(256);
        String longer = "x".repeat(257);
        Files.writeString(file, Keys.line("longest", longest) + "\n" + Keys.line("longer", longer));
        KeyRing ring = KeyRing.open(auth(true, false, NEVER), null, thread);

        assertThat(said(ring, longest)).isEqualTo("longest");
        assertThat(said(ring, longer)).isEqualTo(UNKNOWN);
    }

    @Test
    void whetherAKeyIsUnknownOrRefusedCanBeTold() throws IOException {
        Files.writeString(file, Keys.line("alice", "one", ",\"enabled\":false"));
        KeyRing ring = KeyRing.open(auth(true, false, NEVER), null, thread);

        assertThat(KeyRing.isUnknown(verdict(ring, "one"))).isFalse();
        assertThat(KeyRing.isUnknown(verdict(ring, "two"))).isTrue();
    }

    @Test
    void theFileIsLookedAtAgainUntilTheEnd() throws IOException {
        Files.writeString(file, Keys.line("alice", "one"));
        KeyRing ring = KeyRing.open(auth(true, false, OFTEN), null, thread);

        Files.writeString(file, Keys.line("alice", "another"));
        Await.until("the new key counts", SOON, () -> said(ring, "another").equals("alice"));
        assertThat(said(ring, "one")).isEqualTo(UNKNOWN);

        ring.close();
        assertThat(said(ring, "another")).isEqualTo("alice");
    }

    @Test
    void aMissingFileIsAnErrorAtTheStart() {
        assertThatThrownBy(() -> KeyRing.open(auth(true, false, NEVER), null, thread))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no such file");
    }

    @Test
    void keysOfTheStoreCountAndTheFilesWin() throws IOException {
        Files.writeString(file, Keys.line("alice", "one"));
        stored = Map.of("alice", Keys.line("alice", "stored"), "bob", Keys.line("bob", "two"));
        KeyRing ring = KeyRing.open(auth(true, true, NEVER), this::lines, thread);

        Await.until("read", SOON, () -> said(ring, "two").equals("bob"));

        assertThat(said(ring, "one")).isEqualTo("alice");
        assertThat(said(ring, "stored")).isEqualTo(UNKNOWN);
        assertThat(ring.size()).isEqualTo(2);
    }

    @Test
    void aStoreThatIsAwayAtTheStartIsAskedAgainSoonAndUntilThenSaysSo() throws IOException {
        away = true;
        stored = Map.of("bob", Keys.line("bob", "two"));
        KeyRing ring = KeyRing.open(auth(false, true, NEVER), this::lines, thread);

        assertThat(said(ring, "two")).isEqualTo("unknown key; not all keys could be read yet");
        assertThat(KeyRing.isUnknown(verdict(ring, "two"))).isTrue();

        away = false;
        Await.until("read", SOON, () -> said(ring, "two").equals("bob"));
        assertThat(said(ring, "three")).isEqualTo(UNKNOWN);
    }

    @Test
    void anEmptyStoreIsKnownToBeSo() throws IOException {
        KeyRing ring = KeyRing.open(auth(false, true, NEVER), this::lines, thread);

        Await.until("read", SOON, () -> said(ring, "two").equals(UNKNOWN));
    }

    @Test
    void whatTheStoreHeldStaysWhileItIsAway() throws IOException {
        stored = Map.of("bob", Keys.line("bob", "two"));
        KeyRing ring = KeyRing.open(auth(false, true, OFTEN), this::lines, thread);
        Await.until("read", SOON, () -> said(ring, "two").equals("bob"));

        away = true;
        stored = Map.of();
        looks(3);
        assertThat(said(ring, "two")).isEqualTo("bob");

        away = false;
        Await.until("revoked", SOON, () -> said(ring, "two").equals(UNKNOWN));
    }

    @Test
    void aStoredLineWithAMistakeDoesNotHoldUpTheOthers() throws IOException {
        stored = Map.of("bob", Keys.line("bob", "two"), "carol", Keys.line("carol", "three"));
        KeyRing ring = KeyRing.open(auth(false, true, OFTEN), this::lines, thread);
        Await.until("read", SOON, () -> said(ring, "two").equals("bob"));

        stored = Map.of(
                "bob", "no line",
                "mallory", Keys.line("bob", "four"),
                "dave", Keys.line("dave", "five"));

        Await.until("changed", SOON, () -> said(ring, "five").equals("dave"));
        assertThat(said(ring, "two")).isEqualTo(UNKNOWN);
        assertThat(said(ring, "three")).isEqualTo(UNKNOWN);
        assertThat(said(ring, "four")).isEqualTo(UNKNOWN);
    }

    @Test
    void aStoreThatThrowsIsAwayAsWell() throws IOException {
        KeyRing ring = KeyRing.open(
                auth(false, true, OFTEN),
                () -> {
                    lookedAt.incrementAndGet();
                    throw new IllegalStateException("closed");
                },
                thread);

        looks(3);

        assertThat(said(ring, "two")).startsWith(UNKNOWN + ";");
    }

    /** As with a heap that is full for a moment: the keys stay, it is said, and the looks go on. */
    @Test
    void anErrorWhileKeysAreReadEndsNoLooks() throws IOException {
        Logger logger = (Logger) LoggerFactory.getLogger(KeyRing.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        stored = Map.of("bob", Keys.line("bob", "two"));
        KeyRing ring = KeyRing.open(auth(false, true, OFTEN), this::lines, thread);
        Await.until("read", SOON, () -> said(ring, "two").equals("bob"));

        Full full = new Full(Map.of("carol", Keys.line("carol", "three")));
        stored = full;
        Await.until("the heap is full twice", SOON, () -> full.thrown.get() == 2);
        assertThat(said(ring, "two")).isEqualTo("bob");

        Await.until("there is room", SOON, () -> said(ring, "three").equals("carol"));
        assertThat(said(ring, "two")).isEqualTo(UNKNOWN);
        logger.detachAppender(log);
        assertThat(log.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .hasSize(2)
                .containsOnly("keys cannot be read by a fault of ours, so that the last 1 stay for now");
    }

    @Test
    void anErrorOfTheStoreEndsNoLooks() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        KeyRing ring = KeyRing.open(
                auth(false, true, OFTEN),
                () -> {
                    if (asked.incrementAndGet() < 3) {
                        throw new OutOfMemoryError("in a test");
                    }
                    return CompletableFuture.completedFuture(Map.of("bob", Keys.line("bob", "two")));
                },
                thread);

        Await.until("read", SOON, () -> said(ring, "two").equals("bob"));
    }

    /** Lines that there is no memory for, at first when they are compared and then when they are read. */
    private static final class Full extends AbstractMap<String, String> {
        private final Map<String, String> lines;
        private final AtomicInteger thrown = new AtomicInteger();

        Full(Map<String, String> lines) {
            this.lines = lines;
        }

        @Override
        public Set<Entry<String, String>> entrySet() {
            throwAt(0);
            return lines.entrySet();
        }

        @Override
        public Set<String> keySet() {
            throwAt(1);
            return lines.keySet();
        }

        private void throwAt(int time) {
            if (thrown.compareAndSet(time, time + 1)) {
                throw new OutOfMemoryError("in a test");
            }
        }
    }

    @Test
    void anotherConfigurationTakesEffectOrChangesNothing() throws IOException {
        Files.writeString(file, Keys.line("alice", "one"));
        stored = Map.of("bob", Keys.line("bob", "two"));
        KeyRing ring = KeyRing.open(auth(true, false, NEVER), this::lines, thread);
        assertThat(said(ring, "two")).isEqualTo(UNKNOWN);

        ring.configure(auth(true, true, OFTEN));
        Await.until("the store counts", SOON, () -> said(ring, "two").equals("bob"));

        Files.writeString(file, "nonsense");
        assertThatThrownBy(() -> ring.configure(auth(true, false, NEVER)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + ":1: no JSON");
        assertThat(said(ring, "one")).isEqualTo("alice");
        assertThat(said(ring, "two")).isEqualTo("bob");

        ring.configure(auth(false, false, NEVER));
        assertThat(ring.size()).isZero();
    }

    @Test
    void aStoreThatIsNotThereCannotBeAsked() {
        assertThatThrownBy(() -> KeyRing.open(auth(false, true, NEVER), null, thread))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("keysInRedis: true (expected: false, since there is no store)");
    }

    private final AtomicInteger lookedAt = new AtomicInteger();

    private CompletionStage<Map<String, String>> lines() {
        lookedAt.incrementAndGet();
        return away
                ? CompletableFuture.failedFuture(new IOException("away"))
                : CompletableFuture.completedFuture(stored);
    }

    /** Waits until the store has been asked some more times. */
    private void looks(int times) {
        int before = lookedAt.get();
        Await.until("asked", SOON, () -> lookedAt.get() >= before + times);
    }

    private Auth auth(boolean withFile, boolean withStore, Duration refresh) {
        Jwt jwt = new Jwt(Optional.empty(), Optional.empty(), "", "", List.of(), "sub", "", Duration.ZERO);
        Optional<Path> keys = withFile ? Optional.of(file) : Optional.empty();
        return new Auth(List.of(AuthMode.API_KEY), keys, withStore, Optional.empty(), refresh, "/key/", 1, jwt);
    }

    private static AuthVerdict verdict(KeyRing ring, String secret) {
        byte[] bytes = secret.getBytes(StandardCharsets.US_ASCII);
        return ring.known(bytes, 0, bytes.length, 0);
    }

    /** The caller's name, or why it is refused. */
    private static String said(KeyRing ring, String secret) {
        AuthVerdict verdict = verdict(ring, secret);
        @Nullable Principal principal = verdict.principal();
        return principal == null ? verdict.refusal() : principal.name();
    }
}
