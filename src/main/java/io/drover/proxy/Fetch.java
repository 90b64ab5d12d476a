package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Slot;
import io.drover.http.BodyFraming;
import io.drover.http.MessageHead;
import io.drover.metrics.Outcome;
import io.drover.metrics.Phase;
import io.drover.metrics.Side;
import io.drover.ollama.RetryClass;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Gets an exchange's answer from a backend: where the request goes, whether it is tried again, which answer is the one to
 * send. What the client is told where there is none is the exchange's business.
 *
 * <p>Belongs to one exchange, used on its event loop.
 */
final class Fetch implements ResponseSink {
    private final Worker worker;
    private final LoopClock clock;
    private final ClientConnection client;
    private final Exchange exchange;
    private final Settings settings;
    private final ClientRequest request;
    private final Timeline timeline;
    private final Attempts attempts;
    private final Waits waits;
    private final @Nullable Repeat repeat;

    private @Nullable RequestBody body;
    private @Nullable Lookup lookup;
    private @Nullable Call call;
    private Relay relay;
    /** Whether the backend is not read because none of those who follow takes what came. */
    private boolean waiting;

    Fetch(
            Worker worker,
            ClientConnection client,
            Exchange exchange,
            Settings settings,
            ClientRequest request,
            Timeline timeline,
            Attempts attempts,
            Waits waits) {
        this.worker = worker;
        this.clock = worker.clock();
        this.client = client;
        this.exchange = exchange;
        this.settings = settings;
        this.request = request;
        this.timeline = timeline;
        this.attempts = attempts;
        this.waits = waits;
        this.relay = new Relay(worker, client, request);
        this.repeat = Repeat.of(worker, this, request, timeline, attempts, waits);
    }

    /** The try that runs; null: none. */
    @Nullable
    Call call() {
        return call;
    }

    /** The answer, which may come from elsewhere too. */
    Relay relay() {
        return relay;
    }

    // ------------------------------------------------------------------ finding a backend

    /**
     * Begins.
     *
     * @param sending the request's body
     * @param recording tells who else wants the answer; null: nobody can
     */
    void begin(RequestBody sending, @Nullable Lookup recording) {
        body = sending;
        lookup = recording;
        timeline.enterQueue();
        dispatch();
    }

    private void dispatch() {
        if (attempts.begin(request.needed())) {
            choose();
        } else {
            waits.awaitListings(clock.now());
            worker.listModels(this::choose);
        }
    }

    /** For one that waits for listings: when they have come, and when that takes too long. The second call is too late. */
    void choose() {
        if (timeline.phase() != Phase.QUEUE) {
            return;
        }
        Slot slot = attempts.next();
        if (slot != null) {
            start(slot, false);
        } else if (attempts.isModelNowhere()) {
            exchange.onModelNowhere();
        } else {
            exchange.fail(503, Side.PROXY, attempts.noneLeft());
        }
    }

    void start(Slot slot, boolean fresh) {
        timeline.enter(Phase.CONNECT);
        ResponseSink sink = repeat != null && relay.isCommitted() ? repeat : this;
        Call next = new Call(worker, slot, sink, request.isToHead());
        call = next;
        waits.awaitConnection(slot.backend(), clock.now());
        next.start(fresh);
    }

    @Override
    public void onConnected(UpstreamConnection connection) {
        timeline.enter(Phase.SEND);
        RequestBody sending = Objects.requireNonNull(body);
        waits.awaitAnswer(clock.now(), !sending.isComplete());
        sending.send(request.headFor(connection.backend(), sending), connection);
        Call running = call;
        if (running != null && sending.isComplete()) {
            onRequestSent(running);
        }
        client.onBodyRoom();
    }

    /** The last of the body was read from the client. */
    void onBodyComplete() {
        Call running = call;
        if (running != null && running.connection() != null && !relay.isOn()) {
            onRequestSent(running);
        }
    }

    private void onRequestSent(Call running) {
        running.onRequestComplete();
        waits.awaitAnswer(clock.now(), false);
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
        if (relay.isCommitted()) {
            if (repeat == null || !repeat.begin(failure)) {
                attempts.blameLast();
                String cause = failure.text();
                exchange.cut(failed, Outcome.failed(relay.status(), timeline.phase(), Side.UPSTREAM, cause));
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
            case GIVE_UP -> exchange.fail(attempts.status(failure), failure.side(), attempts.told(failure));
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
        if (!relay.isOn()) {
            request.sendContinue();
        }
    }

    @Override
    public void onHead(MessageHead head, BodyFraming framing) {
        timeline.enter(Phase.RELAY);
        RequestBody sent = Objects.requireNonNull(body);
        Call running = Objects.requireNonNull(call);
        if (!sent.isComplete()) {
            // Answered before the upload's end (a blob that is there already): the rest is not worth sending.
            sent.stop();
            exchange.endConnection();
        }
        if (head.status() == 403 && framing.isNone() && !request.isToHead()) {
            worker.warnOfRefusedHost(running.backend());
        }
        Flight recording = lookup == null ? null : lookup.onHead(head, framing);
        relay.begin(head, framing, exchange.persistence(), exchange, recording);
        if (repeat != null) {
            repeat.onFirstHead(head.status(), relay.ending(), framing, sent, relay.writer());
        }
        boolean another = request.endpoint().replayable() && attempts.isAnotherUp();
        if (lookup != null && lookup.wantsRest(head.status())) {
            relay.keepBack();
        } else if (!another
                || !relay.holdBack(framing, settings.config().buffers().holdBack())) {
            commit();
        }
        waits.awaitNextByte(clock.now());
        // Last: what is left of an unfinished upload may be malformed and end all this.
        client.onBodyRoom();
    }

    @Override
    public void onBody(ByteBuf wire, PayloadRanges payload) {
        if (payload.count() > 0 && !timeline.hasFirstByte()) {
            timeline.onFirstByte(clock.now());
        }
        RetryClass.Verdict verdict = relay.body(wire, payload);
        if (verdict != null) {
            judged(verdict);
        }
    }

    @Override
    public void onFraming(ByteBuf octets) {
        relay.writer().framing(octets);
    }

    @Override
    public void onReframe() {
        relay.writer().reframe();
    }

    @Override
    public void onReadComplete() {
        relay.flush();
        exchange.onPassedOn();
    }

    @Override
    public void onEnd(boolean terminated) {
        RetryClass.Verdict verdict = relay.judge();
        if (verdict != null && !judged(verdict)) {
            return;
        }
        Call done = Objects.requireNonNull(call);
        if (!relay.isKeptBack()) {
            relay.end(terminated);
        }
        call = null;
        done.release();
        exchange.onFetched(done.backend());
    }

    /** The same backend is asked again, for what it was not asked before. */
    void askAgain(Backend backend) {
        dropResponse();
        timeline.enter(Phase.QUEUE);
        start(attempts.again(backend), false);
    }

    /** Acts on the verdict over a response that was held back; whether it goes to the client. */
    private boolean judged(RetryClass.Verdict verdict) {
        Call judged = Objects.requireNonNull(call);
        int status = relay.status();
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
        relay.commit();
        if (body != null && body.isComplete() && (repeat == null || !repeat.isOn())) {
            // Nothing can be sent again any more: an hour-long answer must not hold its prompt in memory.
            body.release();
        }
        pauseWhileClientIsSlow();
    }

    /** Forgets an answer that the client has nothing of. */
    void dropResponse() {
        relay.drop();
        timeline.forgetFirstByte();
    }

    // ------------------------------------------------------------------ flow control

    void pauseWhileClientIsSlow() {
        if (!client.isWritable()) {
            exchange.onClientWritability(false);
        }
    }

    /** The client takes bytes again, or no longer: the backend is read or not. */
    void onClientWritability(boolean writable) {
        Call running = reading();
        if (running == null) {
            return;
        }
        UpstreamConnection connection = Objects.requireNonNull(running.connection());
        connection.setReading(writable);
        if (writable) {
            // The time the client took is not the backend's.
            running.touch(clock.now());
        }
    }

    /** The backend is read or not: whether those who follow take what came. */
    void awaitFollowers(boolean wait) {
        if (wait || waiting) {
            waiting = wait;
            onClientWritability(!wait);
        }
    }

    /** Silence of a backend that is not read is none. */
    void onLook(long now) {
        if (waiting && call != null) {
            call.touch(now);
        }
    }

    /**
     * Reads the backend at the pace of those who follow: what comes no longer goes to the client by itself.
     *
     * @param most bytes that may wait for the client where it cannot be left; beyond them the others wait for it
     * @return what the client has had; null where it cannot be left to another yet
     */
    @Nullable
    Relay handOver(long most) {
        Call running = reading();
        if (running == null) {
            return null;
        }
        Relay clients = relay;
        boolean separable = clients.writer().isSeparable(running.isAtBoundary());
        Objects.requireNonNull(running.connection()).setReading(separable || client.waiting() <= most);
        if (!separable) {
            return null;
        }
        relay = clients.split();
        return clients;
    }

    /** Somebody else wants the answer: the client may have to be served apart from it. */
    void prepareHandOver() {
        Call running = reading();
        if (running != null) {
            relay.writer().frameAnew(running.isAtBoundary());
        }
    }

    /** The try whose answer is being relayed, if there is one. */
    private @Nullable Call reading() {
        Call running = call;
        boolean on = running != null
                && running.connection() != null
                && relay.isCommitted()
                && timeline.phase() == Phase.RELAY;
        return on ? running : null;
    }

    @Override
    public void onUpstreamWritability() {
        if (body == null || body.hasRoom()) {
            client.onBodyRoom();
        }
    }

    // ------------------------------------------------------------------ its end

    void failCall(CallFailure failure) {
        Objects.requireNonNull(call).fail(failure);
    }

    void onConnectDeadline() {
        Objects.requireNonNull(call).onConnectDeadline();
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

    /** Ends the try that runs, if one does, and lets go of all memory. */
    void close() {
        Call running = call;
        call = null;
        if (running != null) {
            running.cancel();
        }
        relay.release();
    }
}
