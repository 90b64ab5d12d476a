package io.drover.server;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * Where Drover's own messages go: to standard error, since standard output belongs to the access log. Logback finds this
 * class as a service. In code, because reading the same from a {@code logback.xml} took a fifth of the time that a start
 * takes. Whoever wants something else names a file with {@code -Dlogback.configurationFile}, as always.
 */
public final class MessageLog extends ContextAwareBase implements Configurator {
    private static final String LEVEL = "DROVER_LOG_LEVEL";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        if (System.getProperty("logback.configurationFile") != null || hasResource("logback-test.xml")) {
            return ExecutionStatus.INVOKE_NEXT_IF_ANY;
        }
        // Lettuce reports every attempt to reconnect; RedisLink tells of each change once.
        context.getLogger("io.lettuce").setLevel(Level.ERROR);
        context.getLogger("io.drover").setLevel(level());
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(standardError(context));
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    private static ConsoleAppender<ILoggingEvent> standardError(LoggerContext context) {
        MessageLine line = new MessageLine();
        line.setContext(context);
        line.start();
        LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
        encoder.setContext(context);
        encoder.setLayout(line);
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setName("STDERR");
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.start();
        return appender;
    }

    /** A property or a variable, as Logback's own substitution looks for them. */
    private static Level level() {
        String property = System.getProperty(LEVEL);
        return Level.toLevel(property == null ? System.getenv(LEVEL) : property, Level.INFO);
    }

    private static boolean hasResource(String name) {
        return MessageLog.class.getClassLoader().getResource(name) != null;
    }
}
