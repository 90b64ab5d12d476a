package io.drover.proxy;

import io.drover.backend.Answer;
import io.drover.backend.Backend;
import io.drover.metrics.Outcome;
import io.drover.metrics.Side;
import io.drover.ollama.AnswerEnd;
import io.drover.ollama.FinalRecord;
import io.drover.ollama.ModelName;
import io.drover.ollama.TailRing;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a try, or the answer that went to the client, says of the backend it came from. */
final class Evidence {
    private static final Logger LOG = LoggerFactory.getLogger(Evidence.class);

    private Evidence() {}

    /**
     * Tells a backend that a try there has failed, unless it is not to blame: for what this process lacks, or a
     * repeated answer that is merely another one.
     *
     * @param stale whether it failed on a reused connection before any byte of a response
     */
    static void give(Backend backend, CallFailure failure, boolean stale, long nowNanos) {
        if (failure.isOurs() || failure.isOfRepeat()) {
            return;
        }
        if (failure.isConnecting()) {
            backend.onConnectFailure(failure.text(), nowNanos);
        } else if (!stale || failure.isTimeout()) {
            backend.onFailure(failure.text(), nowNanos);
        }
    }

    /**
     * Tells the backend that had the request last. That its answer broke off it has been told before, and what a client
     * did that left is no fault of it.
     *
     * @param tail of an answer that tells of itself; null for any other
     * @param record what it tells
     */
    static AnswerEnd give(
            ClientRequest request,
            Timeline timeline,
            Attempts attempts,
            Outcome outcome,
            @Nullable TailRing tail,
            FinalRecord record,
            long nowNanos) {
        Backend backend = attempts.last();
        if (backend == null || outcome.side() == Side.UPSTREAM) {
            return AnswerEnd.UNTOLD;
        }
        boolean whole = outcome.failedIn() == null;
        ModelName model = tail == null ? null : request.modelName();
        boolean cloud = model != null && model.isCloud();
        AnswerEnd end = whole ? AnswerEnd.of(tail, record, request.endpoint(), cloud) : AnswerEnd.UNTOLD;
        if (end == AnswerEnd.FAILED && !attempts.isLastBlamed()) {
            backend.onFailure("answer ended in an error", nowNanos);
        } else if (end != AnswerEnd.FAILED && outcome.status() < 500 && !attempts.isLastBlamed()) {
            backend.onSuccess(attempts.lastNanos(), nowNanos);
        }
        if (whole && tail != null) {
            long firstByteNanos = timeline.hasFirstByte() && request.isForStream()
                    ? timeline.startNanos() + timeline.timeToFirstByteNanos() - attempts.lastNanos()
                    : -1;
            Answer answer = new Answer(model, end, record, firstByteNanos);
            backend.onAnswer(answer, attempts.herd(), nowNanos);
        }
        if (end == AnswerEnd.UNFINISHED) {
            LOG.debug(
                    "backend {} ended an answer without its own end: request {}",
                    backend.name(),
                    request.caller().requestId());
        }
        return end;
    }
}
