package io.drover.proxy;

import io.drover.admission.Refusal;
import io.drover.backend.Backend;
import io.drover.backend.Slot;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.metrics.Outcome;
import io.drover.metrics.Phase;
import io.drover.metrics.Side;
import io.drover.ollama.RetryClass;
import io.drover.ollama.TailRing;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One request and its response, from the request's head to the access log; {@code docs/life-of-a-request.md} tells the
 * phases. It decides: where the request goes, whether it is tried again, what the client is told. {@link #finish} is
 * the only exit.
 *
 * <p>Belongs to one event loop and one client connection; never reused.
 */
final class Exchange implements ResponseSink, HeadLines {
    private final Worker worker;
    private final LoopClock clock;
    private final ClientConnection client;
    private final Settings settings;
    private final ClientRequest request;
    private final Gate gate;
    private final Timeline timeline;
    private final Attempts attempts;
    private final Waits waits;

    private Persistence persistence = Persistence.CLOSED;
    private @Nullable RequestBody body;

    // The tries.
    private @Nullable Call call;
    private final @Nullable Repeat repeat;

    // The response.
    private @Nullable TailRing tail;
    private @Nullable ResponseWriter response;
    private @Nullable HoldBack holdBack;
    private BrokenStream ending = BrokenStream.UNTOLD;
    private int status;

    Exchange(Worker worker, ClientConnection client) {
        this.worker = worker;
        this.clock = worker.clock();
        this.client = client;
        this.settings = worker.context().settings();
        this.request = new ClientRequest(worker, client, settings);
        this.gate = new Gate(worker, client, request, settings);
        this.timeline = new Timeline(clock, client.bytesWritten());
        this.attempts = new Attempts(worker);
        this.waits = new Waits(client, request, settings.config());
        this.repeat = Repeat.of(worker, this, request, timeline, attempts, waits);
    }

    // ------------------------------------------------------------------ reading the request

    /** The head is complete: finds out who asks. */
    void onRequestHead() throws BadMessageException {
        timeline.enter(Phase.ADMIT);
        request.read();
        if (gate.open(() -> client.onIdentified(this))) {
            admit();
        } else {
            waits.awaitVerdict(clock.now());
        }
    }

    /** It is known who asks: answers, or prepares for the body. */
    void admit() throws BadMessageException {
        Persistence asked = Persistence.of(request.head());
        Reply refusal = gate.refusal();
        Reply own =
                refusal != null ? refusal : OwnAnswers.to(request.endpoint(), request.head(), client, worker.context());
        if (own != null) {
            persistence = request.skipBody() ? asked : Persistence.CLOSED;
            answer(own, refusal == null ? Outcome.complete(own.status()) : gate.outcome());
            return;
        }
        persistence = asked;
        RequestBody next = request.newBody();
        body = next;
        timeline.enter(Phase.READ_BODY);
        waits.onBodyRead(clock.now());
        if (!next.isComplete()) {
            waits.awaitBody();
            if (request.endpoint().retained()) {
                request.sendContinue();
            }
        }
    }

    boolean wantsBody() {
        return body != null && !body.isComplete();
    }

    boolean bodyHasRoom() {
        return body == null || body.hasRoom();
    }

    /** Takes the body's bytes from {@code in}. */
    void onBody(ByteBuf in) throws BadMessageException {
        RequestBody reading = Objects.requireNonNull(body);
        waits.onBodyRead(clock.now());
        reading.read(in);
        if (reading.isComplete()) {
            Call running = call;
            if (running != null && running.connection() != null && response == null) {
                onRequestSent(running);
            }
        }
    }

    /** What has come from the client is used up for now: a request that can go on its way does. */
    void onInputUsed() {
        RequestBody ready = body;
        if (ready == null
                || timeline.phase() != Phase.READ_BODY
                || (request.endpoint().retained() && !ready.isComplete())) {
            return;
        }
        if (request.isMalformedJson()) {
            refuse(BadMessageException.badRequest("the request's body is not valid JSON"));
            return;
        }
        takeRoom(ready);
    }

    private void takeRoom(RequestBody ready) {
        Reply refusal = gate.bodyRefusal(ready, () -> takeRoom(ready));
        Refusal wrong = refusal == null && !gate.isAsking() ? request.examine(ready) : null;
        if (refusal != null) {
            answer(refusal, gate.outcome());
        } else if (wrong == null) {
            timeline.enter(Phase.QUEUE);
            if (!waits.awaitRoom(clock.now(), gate.delayNanos())) {
                dispatch();
            }
        } else {
            fail(wrong.status(), Side.CLIENT, wrong.message());
        }
    }

    /** Answers a request that breaks a rule; its connection ends. */
    void refuse(BadMessageException violation) {
        persistence = Persistence.CLOSED;
        int code = violation.status();
        Side side = code == 503 ? Side.PROXY : Side.CLIENT;
        String message = Objects.toString(violation.getMessage());
        if (isCommitted()) {
            // The response is on its way: all that can still be told is that it will not be whole.
            cut(call, Outcome.failed(status, timeline.phase(), side, message));
        } else {
            answer(OwnAnswers.error(code, request, message), Outcome.failed(code, timeline.phase(), side, message));
        }
    }

    // ------------------------------------------------------------------ finding a backend

    private void dispatch() {
        if (attempts.begin(request.needed())) {
            choose();
        } else {
            waits.awaitListings(clock.now());
            worker.listModels(this::choose);
        }
    }

    /** For one that waits for listings: when they have come, and when that takes too long. The second call is too late. */
    private void choose() {
        if (timeline.phase() != Phase.QUEUE) {
            return;
        }
        Slot slot = attempts.next();
        if (slot != null) {
            start(slot, false);
        } else if (attempts.isModelNowhere()) {
            answer(OwnAnswers.missingModel(request), Outcome.complete(404));
        } else {
            fail(503, Side.PROXY, attempts.noneLeft());
        }
    }

    void start(Slot slot, boolean fresh) {
        timeline.enter(Phase.CONNECT);
        ResponseSink sink = repeat != null && isCommitted() ? repeat : this;
        Call next = new Call(worker, slot, sink, request.isToHead());
        call = next;
        waits.awaitConnection(slot.backend(), clock.now());
        next.start(fresh);
    }

    @Override
    public void onConnected(UpstreamConnection connection) {
        timeline.enter(Phase.SEND);
        RequestBody sending = Objects.requireNonNull(body);
        waits.awaitAnswer(clock.now(), wantsBody());
        sending.send(request.headFor(connection.backend(), sending), connection);
        Call running = call;
        if (running != null && sending.isComplete()) {
            onRequestSent(running);
        }
        client.onBodyRoom();
    }

    private void onRequestSent(Call running) {
        running.onRequestComplete();
        waits.awaitAnswer(clock.now(), wantsBody());
        if (timeline.phase() == Phase.SEND) {
            timeline.enter(Phase.AWAIT_HEAD);
        }
    }

    @Override
    public void onFailure(CallFailure failure) {
        Call failed = Objects.requireNonNull(call);
        call = null;
        Backend backend = failed.backend();
        long now = clock.now();
        boolean stale = failed.wasReused() && !failed.isAnswered();
        Evidence.give(backend, failure, stale, now);
        if (isCommitted()) {
            if (repeat == null || !repeat.begin(failure)) {
                cut(failed, Outcome.failed(status, timeline.phase(), Side.UPSTREAM, failure.text()));
            }
            return;
        }
        // To one that is known to be gone meanwhile nobody needs another connection.
        boolean gone = stale && request.endpoint().replayable() && !backend.isUp(now) && attempts.isAnotherUp();
        Retry.Decision decision = Retry.decide(
                failure,
                request.endpoint().replayable(),
                request.isSafe(),
                stale && !gone && !attempts.isFreshTried(),
                body != null && body.isReplayable(),
                attempts.left());
        switch (decision) {
            case FRESH_CONNECTION -> {
                dropResponse();
                worker.context().metrics().onRetry("stale connection");
                start(attempts.again(backend), true);
            }
            case NEXT_BACKEND -> tryNext(failure.text());
            case GIVE_UP -> fail(attempts.status(failure), failure.side(), attempts.told(failure));
        }
    }

    private void tryNext(String reason) {
        dropResponse();
        worker.context().metrics().onRetry(reason);
        attempts.spend();
        timeline.enter(Phase.QUEUE);
        dispatch();
    }

    // ------------------------------------------------------------------ the response

    @Override
    public void onContinue() {
        if (response == null) {
            request.sendContinue();
        }
    }

    @Override
    public void onHead(MessageHead head, BodyFraming responseFraming) {
        timeline.enter(Phase.RELAY);
        status = head.status();
        RequestBody sent = Objects.requireNonNull(body);
        Call running = Objects.requireNonNull(call);
        if (!sent.isComplete()) {
            // Answered before the upload's end (a blob that is there already): the rest is not worth sending.
            sent.stop();
            persistence = Persistence.CLOSED;
        }
        if (worker.isDraining()) {
            persistence = Persistence.CLOSED;
        }
        // A coded body tells nothing of itself.
        boolean telling = request.endpoint().inference() && status == 200 && !head.has(Field.CONTENT_ENCODING);
        tail = telling ? client.scratch().tail() : null;
        if (status == 403 && responseFraming.isNone() && !request.isToHead()) {
            worker.warnOfRefusedHost(running.backend());
        }
        ending = BrokenStream.of(request.endpoint(), head);
        ResponseWriter writer = new ResponseWriter(worker, client, tail);
        response = writer;
        writer.begin(head, responseFraming, request.isToHead(), request.isHttp10(), persistence, this);
        if (repeat != null) {
            repeat.onFirstHead(status, ending, responseFraming, sent, writer);
        }
        boolean another = request.endpoint().replayable() && attempts.isAnotherUp();
        if (another && HoldBack.concerns(status)) {
            int limit = settings.config().buffers().holdBack();
            holdBack = new HoldBack(status, responseFraming.length(), limit, request.isCloud());
        } else {
            commit();
        }
        waits.awaitNextByte(clock.now());
        // Last: what is left of an unfinished upload may be malformed and end all this.
        client.onBodyRoom();
    }

    @Override
    public void onBody(ByteBuf wire, PayloadRanges payload) {
        ResponseWriter writer = Objects.requireNonNull(response);
        if (payload.count() > 0 && !timeline.hasFirstByte()) {
            timeline.onFirstByte(clock.now());
        }
        HoldBack holding = holdBack;
        if (holding == null) {
            writer.body(wire, payload);
            return;
        }
        RetryClass.Verdict verdict = holding.onPayload(wire, payload);
        writer.body(wire, payload);
        if (verdict != null) {
            judged(verdict);
        }
    }

    @Override
    public void onFraming(ByteBuf octets) {
        Objects.requireNonNull(response).framing(octets);
    }

    @Override
    public void onReframe() {
        Objects.requireNonNull(response).reframe();
    }

    @Override
    public void onReadComplete() {
        ResponseWriter writer = response;
        if (writer != null && writer.isCommitted()) {
            writer.passHead();
            client.flush();
        }
    }

    @Override
    public void onEnd(boolean terminated) {
        HoldBack holding = holdBack;
        if (holding != null && !judged(holding.judge())) {
            return;
        }
        ResponseWriter writer = Objects.requireNonNull(response);
        writer.end(terminated);
        Call done = Objects.requireNonNull(call);
        call = null;
        done.release();
        if (writer.endsWithConnection()) {
            persistence = Persistence.CLOSED;
        }
        finish(Outcome.complete(status));
    }

    /** Acts on the verdict over a response that was held back; whether it goes to the client. */
    private boolean judged(RetryClass.Verdict verdict) {
        Call judged = Objects.requireNonNull(call);
        boolean evidence =
                verdict == RetryClass.Verdict.NEXT_BACKEND || verdict == RetryClass.Verdict.NEXT_BACKEND_ONCE;
        if (evidence) {
            judged.backend().onFailure("answered " + status, clock.now());
        }
        if (!attempts.isWorthNext(verdict)) {
            commit();
            return true;
        }
        call = null;
        judged.release();
        tryNext(verdict == RetryClass.Verdict.BUSY ? "busy" : "answered " + status);
        return false;
    }

    private void commit() {
        holdBack = null;
        Objects.requireNonNull(response).commit();
        if (body != null && body.isComplete() && (repeat == null || !repeat.isOn())) {
            // Nothing can be sent again any more: an hour-long answer must not hold its prompt in memory.
            body.release();
        }
        pauseWhileClientIsSlow();
    }

    private boolean isCommitted() {
        return response != null && response.isCommitted();
    }

    private void dropResponse() {
        ResponseWriter dropped = response;
        response = null;
        holdBack = null;
        status = 0;
        timeline.forgetFirstByte();
        if (dropped != null) {
            dropped.discard();
        }
    }

    // ------------------------------------------------------------------ flow control

    void pauseWhileClientIsSlow() {
        if (!client.isWritable()) {
            onClientWritability(false);
        }
    }

    /** The client takes bytes again, or no longer: its backend is read or not. */
    void onClientWritability(boolean writable) {
        Call running = call;
        UpstreamConnection connection = running == null ? null : running.connection();
        if (connection != null && isCommitted() && timeline.phase() == Phase.RELAY) {
            connection.setReading(writable);
            if (writable && running != null) {
                // The time the client took is not the backend's.
                running.touch(clock.now());
            }
        }
    }

    @Override
    public void onUpstreamWritability() {
        if (bodyHasRoom()) {
            client.onBodyRoom();
        }
    }

    // ------------------------------------------------------------------ time

    /** A deadline has come: whichever limit it is, the phase tells. */
    void onDeadline(long now) {
        switch (waits.look(now, timeline.phase(), call, wantsBody())) {
            case NOTHING -> {}
            case BODY ->
                refuse(new BadMessageException(408, "no byte of the request's body in time (timeouts.request-body)"));
            case VERDICT -> fail(503, Side.PROXY, "credentials could not be checked in time");
            case ROOM -> {
                if (gate.isAsking()) {
                    fail(503, Side.PROXY, "its limits could not be checked in time");
                } else {
                    dispatch();
                }
            }
            case LISTINGS -> choose();
            case CONNECT -> Objects.requireNonNull(call).onConnectDeadline();
            case BACKEND_WRITE -> failCall(CallFailure.WRITE_TIMED_OUT);
            case FIRST_BYTE -> failCall(CallFailure.FIRST_BYTE_TIMED_OUT);
            case NEXT_BYTE -> failCall(CallFailure.IDLE_TIMED_OUT);
            case CLIENT_WRITE -> giveUpClient();
        }
    }

    private void giveUpClient() {
        Call running = Objects.requireNonNull(call);
        call = null;
        running.cancel();
        client.drop(); // what waits before an orderly end would never be taken
        finish(Outcome.failed(status, Phase.RELAY, Side.CLIENT, "client takes no bytes"));
    }

    void failCall(CallFailure failure) {
        Objects.requireNonNull(call).fail(failure);
    }

    /**
     * Probes found a backend down. One that only loads a model answers them, so whoever still waits there for an answer
     * waits for nothing: the request is taken back where it may be sent again. So is one for a model that was in memory,
     * at a backend that went silent, if another one is up.
     */
    void onBackendDown(Backend down, boolean wedged) {
        Call running = call;
        if (running != null
                && running.backend() == down
                && timeline.phase() != Phase.RELAY
                && request.endpoint().replayable()
                && (!wedged || (waits.isForLoadedModel() && attempts.isAnotherUp()))) {
            running.fail(wedged ? CallFailure.BACKEND_WEDGED : CallFailure.BACKEND_DOWN);
        }
    }

    void tell(Debts debts) {
        debts.add(timeline.phase(), call, waits);
    }

    // ------------------------------------------------------------------ the end

    /** The client has gone: its backend must stop at once. */
    void onClientGone() {
        int told = isCommitted() ? status : Outcome.CLIENT_CLOSED_REQUEST;
        finish(Outcome.failed(told, timeline.phase(), Side.CLIENT, "client closed the connection"));
    }

    /** The process ends the exchange; the connection is closed by the caller. */
    void onAborted(String cause) {
        persistence = Persistence.CLOSED;
        if (isCommitted()) {
            cut(call, Outcome.failed(status, timeline.phase(), Side.PROXY, cause));
        } else {
            fail(503, Side.PROXY, cause);
        }
    }

    private void fail(int code, Side side, String cause) {
        persistence = body != null && body.isComplete() ? persistence : Persistence.CLOSED;
        answer(OwnAnswers.error(code, request, cause), Outcome.failed(code, timeline.phase(), side, cause));
    }

    private void answer(Reply reply, Outcome outcome) {
        dropResponse();
        if (worker.isDraining()) {
            persistence = Persistence.CLOSED;
        }
        reply.writeTo(client, worker, this, request.isToHead(), persistence);
        finish(outcome);
    }

    /** Ends a response that cannot be completed, so that nobody takes it for a whole one. */
    private void cut(@Nullable Call broken, Outcome outcome) {
        ResponseWriter writer = Objects.requireNonNull(response);
        boolean open = broken != null && writer.isOpen(broken.isAtBoundary());
        boolean told = open && tail != null && ending.fitsBehind(tail);
        if (told) {
            writer.add(ending.error(request.endpoint(), outcome));
        }
        if (told && ending.isOrderly()) {
            writer.end(false);
            persistence = writer.endsWithConnection() ? Persistence.CLOSED : persistence;
        } else {
            writer.passHead();
            client.cut(writer.endsWithConnection());
        }
        finish(outcome);
    }

    @Override
    public void writeTo(HeadWriter writer) {
        request.writeTo(writer);
        gate.writeTo(writer);
        // An answer of our own names nobody: the backends that failed stand in its text and in the log.
        Backend last = attempts.last();
        if (last != null && response != null) {
            writer.raw(worker.lines(last).name());
        }
    }

    /** The only exit: releases everything, tells log and metrics, lets the connection go on. */
    private void finish(Outcome outcome) {
        if (timeline.phase() == Phase.DONE) {
            return;
        }
        timeline.enter(Phase.DONE);
        Call running = call;
        call = null;
        if (running != null) {
            running.cancel();
        }
        boolean unread = wantsBody()
                || (body == null && request.hasBody())
                || (persistence == Persistence.CLOSED && outcome.failedIn() != null);
        long requestBytes = body == null ? 0 : body.wireBytes();
        if (body != null) {
            body.release();
        }
        if (response != null) {
            response.release();
        }
        tell(outcome, requestBytes);
        client.flush();
        client.onExchangeDone(persistence != Persistence.CLOSED, unread);
    }

    private void tell(Outcome outcome, long requestBytes) {
        long responseBytes = client.bytesWritten() - timeline.bytesBefore();
        FinishedExchange record = FinishedExchange.of(
                request,
                gate,
                timeline,
                attempts,
                outcome,
                isCommitted(),
                tail,
                requestBytes,
                responseBytes,
                clock.now());
        worker.context().tell(record, request.auditedBody());
    }
}
