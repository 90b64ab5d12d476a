package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Slot;
import io.drover.cache.PromptVector;
import io.drover.http.BodyFraming;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.ollama.ModelName;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the herd for the embedding of one prompt, as a client's request would: the balancer chooses, and what fails there
 * counts against the backend. Belongs to one event loop.
 */
final class EmbeddingCall implements ResponseSink {
    private static final int LARGEST_ANSWER = 1 << 20;

    /** A model may be loaded meanwhile. Whoever waits for the vector has a limit of its own. */
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final byte[] REQUEST_LINE = HeadWriter.ascii("POST /api/embed HTTP/1.1\r\n");
    private static final byte[] CONTENT_TYPE = HeadWriter.line("Content-Type", "application/json");

    private final Worker worker;
    private final ModelName model;
    private final byte[] question;
    private final String requestId;
    private final Consumer<float @Nullable []> onEnd;
    private final Attempts attempts;
    private final ByteArrayOutputStream answer = new ByteArrayOutputStream();

    private @Nullable Call call;
    private @Nullable ScheduledFuture<?> limit;
    private boolean over;

    /**
     * @param requestId of the request whose prompt it is
     * @param onEnd takes the vector, of length 1, or null, once
     */
    EmbeddingCall(Worker worker, ModelName model, String prompt, String requestId, Consumer<float @Nullable []> onEnd) {
        this.worker = worker;
        this.model = model;
        this.question = PromptVector.question(model.requested(), prompt);
        this.requestId = requestId;
        this.onEnd = onEnd;
        this.attempts = new Attempts(worker);
    }

    /** Begins; the end may be told before this returns. */
    void start() {
        limit = worker.loop().schedule(() -> end(null), LIMIT_NANOS, TimeUnit.NANOSECONDS);
        if (attempts.begin(model)) {
            next();
        } else {
            end(null);
        }
    }

    private void next() {
        Slot slot = attempts.next();
        if (slot == null) {
            end(null);
        } else {
            begin(slot, false);
        }
    }

    private void begin(Slot slot, boolean fresh) {
        answer.reset();
        Call next = new Call(worker, slot, this, false);
        call = next;
        next.start(fresh);
    }

    @Override
    public void onConnected(UpstreamConnection connection) {
        BackendLines lines = worker.lines(connection.backend());
        byte[] id = HeadWriter.line("X-Request-Id", requestId);
        byte[] length = HeadWriter.line("Content-Length", Integer.toString(question.length));
        ByteBuf request = worker.allocate(512 + question.length)
                .writeBytes(REQUEST_LINE)
                .writeBytes(lines.host())
                .writeBytes(CONTENT_TYPE)
                .writeBytes(id)
                .writeBytes(length);
        if (lines.authorization() != null) {
            request.writeBytes(lines.authorization());
        }
        request.writeByte('\r').writeByte('\n').writeBytes(question);
        connection.write(request);
        connection.flush();
        Objects.requireNonNull(call).onRequestComplete();
    }

    @Override
    public void onContinue() {
        // It was not asked for.
    }

    @Override
    public void onHead(MessageHead head, BodyFraming framing) {
        if (head.status() != 200 || head.has(Field.CONTENT_ENCODING)) {
            end(null);
        }
    }

    @Override
    public void onBody(ByteBuf wire, PayloadRanges payload) {
        try {
            for (int i = 0; i < payload.count(); i++) {
                wire.getBytes(payload.from(i), answer, payload.to(i) - payload.from(i));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        } finally {
            wire.release();
        }
        if (answer.size() > LARGEST_ANSWER) {
            end(null);
        }
    }

    @Override
    public void onFraming(ByteBuf octets) {
        octets.release();
    }

    @Override
    public void onReframe() {
        // The payload is all that is read.
    }

    @Override
    public void onReadComplete() {
        // Nobody reads on.
    }

    @Override
    public void onUpstreamWritability() {
        // The request is small, and was written whole.
    }

    @Override
    public void onEnd(boolean terminated) {
        Call done = Objects.requireNonNull(call);
        call = null;
        done.release();
        done.backend().onSuccess(attempts.lastNanos(), worker.clock().now());
        end(PromptVector.read(answer.toByteArray()));
    }

    @Override
    public void onFailure(CallFailure failure) {
        Call failed = Objects.requireNonNull(call);
        call = null;
        Backend backend = failed.backend();
        boolean stale = failed.wasReused() && !failed.isAnswered();
        Evidence.give(backend, failure, stale, worker.clock().now());
        if (stale && !attempts.isFreshTried()) {
            begin(attempts.again(backend), true);
        } else if (attempts.left() > 0) {
            attempts.spend();
            next();
        } else {
            end(null);
        }
    }

    /** Ends it without telling anybody: the backend is told to stop. */
    void cancel() {
        over = true;
        Call running = call;
        call = null;
        if (limit != null) {
            limit.cancel(false);
        }
        if (running != null) {
            running.cancel();
        }
    }

    private void end(float @Nullable [] vector) {
        if (!over) {
            cancel();
            onEnd.accept(vector);
        }
    }
}
