package io.drover.proxy;

import io.drover.admission.Refusal;
import io.drover.backend.Backend;
import io.drover.cache.CachedAnswer;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.HeadWriter;
import io.drover.metrics.Outcome;
import io.drover.metrics.Phase;
import io.drover.metrics.Side;
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
final class Exchange implements HeadLines {
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

    // The response.
    private final Fetch fetch;
    private @Nullable Lookup lookup;
    /** What writes the response, where the call that runs does not. */
    private @Nullable Playback playback;
    /** Set once the client has left and others want the answer. */
    private @Nullable Outcome left;

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
        this.fetch = new Fetch(worker, client, this, settings, request, timeline, attempts, waits);
    }

    // ------------------------------------------------------------------ reading the request

    /** The head is complete: finds out who asks. */
    void onRequestHead() throws BadMessageException {
        timeline.enter(Phase.ADMIT);
        request.read();
        if (gate.open(() -> client.onIdentified(this))) {
            admit();
        } else {
            waits.awaitLimits(clock.now());
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
            fetch.onBodyComplete();
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
        Reply refusal = gate.bodyRefusal(ready);
        if (gate.isAsking()) {
            timeline.enterQueue();
            waits.awaitLimits(clock.now());
            gate.askAgain(() -> takeRoom(ready));
            return;
        }
        Refusal wrong = refusal == null ? request.examine(ready) : null;
        if (refusal != null) {
            answer(refusal, gate.outcome());
        } else if (wrong == null) {
            timeline.enterQueue();
            if (!waits.awaitRoom(clock.now(), gate.delayNanos())) {
                lookUp();
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
            cut(fetch.call(), Outcome.failed(relay().status(), timeline.phase(), side, message));
        } else {
            answer(OwnAnswers.error(code, request, message), Outcome.failed(code, timeline.phase(), side, message));
        }
    }

    // ------------------------------------------------------------------ the cache

    private void lookUp() {
        Caching caching = worker.context().caching();
        if (caching == null || !request.endpoint().cacheable() || !(body instanceof RetainedBody kept)) {
            fetch.begin(Objects.requireNonNull(body), null);
            return;
        }
        timeline.enter(Phase.LOOKUP);
        waits.awaitLookup(clock.now());
        Lookup asked = new Lookup(worker, client, this, request, caching);
        lookup = asked;
        asked.start(kept, gate.principal());
    }

    /** There is no answer in the cache: a backend is asked. */
    void onMiss() {
        fetch.begin(Objects.requireNonNull(body), lookup);
    }

    /** The answer to a part of the request does not do: the backend is asked for all of it. */
    void onRestUnfit(Backend backend) {
        fetch.askAgain(backend);
    }

    /** An answer was put together from what was kept and from what a backend said. */
    void onJoined(CachedAnswer answer) {
        relay().forget();
        replay(answer);
    }

    /** The client wants an answer of the cache or none (RFC 9111, 5.2.1.7). */
    void onNothingKept() {
        String cause = "the cache has no such answer (Cache-Control: only-if-cached)";
        answer(OwnAnswers.error(504, request, cause), Outcome.failed(504, Phase.LOOKUP, Side.CLIENT, cause));
    }

    /** Somebody else is getting the answer. */
    void follow(Following following) {
        playback = following;
    }

    /** The answer that this follows begins. */
    Relay beginFollowing(Flight.Head head) {
        timeline.enter(Phase.RELAY);
        BodyFraming framing = head.length() < 0 ? BodyFraming.CHUNKED : BodyFraming.ofLength(head.length());
        return beginOwn(head.status(), head.contentType(), framing);
    }

    /** The answer that this followed need not be computed. */
    void onKept(CachedAnswer answer) {
        dropPlayback();
        Objects.requireNonNull(lookup).onKept(answer);
    }

    /** The answer is there. */
    void replay(CachedAnswer answer) {
        dropPlayback();
        if (left != null) {
            finish(left);
            return;
        }
        timeline.enter(Phase.RELAY);
        Replay replay = new Replay(worker, client, this, relay(), answer);
        playback = replay;
        beginOwn(200, answer.contentType(), replay.framing());
        replay.write();
    }

    private Relay beginOwn(int status, String contentType, BodyFraming framing) {
        Relay own = relay();
        own.beginOwn(status, contentType, framing, persistence(), this);
        persistence = own.endsWithConnection() ? Persistence.CLOSED : persistence;
        if (body != null) {
            // No backend will be asked any more.
            body.release();
        }
        waits.awaitNextByte(clock.now());
        return own;
    }

    /** All of an answer was written that no call of this exchange brings. */
    void onPlayed(Relay played) {
        persistence = played.endsWithConnection() ? Persistence.CLOSED : persistence;
        finish(Outcome.complete(played.status()));
    }

    /** It cannot be completed. */
    void onPlaybackBroken(Relay told, Outcome outcome) {
        boolean orderly = told.breakOff(true, outcome);
        if (fetch.call() != null && goesOnWithoutClient(outcome)) {
            // It is the leader's own client that was too slow, and not those who follow.
            client.flush();
            client.closeNow();
            return;
        }
        if (orderly) {
            persistence = told.endsWithConnection() ? Persistence.CLOSED : persistence;
        } else {
            client.cut(told.endsWithConnection());
        }
        finish(outcome);
    }

    /** Whoever was to get the answer has failed to. */
    void onFlightFailed(Outcome outcome) {
        dropPlayback();
        Side side = Objects.requireNonNullElse(outcome.side(), Side.PROXY);
        fail(outcome.status(), side, Objects.requireNonNullElse(outcome.cause(), ""));
    }

    /** Whoever was to get the answer does not: this request goes on by itself. */
    void onFlightDissolved() {
        dropPlayback();
        Objects.requireNonNull(lookup).onAlone();
    }

    /** A backend's answer has ended, and was passed on. */
    void onFetched(Backend backend) {
        Relay fetched = relay();
        if (lookup != null && fetched.isKeptBack()) {
            lookup.onRest(backend);
            return;
        }
        if (lookup != null) {
            lookup.onWhole(fetched.status(), backend);
        }
        if (playback == null) {
            onPlayed(fetched);
        }
    }

    void onModelNowhere() {
        answer(OwnAnswers.missingModel(request), Outcome.complete(404));
    }

    /** Whether the client's connection lives on behind the response that begins now. */
    Persistence persistence() {
        if (worker.isDraining()) {
            persistence = Persistence.CLOSED;
        }
        return persistence;
    }

    /** The connection ends behind the response. */
    void endConnection() {
        persistence = Persistence.CLOSED;
    }

    private Relay relay() {
        return fetch.relay();
    }

    private boolean isCommitted() {
        return relay().isCommitted();
    }

    private void dropPlayback() {
        Playback dropped = playback;
        playback = null;
        if (dropped != null) {
            dropped.close();
        }
    }

    // ------------------------------------------------------------------ flow control

    /** The client takes bytes again, or no longer: its backend is read or not, unless others want what comes. */
    void onClientWritability(boolean writable) {
        if (left != null) {
            return;
        }
        if (playback != null) {
            if (writable) {
                playback.write();
            }
        } else if (writable || lookup == null || !lookup.isFollowed()) {
            fetch.onClientWritability(writable);
        }
        // Else it is left behind, but not from here: this may be amid a write to it.
    }

    /**
     * Those who follow have, or soon will have, all that has come: it goes on at their pace. This client reads as one of
     * them from now on if it is slow.
     */
    void onPassedOn() {
        Flight followed = lookup == null ? null : lookup.followed();
        if (followed == null) {
            return;
        }
        if (playback == null) {
            fetch.prepareHandOver();
        }
        if (playback == null && left == null && !client.isWritable()) {
            Relay had = fetch.handOver(followed.maxBehind());
            playback = had == null ? null : Following.behind(worker, client, this, followed, had);
        }
        fetch.awaitFollowers(followed.mustWait());
    }

    /** Nobody follows it any longer. */
    void onDeserted() {
        if (left == null) {
            fetch.pauseWhileClientIsSlow();
        } else if (lookup != null && lookup.isLonely()) {
            finish(left);
        }
    }

    // ------------------------------------------------------------------ time

    /** A deadline has come: whichever limit it is, the phase tells. */
    void onDeadline(long now) {
        fetch.onLook(now);
        switch (waits.look(now, timeline.phase(), fetch.call(), wantsBody(), playback != null)) {
            case NOTHING -> {}
            case BODY ->
                refuse(new BadMessageException(408, "no byte of the request's body in time (timeouts.request-body)"));
            case LIMITS -> fail(503, Side.PROXY, "credentials or limits could not be checked in time");
            case ROOM -> lookUp();
            case LISTINGS -> fetch.choose();
            case CONNECT -> fetch.onConnectDeadline();
            case BACKEND_WRITE -> fetch.failCall(CallFailure.WRITE_TIMED_OUT);
            case FIRST_BYTE -> fetch.failCall(CallFailure.FIRST_BYTE_TIMED_OUT);
            case NEXT_BYTE -> fetch.failCall(CallFailure.IDLE_TIMED_OUT);
            case CLIENT_WRITE -> giveUpClient();
        }
    }

    private void giveUpClient() {
        Outcome stalled = Outcome.failed(relay().status(), Phase.RELAY, Side.CLIENT, "client takes no bytes");
        if (goesOnWithoutClient(stalled)) {
            client.closeNow();
            return;
        }
        client.drop(); // what waits before an orderly end would never be taken
        finish(stalled);
    }

    void onBackendDown(Backend down, boolean wedged) {
        fetch.onBackendDown(down, wedged);
    }

    void tell(Debts debts) {
        debts.add(timeline.phase(), fetch.call(), waits);
    }

    // ------------------------------------------------------------------ the end

    /**
     * The client has gone: its backend must stop at once, unless others want the answer.
     *
     * @return whether the exchange goes on for them
     */
    boolean onClientGone() {
        int told = isCommitted() ? relay().status() : Outcome.CLIENT_CLOSED_REQUEST;
        Outcome gone = Outcome.failed(told, timeline.phase(), Side.CLIENT, "client closed the connection");
        boolean wanted = goesOnWithoutClient(gone);
        if (!wanted) {
            finish(gone);
        }
        return wanted;
    }

    /** Goes on for others who want the answer, if there are any; this one's client gets no more of it. */
    private boolean goesOnWithoutClient(Outcome why) {
        if (left != null) {
            return true;
        }
        dropPlayback();
        boolean wanted = lookup != null && lookup.goesOnWithoutClient();
        if (wanted) {
            left = why;
            persistence = Persistence.CLOSED;
            fetch.onClientWritability(true);
            onPassedOn();
        }
        return wanted;
    }

    /** The process ends the exchange; the connection is closed by the caller. */
    void onAborted(String cause) {
        persistence = Persistence.CLOSED;
        if (!isCommitted()) {
            answer(OwnAnswers.error(503, request, cause), Outcome.failed(503, timeline.phase(), Side.PROXY, cause));
            return;
        }
        Outcome outcome = Outcome.failed(relay().status(), timeline.phase(), Side.PROXY, cause);
        if (!worker.isDraining() && goesOnWithoutClient(outcome)) {
            return; // It is this client that is too much, and not those who follow.
        }
        if (playback == null) {
            cut(fetch.call(), outcome);
        } else {
            playback.breakOff(outcome);
        }
    }

    /** There is no answer: the client gets an older one where there is one to stand in, else it is told. */
    void fail(int code, Side side, String cause) {
        persistence = body != null && body.isComplete() ? persistence : Persistence.CLOSED;
        CachedAnswer stale = lookup == null ? null : lookup.standIn(code);
        if (stale != null) {
            fetch.dropResponse();
            replay(stale);
            return;
        }
        answer(OwnAnswers.error(code, request, cause), Outcome.failed(code, timeline.phase(), side, cause));
    }

    private void answer(Reply reply, Outcome outcome) {
        fetch.dropResponse();
        reply.writeTo(client, worker, this, request.isToHead(), persistence());
        finish(outcome);
    }

    /** Ends a response that cannot be completed, so that nobody takes it for a whole one. */
    void cut(@Nullable Call broken, Outcome outcome) {
        if (playback != null || left != null) {
            // Whoever reads on is told, this client too.
            Objects.requireNonNull(lookup).onBroken(outcome);
            if (left != null) {
                finish(left);
            }
            return;
        }
        Relay relay = relay();
        if (relay.breakOff(broken != null && broken.isAtBoundary(), outcome)) {
            persistence = relay.endsWithConnection() ? Persistence.CLOSED : persistence;
        } else {
            client.cut(relay.endsWithConnection());
        }
        finish(outcome);
    }

    @Override
    public void writeTo(HeadWriter writer) {
        request.writeTo(writer);
        gate.writeTo(writer);
        // An answer of our own names nobody: the backends that failed stand in its text and in the log.
        Backend last = attempts.last();
        if (last != null && fetch.call() != null) {
            writer.raw(worker.lines(last).name());
        }
        if (lookup != null) {
            lookup.note().writeTo(writer);
        }
    }

    @Override
    public boolean isCacheTold() {
        return lookup != null;
    }

    /** The only exit: releases everything, tells log and metrics, lets the connection go on. */
    private void finish(Outcome outcome) {
        if (timeline.phase() == Phase.DONE) {
            return;
        }
        timeline.enter(Phase.DONE);
        fetch.close();
        dropPlayback();
        boolean unread = wantsBody()
                || (body == null && request.hasBody())
                || (persistence == Persistence.CLOSED && outcome.failedIn() != null);
        long requestBytes = body == null ? 0 : body.wireBytes();
        if (body != null) {
            body.release();
        }
        if (lookup != null) {
            lookup.close(outcome, isCommitted());
        }
        tell(left == null ? outcome : left, requestBytes);
        client.flush();
        client.onExchangeDone(persistence != Persistence.CLOSED, unread);
    }

    private void tell(Outcome outcome, long requestBytes) {
        long responseBytes = client.bytesWritten() - timeline.bytesBefore();
        // What was computed before, or for somebody else, is counted there.
        boolean served = lookup != null && lookup.note().isServed();
        FinishedExchange record = FinishedExchange.of(
                request,
                gate,
                timeline,
                attempts,
                outcome,
                isCommitted() && !served,
                served ? null : relay().tail(),
                lookup,
                requestBytes,
                responseBytes,
                clock.now());
        worker.context().tell(record, request.auditedBody());
    }
}
