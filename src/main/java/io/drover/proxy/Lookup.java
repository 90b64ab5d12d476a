package io.drover.proxy;

import io.drover.admission.Principal;
import io.drover.backend.Backend;
import io.drover.backend.HerdModel;
import io.drover.cache.Asked;
import io.drover.cache.Bypass;
import io.drover.cache.CacheKey;
import io.drover.cache.CachedAnswer;
import io.drover.cache.EmbedLookup;
import io.drover.cache.EmbedQuestion;
import io.drover.cache.Question;
import io.drover.cache.Reading;
import io.drover.config.CacheConfig;
import io.drover.http.BodyFraming;
import io.drover.http.MessageHead;
import io.drover.metrics.Outcome;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What one exchange has to do with the cache: whether its answer is there, or on its way for somebody else, and whether
 * the one that it gets is kept. Nothing of it makes a request wait longer than {@code cache.lookup-budget}, unless there
 * is an answer to wait for.
 *
 * <p>Belongs to one exchange, used on its event loop.
 */
final class Lookup implements Flight.Leader {
    /** Bodies up to this size are read on the event loop, in less than a millisecond. */
    private static final int SMALL_BODY = 64 * 1024;

    private enum Step {
        READING,
        ASKING_REDIS,
        AWAITING_REPLICA,
        AWAITING_SIMILAR,
        /** It is known where the answer comes from. */
        DECIDED,
        OVER
    }

    private final Worker worker;
    private final ClientConnection client;
    private final Exchange exchange;
    private final ClientRequest request;
    private final Caching caching;

    private CacheControl control = CacheControl.ANY;
    private Step step = Step.READING;
    private CacheNote note = CacheNote.BYPASS;
    private @Nullable HerdModel herd;
    private String model = "";
    private @Nullable Question question;
    private @Nullable EmbedInputs inputs;
    private long generation;
    private @Nullable Recorder recorder;
    private @Nullable SemanticLookup semantic;
    private boolean keeping;
    private @Nullable CachedAnswer expired;
    private @Nullable ReplicaTurn turn;
    private @Nullable ScheduledFuture<?> timer;

    Lookup(Worker worker, ClientConnection client, Exchange exchange, ClientRequest request, Caching caching) {
        this.worker = worker;
        this.client = client;
        this.exchange = exchange;
        this.request = request;
        this.caching = caching;
    }

    // ------------------------------------------------------------------ what is asked

    /** Begins; the exchange hears what came of it, possibly before this returns. */
    void start(RetainedBody body, @Nullable Principal principal) {
        control = CacheControl.of(request.head());
        Bypass reason = rule(body, principal);
        if (reason != null) {
            bypass(reason);
            return;
        }
        HerdModel asked = Objects.requireNonNull(herd);
        String tenant = caching.config().perTenant() && principal != null ? principal.name() : "";
        Asked whom = new Asked(asked.digest(), asked.version(), tenant);
        semantic = SemanticLookup.of(worker, this, request, caching, body, whom);
        if (body.size() <= SMALL_BODY) {
            BodyReading small = new BodyReading(request.endpoint(), whom, body::open);
            small.read();
            onRead(small, body);
        } else {
            readAside(body, whom);
        }
    }

    /** What keeps a request from being looked up, whatever its body says. */
    private @Nullable Bypass rule(RetainedBody body, @Nullable Principal principal) {
        Bypass reason = control.noStore() ? Bypass.CLIENT : caching.rule(request, body.size(), principal);
        if (reason != null) {
            return reason;
        }
        model = Objects.requireNonNull(request.modelName()).key();
        HerdModel asked = worker.context().cluster().model(model, worker.clock().now());
        herd = asked;
        return switch (asked.accord()) {
            case AGREED -> null;
            case DIFFERENT -> Bypass.DIGESTS_DIFFER;
            case UNKNOWN -> Bypass.NO_DIGEST;
        };
    }

    private void readAside(RetainedBody body, Asked whom) {
        BodyReading copy = new BodyReading(request.endpoint(), whom, body::openAside);
        boolean begun = caching.aside(worker, copy::read, () -> {
            if (step != Step.OVER) {
                onRead(copy, body);
            }
        });
        if (!begun) {
            copy.close();
            bypass(Bypass.TOO_LARGE);
        }
    }

    private void onRead(BodyReading read, RetainedBody body) {
        Reading reading = read.reading();
        EmbedQuestion single = read.inputs();
        if (single != null) {
            EmbedLookup each = new EmbedLookup(
                    caching.cache(), single, model, found -> isRecent(found, System.currentTimeMillis()));
            inputs = new EmbedInputs(worker, caching, each, body);
        }
        if (reading instanceof Bypass reason) {
            bypass(reason);
            return;
        }
        Question asked = (Question) reading;
        if (!asked.deterministic() && caching.config().when() == CacheConfig.When.DETERMINISTIC) {
            bypass(Bypass.NOT_DETERMINISTIC);
            return;
        }
        question = asked;
        note = CacheNote.MISS;
        CacheKey own = key();
        generation = caching.cache().generation(own == null ? asked.key() : own, model);
        CachedAnswer kept = control.noCache() ? null : caching.cache().inMemory(asked.key(), asked.form(), model);
        if (isHit(kept, true)) {
            return;
        }
        if (control.noCache() || !request.endpoint().generates()) {
            join(asked);
            return;
        }
        CompletableFuture<@Nullable CachedAnswer> told =
                caching.cache().inAnotherForm(asked.key(), asked.form(), model).toCompletableFuture();
        if (told.isDone()) {
            onTold(asked, told.join());
        } else {
            told.thenAccept(answer -> onLoop(() -> onTold(asked, answer)));
        }
    }

    private void onTold(Question asked, @Nullable CachedAnswer inThisForm) {
        if (!isHit(inThisForm, true)) {
            join(asked);
        }
    }

    private void bypass(Bypass reason) {
        step = Step.DECIDED;
        note = CacheNote.BYPASS;
        caching.metrics().onBypass(reason.label());
        if (control.onlyIfCached()) {
            exchange.onNothingKept();
        } else {
            exchange.onMiss();
        }
    }

    // ------------------------------------------------------------------ where the answer is

    /** Serves what was found if it may be served, and keeps it in mind if it may stand in later. */
    private boolean isHit(@Nullable CachedAnswer found, boolean inMemory) {
        if (found == null) {
            return false;
        }
        long now = worker.clock().wallMillis();
        if (!isRecent(found, now)) {
            CachedAnswer before = expired;
            boolean newer = before == null
                    || before.origin().atMillis() < found.origin().atMillis();
            expired = newer && !isTooOld(found, now) ? found : before;
            return false;
        }
        if (inMemory) {
            caching.metrics().onMemoryHit();
        } else {
            caching.metrics().onRedisHit();
        }
        stopTimer();
        step = Step.DECIDED;
        tellFollowers(new Flight.End(Flight.End.Kind.KEPT, null, found));
        serve(found, CacheStatus.HIT);
        return true;
    }

    /** Whether it may be served as if it were new. On any thread. */
    boolean isRecent(CachedAnswer found, long wallMillis) {
        return caching.cache().isFresh(found, wallMillis) && !isTooOld(found, wallMillis);
    }

    /** Whether the client does not want it, however fresh it is. */
    private boolean isTooOld(CachedAnswer found, long wallMillis) {
        return found.ageSeconds(wallMillis) > control.maxAgeSeconds();
    }

    private void serve(CachedAnswer answer, CacheStatus as) {
        note = CacheNote.of(as, answer, worker.clock().wallMillis());
        exchange.replay(answer);
    }

    /** What another exchange of this replica found for all: it may have expired, and stands in then. */
    void onKept(CachedAnswer answer) {
        long now = worker.clock().wallMillis();
        if (isTooOld(answer, now)) {
            onAlone();
            return;
        }
        boolean fresh = caching.cache().isFresh(answer, now);
        if (!fresh) {
            caching.metrics().onStale();
        }
        serve(answer, fresh ? CacheStatus.HIT : CacheStatus.STALE);
    }

    private void join(Question asked) {
        if (control.onlyIfCached()) {
            askRedis(asked);
            return;
        }
        boolean shared = caching.config().coalesce() && !control.noCache() && control.maxAgeSeconds() > 0;
        Flight mine = new Flight(
                caching.flights(), shared ? new Flights.Key(asked.key(), asked.form(), generation) : null, this);
        Flight running = shared ? caching.flights().lead(mine) : null;
        if (running != null && follow(running)) {
            return;
        }
        // Where it is too late to join that one, and too early to lead another, this one is nobody else's.
        recorder = new Recorder(
                worker,
                caching,
                request.endpoint(),
                asked,
                model,
                Objects.requireNonNull(herd),
                generation,
                running == null ? mine : new Flight(caching.flights(), null, this),
                inputs != null && inputs.isKeptEach() ? inputs : null);
        if (control.noCache()) {
            miss();
            // One that ended since the look into memory is there now.
        } else if (!shared || !isHit(caching.cache().inMemory(asked.key(), asked.form(), model), true)) {
            askRedis(asked);
        }
    }

    private boolean follow(Flight running) {
        Following following = new Following(worker, client, exchange, running);
        if (!following.join()) {
            return false;
        }
        step = Step.DECIDED;
        note = CacheNote.COALESCED;
        caching.metrics().onCoalesced();
        exchange.follow(following);
        return true;
    }

    private void askRedis(Question asked) {
        EmbedInputs each = inputs;
        if (each != null && step == Step.READING) {
            step = Step.ASKING_REDIS;
            each.find(() -> onInputs(asked, each));
            return;
        }
        CompletableFuture<@Nullable CachedAnswer> found =
                caching.cache().inRedis(asked.key(), asked.form(), model).toCompletableFuture();
        step = Step.ASKING_REDIS;
        if (found.isDone()) {
            onRedis(found.join());
            return;
        }
        timer = worker.loop()
                .schedule(
                        () -> onLoop(this::onBudgetUsed),
                        caching.config().lookupBudget().toNanos(),
                        TimeUnit.NANOSECONDS);
        found.thenAccept(answer -> onLoop(() -> onRedis(answer)));
    }

    private void onInputs(Question asked, EmbedInputs found) {
        if (step != Step.ASKING_REDIS) {
            return;
        }
        if (found.isComplete()) {
            found.join(null, generation, joined -> onAllInputs(asked, found, joined));
        } else {
            onAllInputs(asked, found, null);
        }
    }

    private void onAllInputs(Question asked, EmbedInputs found, @Nullable CachedAnswer joined) {
        if (step != Step.ASKING_REDIS || isHit(joined, true)) {
            return;
        }
        if (found.isKeptEach()) {
            onNotFound();
        } else {
            askRedis(asked);
        }
    }

    private void onBudgetUsed() {
        if (step == Step.ASKING_REDIS) {
            miss();
        }
    }

    private void onRedis(@Nullable CachedAnswer answer) {
        if (step == Step.ASKING_REDIS && !isHit(answer, false)) {
            onNotFound();
        }
    }

    private void onNotFound() {
        // Inputs are kept one by one, and what another replica computes is not found by the key of all of them.
        boolean byInput = inputs != null && inputs.isKeptEach();
        if (control.onlyIfCached()
                || byInput
                || caching.config().lease().isZero()
                || !caching.config().coalesce()) {
            miss();
        } else {
            stopTimer();
            step = Step.AWAITING_REPLICA;
            ReplicaTurn mine = new ReplicaTurn(
                    worker, caching, Objects.requireNonNull(question), model, found -> isHit(found, false), this::miss);
            turn = mine;
            mine.begin();
        }
    }

    /** Nobody else gets the answer for this one: a backend is asked. */
    void onAlone() {
        note = CacheNote.MISS;
        miss();
    }

    /** There is no answer that could be served, or none in time: something similar may do, else a backend is asked. */
    private void miss() {
        stopTimer();
        if (control.onlyIfCached()) {
            step = Step.DECIDED;
            exchange.onNothingKept();
            return;
        }
        step = Step.AWAITING_SIMILAR;
        if (semantic == null || control.noCache() || !semantic.begin(Objects.requireNonNull(question), model)) {
            onSimilar(null);
        }
    }

    /** @param found the answer to a similar question; null: there is none */
    void onSimilar(@Nullable CachedAnswer found) {
        if (step != Step.AWAITING_SIMILAR) {
            return;
        }
        step = Step.DECIDED;
        if (found == null) {
            caching.metrics().onMiss();
            if (inputs != null && inputs.isKeptEach() && !control.noCache()) {
                inputs.askForRest();
            }
            exchange.onMiss();
        } else {
            stopTimer();
            letOthers();
            caching.metrics().onSemanticHit();
            tellFollowers(new Flight.End(Flight.End.Kind.KEPT, null, found));
            serve(found, CacheStatus.HIT);
        }
    }

    // ------------------------------------------------------------------ the answer that a backend gives

    /** As {@link Recorder#onHead}. */
    @Nullable
    Flight onHead(MessageHead head, BodyFraming framing) {
        return recorder == null ? null : recorder.onHead(head, framing);
    }

    /** Whether an answer with this status is one to a part of the request only, for another to be made of it. */
    boolean wantsRest(int code) {
        return code == 200 && inputs != null && inputs.isPartial();
    }

    /** The answer to a part of the request has ended, and went to nobody. */
    void onRest(Backend backend) {
        Recorder recording = Objects.requireNonNull(recorder);
        EmbedInputs asked = Objects.requireNonNull(inputs);
        byte[] rest = recording.onRest(backend);
        if (rest == null) {
            onRestJoined(null, backend);
            return;
        }
        asked.join(rest, generation, joined -> {
            if (joined != null) {
                recording.keepRest(rest);
            }
            onRestJoined(joined, backend);
        });
    }

    private void onRestJoined(@Nullable CachedAnswer joined, Backend backend) {
        if (step == Step.OVER) {
            return;
        }
        if (joined == null) {
            Objects.requireNonNull(inputs).askForAll();
            exchange.onRestUnfit(backend);
        } else {
            tellFollowers(new Flight.End(Flight.End.Kind.KEPT, null, joined));
            exchange.onJoined(joined);
        }
    }

    /** The answer has ended, and is on its way to the client. */
    void onWhole(int code, Backend backend) {
        if (recorder != null) {
            keeping = true;
            recorder.onWhole(code, backend, this::onRecorded);
        }
    }

    private void onRecorded() {
        keeping = false;
        if (semantic != null) {
            semantic.onRecorded();
        }
        if (step == Step.OVER) {
            letOthers();
        }
    }

    /** What stands in for an answer that no backend could give; null: nothing. */
    @Nullable
    CachedAnswer standIn(int code) {
        CachedAnswer old = expired;
        long now = worker.clock().wallMillis();
        boolean nobody = code == 502 || code == 503 || code == 504;
        if (old == null || !nobody || !caching.cache().isUsableStale(old, now)) {
            return null;
        }
        caching.metrics().onStale();
        note = CacheNote.of(CacheStatus.STALE, old, now);
        tellFollowers(new Flight.End(Flight.End.Kind.KEPT, null, old));
        return old;
    }

    /** The answer has broken off; whoever reads it is told. */
    void onBroken(Outcome outcome) {
        tellFollowers(new Flight.End(Flight.End.Kind.BROKEN, outcome, null));
    }

    // ------------------------------------------------------------------ those who follow

    /** The client has gone; whether others want the answer that this exchange gets. */
    boolean goesOnWithoutClient() {
        return recorder != null && recorder.flight().goesOnWithoutLeader();
    }

    boolean isFollowed() {
        return followed() != null;
    }

    /** The answer that others follow; null: they do not. */
    @Nullable
    Flight followed() {
        return recorder != null && recorder.flight().isFollowed() ? recorder.flight() : null;
    }

    /** Whether nobody follows, and nobody will. */
    boolean isLonely() {
        return recorder == null || recorder.flight().closeIfDeserted();
    }

    @Override
    public void onFollowed() {
        onLoop(exchange::onPassedOn);
    }

    @Override
    public void onDeserted() {
        onLoop(exchange::onDeserted);
    }

    @Override
    public void onTaken() {
        onLoop(exchange::onPassedOn);
    }

    private void tellFollowers(Flight.End end) {
        if (recorder != null) {
            recorder.end(end);
        }
    }

    // ------------------------------------------------------------------ its end

    /** The cache's part in the answer. */
    CacheNote note() {
        return note;
    }

    /** What the answer is kept by; null where it was not looked up, or each of several inputs has its own. */
    @Nullable
    CacheKey key() {
        if (question == null) {
            return null;
        }
        return inputs != null && inputs.isKeptEach() ? inputs.onlyKey() : question.key();
    }

    /**
     * The exchange is over.
     *
     * @param committed whether any of an answer had gone out
     */
    void close(Outcome outcome, boolean committed) {
        step = Step.OVER;
        stopTimer();
        if (semantic != null) {
            semantic.close(outcome.failedIn() == null);
        }
        if (!keeping) {
            letOthers();
            boolean none = !committed && outcome.failedIn() != null && outcome.status() >= 500;
            Flight.End.Kind kind =
                    committed ? Flight.End.Kind.BROKEN : none ? Flight.End.Kind.FAILED : Flight.End.Kind.DISSOLVED;
            tellFollowers(new Flight.End(kind, outcome, null));
        }
    }

    /** Other replicas need not wait any longer. */
    private void letOthers() {
        if (turn != null) {
            turn.end();
        }
    }

    private void stopTimer() {
        ScheduledFuture<?> running = timer;
        timer = null;
        if (running != null) {
            running.cancel(false);
        }
    }

    /** As a task of its own: of what fails in a future nobody would hear. */
    private void onLoop(Runnable task) {
        worker.loop().execute(() -> {
            worker.clock().read();
            if (step != Step.OVER) {
                task.run();
            }
        });
    }
}
