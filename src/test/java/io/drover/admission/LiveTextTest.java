package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Never started: the clock is the test's. */
@Timeout(60)
final class LiveTextTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final long REGULAR = 600 * SECOND;
    private static final long LEAST = 30 * SECOND;
    /** Clocks may stand anywhere. */
    private static final long START = Long.MAX_VALUE - 100 * SECOND;

    private final Logger logger = (Logger) LoggerFactory.getLogger(LiveText.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final List<String> accepted = new ArrayList<>();
    private volatile String there = "one";
    private int looks;
    private final LiveText text =
            new LiveText(new Place(), this::accept, Duration.ofNanos(REGULAR), Duration.ofNanos(LEAST), "drover-test");

    private final class Place implements LiveText.Source {
        @Override
        public Optional<String> look() throws IOException {
            looks++;
            if (there.equals("error")) {
                throw new OutOfMemoryError("in a test");
            }
            if (there.equals("away")) {
                throw new IOException("away");
            }
            return Optional.of(there).filter(found -> !found.equals("unchanged"));
        }

        @Override
        public String toString() {
            return "place";
        }
    }

    private void accept(String found) throws IOException {
        if (found.equals("rubbish")) {
            throw new IOException("rubbish (expected: sense)");
        }
        accepted.add(found);
    }

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void close() {
        logger.detachAppender(log);
        text.close();
    }

    @Test
    void itIsLookedAtRegularly() {
        text.tick(START);
        text.tick(START + REGULAR - 1);
        assertThat(looks).isEqualTo(1);

        text.tick(START + REGULAR);

        assertThat(looks).isEqualTo(2);
        assertThat(accepted).containsExactly("one");
    }

    @Test
    void whatIsMissedIsLookedForButNotTooOften() {
        text.tick(START);
        there = "two";

        for (int i = 0; i < 1000; i++) {
            assertThat(newerThan(1, START + i * (LEAST / 1000))).isFalse();
        }
        assertThat(looks).isEqualTo(1);
        assertThat(newerThan(1, START + LEAST)).isTrue();
        assertThat(accepted).containsExactly("one", "two");
        for (int i = 0; i < 1000; i++) {
            assertThat(newerThan(2, START + LEAST + i * (LEAST / 1000))).isFalse();
        }
        assertThat(looks).isEqualTo(2);
    }

    @Test
    void whatHasComeInTheMeantimeIsNotLookedForAgain() {
        text.tick(START);

        assertThat(newerThan(0, START)).isTrue();
        assertThat(looks).isEqualTo(1);
    }

    @Test
    void theFirstLookIsTakenAtOnceByWhoeverMissesIt() {
        assertThat(newerThan(0, START)).isTrue();
    }

    @Test
    void theSameTextIsNoNews() {
        text.tick(START);

        assertThat(newerThan(1, START + LEAST)).isFalse();
        assertThat(looks).isEqualTo(2);
        assertThat(accepted).containsExactly("one");
    }

    @Test
    void aFailureIsToldOnceTriedAgainSoonAndItsEndIsTold() {
        text.tick(START);
        there = "away";
        text.tick(START + REGULAR);
        text.tick(START + REGULAR + LEAST - 1);
        assertThat(looks).isEqualTo(2);
        text.tick(START + REGULAR + LEAST);
        assertThat(looks).isEqualTo(3);
        there = "one";
        text.tick(START + REGULAR + 2 * LEAST);

        assertThat(said()).containsExactly("place: away; what it held before stays in force", "place is in use again");
        assertThat(accepted).containsExactly("one");
        text.tick(START + REGULAR + 3 * LEAST);
        assertThat(looks).isEqualTo(4);
    }

    /** It would end the looks for good, and leave those waiting who miss something. */
    @Test
    void anErrorIsAFailureAsWell() {
        text.tick(START);
        there = "error";
        text.tick(START + REGULAR);
        assertThat(newerThan(1, START + REGULAR + 1)).isFalse();
        there = "two";
        text.tick(START + REGULAR + LEAST);

        assertThat(accepted).containsExactly("one", "two");
        assertThat(said()).last().isEqualTo("place is in use again");
    }

    @Test
    void aMistakeStaysOneUntilItIsMended() {
        text.tick(START);
        there = "rubbish";
        text.tick(START + REGULAR);
        there = "unchanged";
        text.tick(START + REGULAR + LEAST);
        text.tick(START + REGULAR + 2 * LEAST);
        assertThat(said()).containsExactly("place: rubbish (expected: sense); what it held before stays in force");

        there = "two";
        text.tick(START + REGULAR + 3 * LEAST);

        assertThat(said()).hasSize(2).last().isEqualTo("place is in use again");
        assertThat(accepted).containsExactly("one", "two");
    }

    @Test
    void whatIsRequiredHasToBeGood() {
        there = "rubbish";
        assertThatThrownBy(text::require)
                .isInstanceOf(IOException.class)
                .hasMessage("place: rubbish (expected: sense)");
    }

    @Test
    void onceClosedNothingComesAnyMore() {
        text.close();

        assertThat(newerThan(0, START)).isFalse();
    }

    private boolean newerThan(int seen, long nowNanos) {
        return text.newerThan(seen, nowNanos).toCompletableFuture().join();
    }

    private List<String> said() {
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }
}
