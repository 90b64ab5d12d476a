package io.drover.metrics;

import io.drover.config.DroverConfig;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One line of JSON per finished exchange, to standard output or to the end of a file.
 *
 * <p>Event loops only put a record into a bounded queue; one daemon thread formats and writes. What does not fit, or
 * cannot be written, is lost: it is counted, and the log itself says so with a line {@code {"time":..,"dropped":n}}
 * as soon as it can. Slow or full disks never slow a request.
 *
 * <p>The fields, whose names are stable; one whose value is unknown is absent:
 *
 * <ul>
 *   <li>{@code time}: when the request's head was complete, ISO 8601, UTC, milliseconds
 *   <li>{@code request_id}, {@code client}, {@code method}, {@code path} (with the query), {@code endpoint} (the
 *       route), {@code model}
 *   <li>{@code status}: sent to the client; 499 if it left before
 *   <li>{@code backend}: the one that answered, or that was tried last; {@code attempts}: how many were tried
 *   <li>{@code request_bytes} of the body, {@code response_bytes} with the head
 *   <li>{@code prompt_tokens}, {@code generated_tokens}
 *   <li>{@code ttfb_ms}: from the head to the first byte of the answer's body; {@code duration_ms}: to the end
 *   <li>{@code unfinished}: true where the answer ended in order, but without its own end
 *   <li>only of a failure: {@code phase} in which it came, {@code side} that caused it, {@code cause}
 * </ul>
 */
public final class AccessLog implements AutoCloseable {
    private final @Nullable LineWriter<AccessRecord> writer;

    /**
     * Opens the log and starts its thread.
     *
     * @param dropped told how many lines were lost; called from event loops too, so it must not block
     * @throws IOException if the file cannot be opened for appending
     */
    public static AccessLog open(DroverConfig.AccessLog config, LongConsumer dropped) throws IOException {
        if (!config.enabled()) {
            return new AccessLog(null);
        }
        StreamSink.Target target =
                config.file().<StreamSink.Target>map(file -> () -> append(file)).orElse(StandardOutput::new);
        return open(target, config.queue(), dropped);
    }

    /** As {@link #open(DroverConfig.AccessLog, LongConsumer)}, to another place. */
    static AccessLog open(StreamSink.Target target, int capacity, LongConsumer dropped) throws IOException {
        StreamSink sink = new StreamSink(target);
        return new AccessLog(new LineWriter<>("access log", sink, new AccessLogFormat(), capacity, dropped::accept));
    }

    private AccessLog(@Nullable LineWriter<AccessRecord> writer) {
        this.writer = writer;
    }

    /** Hands a record to the writer, or counts it as lost. Any thread; never blocks. */
    public void offer(AccessRecord record) {
        if (writer != null) {
            writer.offer(record);
        }
    }

    /** Opens the file anew by its name, after a log rotation moved it away. Any thread; returns before it is done. */
    public void reopen() {
        if (writer != null) {
            writer.reopen();
        }
    }

    /** Writes what is waiting, for two seconds at most, and ends. Blocks meanwhile: not for event loops. */
    @Override
    public void close() {
        if (writer != null) {
            writer.close();
        }
    }

    private static OutputStream append(Path file) throws IOException {
        return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** The process's standard output, unbuffered, reporting errors as System.out does not, and never closed. */
    private static final class StandardOutput extends OutputStream {
        private final FileOutputStream descriptor = new FileOutputStream(FileDescriptor.out);

        @Override
        public void write(int b) throws IOException {
            descriptor.write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            descriptor.write(bytes, offset, length);
        }
    }
}
