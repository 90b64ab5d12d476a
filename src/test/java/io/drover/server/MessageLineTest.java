package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class MessageLineTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    @Test
    void has_time_level_class_and_message() {
        assertThat(line(NOON.plusMillis(7), Level.INFO, null))
                .isEqualTo("2026-11-21T12:00:00.007Z INFO  Drain - 3 of 4" + System.lineSeparator());
    }

    @Test
    void has_milliseconds_even_if_they_are_none() {
        assertThat(line(NOON, Level.ERROR, null)).startsWith("2026-11-21T12:00:00.000Z ERROR Drain - ");
    }

    @Test
    void is_followed_by_the_stack_trace_and_its_causes() {
        assertThat(line(NOON, Level.WARN, new IllegalStateException("outer", new RuntimeException("inner"))))
                .contains("WARN  Drain - 3 of 4" + System.lineSeparator() + "java.lang.IllegalStateException: outer")
                .contains("Caused by: java.lang.RuntimeException: inner", "\tat io.drover.server.MessageLineTest")
                .endsWith(System.lineSeparator());
    }

    private static String line(Instant time, Level level, @Nullable Throwable thrown) {
        LoggingEvent event = new LoggingEvent(
                MessageLineTest.class.getName(),
                new LoggerContext().getLogger("io.drover.server.Drain"),
                level,
                "{} of {}",
                thrown,
                new Object[] {3, 4});
        event.setInstant(time);
        return new MessageLine().doLayout(event);
    }
}
