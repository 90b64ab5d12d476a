package io.drover.metrics;

import io.drover.config.DroverConfig;
import io.drover.metrics.AuditEntry.Asked;
import io.drover.metrics.AuditEntry.Done;
import java.io.IOException;
import java.time.Clock;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line of JSON for each request that runs a model or changes something, for each that was refused, and for what
 * operators do; {@code docs/audit.md} lists the fields. To a file of its own: see {@link AuditFile}.
 *
 * <p>Event loops only put entries into a bounded queue. Where the file cannot be written that is tried again until it
 * can; what does not fit into the queue meanwhile is lost, counted, and told of here and in the file.
 */
public final class AuditLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);

    private static final int FORBIDDEN = 403;
    private static final int UNAUTHORIZED = 401;
    private static final int TOO_MANY_REQUESTS = 429;

    private final @Nullable AuditFile file;
    private final @Nullable LineWriter<AuditEntry> writer;
    private final InstantSource clock;

    /** Bytes of bodies in the queue: a disk that hangs must not fill the memory with prompts. */
    private final long mostWaiting;

    private final int promptBytes;
    private final AtomicLong waiting = new AtomicLong();

    /**
     * Opens the log, if it is enabled, and starts its thread.
     *
     * @param dropped told how many lines were lost, and why: {@code queue} if they came faster than they could be
     *     written, {@code disk} if they could not be written; called from event loops too, so it must not block
     * @throws IOException if the file cannot be opened for appending
     */
    public static AuditLog open(DroverConfig.AuditLog config, ObjLongConsumer<String> dropped) throws IOException {
        return new AuditLog(config, dropped, Clock.systemUTC());
    }

    AuditLog(DroverConfig.AuditLog config, ObjLongConsumer<String> dropped, InstantSource clock) throws IOException {
        this.clock = clock;
        this.mostWaiting = config.maxWaiting();
        this.promptBytes = config.enabled() && config.prompts() ? config.maxPrompt() : 0;
        if (config.enabled()) {
            AuditFile opened = open(config, clock);
            this.file = opened;
            this.writer = new LineWriter<>(
                    "audit log",
                    opened,
                    new AuditLogFormat(clock, bytes -> waiting.addAndGet(-bytes)),
                    config.queue(),
                    new Lost(opened, dropped));
        } else {
            this.file = null;
            this.writer = null;
        }
    }

    private static AuditFile open(DroverConfig.AuditLog config, InstantSource clock) throws IOException {
        try {
            return new AuditFile(config.file(), config.maxSize(), config.keep(), clock);
        } catch (IOException e) {
            throw new IOException("audit-log.file: \"" + config.file() + "\" cannot be opened: " + e, e);
        }
    }

    public boolean isOn() {
        return writer != null;
    }

    /** How much of a prompt is to be told, in bytes; 0: nothing. */
    public int promptBytes() {
        return promptBytes;
    }

    /**
     * Hands over a finished exchange, if it is of those that are recorded, or counts it as lost. Any thread; never
     * blocks.
     *
     * @param body null where nothing is to be told of it
     */
    public void offer(AccessRecord record, @Nullable AuditedBody body) {
        if (writer == null || !isRecorded(record)) {
            return;
        }
        int bytes = body == null ? 0 : body.heldBytes();
        boolean room = bytes == 0 || waiting.addAndGet(bytes) <= mostWaiting;
        boolean taken = writer.offer(new Asked(record, room ? body : null, !room && body != null && body.prompt()));
        if (bytes > 0 && !(room && taken)) {
            waiting.addAndGet(-bytes);
        }
    }

    /** Hands over what an operator has done by a request, or by a signal if {@code client} is null. */
    public void offer(String event, @Nullable String client, @Nullable String backend, int status) {
        if (writer != null) {
            writer.offer(new Done(clock.millis(), event, client, backend, status));
        }
    }

    /** Whether a request runs a model, may change something, or was refused; a malformed one asked for nothing. */
    private static boolean isRecorded(AccessRecord record) {
        int status = record.outcome().status();
        if (record.inference() || status == UNAUTHORIZED || status == FORBIDDEN || status == TOO_MANY_REQUESTS) {
            return true;
        }
        return switch (record.method()) {
            case "GET", "HEAD", "OPTIONS", "-" -> false;
            // Of the methods that may change something the only one here that does not.
            default -> !record.endpoint().equals("/api/show");
        };
    }

    /** Opens the file anew by its name. Any thread; returns before it is done. */
    public void reopen() {
        if (writer != null) {
            writer.reopen();
        }
    }

    /** Writes what is waiting, for two seconds at most, and ends. Blocks meanwhile: not for event loops. */
    @Override
    public void close() {
        if (file != null && writer != null) {
            file.stopRetrying();
            writer.close();
        }
    }

    /** Counts what is lost, and says that it begins. */
    private static final class Lost implements LineWriter.Losses {
        private final AuditFile file;
        private final ObjLongConsumer<String> dropped;
        private final AtomicBoolean said = new AtomicBoolean();

        Lost(AuditFile file, ObjLongConsumer<String> dropped) {
            this.file = file;
            this.dropped = dropped;
        }

        @Override
        public void onLost(long lines) {
            dropped.accept(file.isFailing() ? "disk" : "queue", lines);
            if (!said.get() && said.compareAndSet(false, true)) {
                LOG.warn(
                        "audit log: lines are lost from here on, since {}",
                        file.isFailing() ? "the file cannot be written" : "they come faster than they can be written");
            }
        }

        @Override
        public void onTold(long lines) {
            said.set(false);
            LOG.warn("audit log: {} lines were lost; it tells so itself", lines);
        }
    }
}
