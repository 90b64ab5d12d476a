package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Slot;
import io.drover.config.DroverConfig.MidStream;
import io.drover.http.BodyFraming;
import io.drover.http.MessageHead;
import io.drover.metrics.Phase;
import io.drover.ollama.AnswerLines;
import io.drover.ollama.Determinism;
import io.drover.ollama.Endpoint;
import io.drover.ollama.ModelName;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Goes on with a stream that broke after its first byte ({@code retry.mid-stream}): another backend with the same model
 * gets the request again, what the client has of its answer is compared and thrown away, and the rest is relayed. Stands
 * between the exchange and the calls that repeat; the first one knows nothing of it.
 *
 * <p>Only for requests that ask for the same answer every time. Belongs to one exchange, used on its event loop.
 */
final class Repeat implements ResponseSink {
    /** Larger bodies are not looked into, which takes a millisecond or so for each MiB, nor kept for so long. */
    static final int LARGEST_BODY = 4 << 20;

    private final Worker worker;
    private final Fetch fetch;
    private final ClientRequest request;
    private final Timeline timeline;
    private final Attempts attempts;
    private final Waits waits;
    private final PayloadRanges rest = new PayloadRanges();

    private BrokenStream kind = BrokenStream.UNTOLD;
    private String model = "";
    private String digest = "";
    /** What the client was sent; null: it will not be repeated. */
    private @Nullable AnswerLines sent;
    /** What of it has come again; null: all of it. */
    private @Nullable AnswerLines again;

    private Repeat(
            Worker worker, Fetch fetch, ClientRequest request, Timeline timeline, Attempts attempts, Waits waits) {
        this.worker = worker;
        this.fetch = fetch;
        this.request = request;
        this.timeline = timeline;
        this.attempts = attempts;
        this.waits = waits;
    }

    /** The repeat of this exchange's answer, should it break; null where that is not configured. */
    static @Nullable Repeat of(
            Worker worker, Fetch fetch, ClientRequest request, Timeline timeline, Attempts attempts, Waits waits) {
        boolean on = worker.context().config().retry().midStream() == MidStream.DETERMINISTIC;
        return on ? new Repeat(worker, fetch, request, timeline, attempts, waits) : null;
    }

    /**
     * A response begins of which the client has nothing yet. If it can be repeated, {@code writer} from now on passes
     * whole lines only, and the request's body must be kept.
     */
    void onFirstHead(int status, BrokenStream stream, BodyFraming framing, RequestBody body, ResponseWriter writer) {
        sent = null;
        kind = stream;
        if (status == 200 && stream != BrokenStream.UNTOLD && isUnbounded(framing) && isRepeatable(body)) {
            AnswerLines lines = newLines();
            sent = lines;
            writer.passWholeLines(lines);
        }
    }

    /** Whether the answer that runs would be repeated. */
    boolean isOn() {
        return sent != null;
    }

    private boolean isRepeatable(RequestBody body) {
        ModelName name = request.modelName();
        Backend first = attempts.last();
        if (name == null || first == null || !(body instanceof RetainedBody kept)) {
            return false;
        }
        String known = first.models().digest(name.key());
        if (name.isCloud() || known == null) {
            return false;
        }
        model = name.key();
        digest = known;
        // Bodies that are kept for long must leave room for those of requests to come.
        return attempts.isAnotherUp(this::hasModel)
                && kept.size() <= LARGEST_BODY
                && !worker.context().retainedBodies().isHalfUsed()
                && isDeterministic(kept);
    }

    private boolean isDeterministic(RetainedBody body) {
        Endpoint endpoint = request.endpoint();
        return switch (endpoint) {
            case GENERATE, CHAT, V1_CHAT_COMPLETIONS, V1_COMPLETIONS -> {
                try (InputStream in = body.open()) {
                    yield Determinism.isAsked(endpoint, in);
                } catch (IOException e) {
                    throw new UncheckedIOException("reading from memory", e);
                }
            }
            default -> false;
        };
    }

    private boolean hasModel(Backend backend) {
        return digest.equals(backend.models().digest(model));
    }

    private AnswerLines newLines() {
        return new AnswerLines(worker.context().config().buffers().holdBack());
    }

    private static boolean isUnbounded(BodyFraming framing) {
        return framing.kind() == BodyFraming.Kind.CHUNKED || framing.kind() == BodyFraming.Kind.UNTIL_CLOSE;
    }

    /** The answer has broken off: asks another backend for it, if there is one to ask; whether there is. */
    boolean begin(CallFailure failure) {
        AnswerLines lines = sent;
        boolean worth = failure != CallFailure.REPEAT_DIFFERS && failure != CallFailure.FIRST_BYTE_TIMED_OUT;
        Slot slot = worth && lines != null && !lines.isLost() ? attempts.nextUp(this::hasModel) : null;
        if (lines == null || slot == null) {
            return false;
        }
        lines.onBroken();
        again = lines.count() == 0 ? null : newLines();
        worker.context().metrics().onRetry("mid-stream");
        // What the client is to have, it should have before it waits for the rest.
        fetch.onReadComplete();
        // A connection that turned out stale would cost a try.
        fetch.start(slot, true);
        return true;
    }

    @Override
    public void onConnected(UpstreamConnection connection) {
        fetch.onConnected(connection);
    }

    @Override
    public void onContinue() {
        // The body was sent at once.
    }

    @Override
    public void onHead(MessageHead head, BodyFraming framing) {
        timeline.enter(Phase.RELAY);
        boolean like =
                head.status() == 200 && BrokenStream.of(request.endpoint(), head) == kind && isUnbounded(framing);
        if (!like) {
            fetch.failCall(CallFailure.REPEAT_REFUSED);
            return;
        }
        waits.awaitNextByte(worker.clock().now());
        fetch.pauseWhileClientIsSlow();
    }

    @Override
    public void onBody(ByteBuf wire, PayloadRanges payload) {
        if (again == null) {
            fetch.onBody(wire, payload);
            return;
        }
        rest.clear();
        for (int i = 0; i < payload.count(); i++) {
            int to = payload.to(i);
            int at = payload.from(i);
            while (at < to && again != null) {
                at = again.read(wire, at, to, null);
                if (!isLikeSent(again)) {
                    wire.release();
                    fetch.failCall(CallFailure.REPEAT_DIFFERS);
                    return;
                }
            }
            if (at < to) {
                rest.add(at, to);
            }
        }
        if (rest.count() > 0) {
            fetch.onBody(wire, rest);
        } else {
            wire.release();
        }
    }

    /** Whether what has come again may still be what was sent; once it is all of it, the rest follows. */
    private boolean isLikeSent(AnswerLines came) {
        AnswerLines lines = Objects.requireNonNull(sent);
        if (came.isLost()) {
            return false;
        }
        if (came.count() < lines.count()) {
            return true;
        }
        again = null;
        return came.saysTheSame(lines);
    }

    @Override
    public void onFraming(ByteBuf octets) {
        octets.release();
    }

    @Override
    public void onReframe() {
        // The writer's framing is its own.
    }

    @Override
    public void onReadComplete() {
        fetch.onReadComplete();
    }

    @Override
    public void onEnd(boolean terminated) {
        if (again == null) {
            fetch.onEnd(terminated);
        } else {
            fetch.failCall(CallFailure.REPEAT_DIFFERS);
        }
    }

    @Override
    public void onUpstreamWritability() {
        fetch.onUpstreamWritability();
    }

    @Override
    public void onFailure(CallFailure failure) {
        fetch.onFailure(failure);
    }
}
