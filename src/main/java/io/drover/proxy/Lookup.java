package io.drover.proxy;

import io.drover.admission.Principal;
import io.drover.backend.Backend;
import io.drover.backend.HerdModel;
import io.drover.cache.Asked;
import io.drover.cache.Bypass;
import io.drover.cache.CachedAnswer;
import io.drover.cache.Lease;
import io.drover.cache.Question;
import io.drover.cache.QuestionReader;
import io.drover.cache.Reading;
import io.drover.config.CacheConfig;
import io.drover.http.BodyFraming;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.metrics.Outcome;
import io.drover.ollama.ModelName;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
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

    /** Between two looks for the answer that another replica computes. */
    private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final byte[] AGE = HeadWriter.ascii("Age: ");

    private enum Step {
        READING,
        ASKING_REDIS,
        AWAITING_REPLICA,
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
    private CacheStatus status = CacheStatus.BYPASS;
    private @Nullable HerdModel herd;
    private String model = "";
    private @Nullable Question question;
    private long generation;
    private @Nullable Recorder recorder;
    private boolean keeping;
    private @Nullable CachedAnswer expired;
    private @Nullable Lease lease;
    private long leaseEndNanos;
    private @Nullable ScheduledFuture<?> timer;
    private long ageSeconds = -1;

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
        if (body.size() <= SMALL_BODY) {
            onRead(read(body.open(), whom));
        } else {
            readAside(body, whom);
        }
    }

    /** What keeps a request from being looked up, whatever its body says. */
    private @Nullable Bypass rule(RetainedBody body, @Nullable Principal principal) {
        ModelName name = request.modelName();
        if (control.noStore()) {
            return Bypass.CLIENT;
        } else if (request.head().has(Field.CONTENT_ENCODING)) {
            return Bypass.CODED;
        } else if (name == null) {
            return Bypass.UNPARSABLE;
        } else if (name.isCloud()) {
            return Bypass.CLOUD;
        } else if (caching.isExcludedModel(name.requested())
                || (principal != null && caching.isExcludedKey(principal.name()))) {
            return Bypass.EXCLUDED;
        } else if (body.size() > caching.config().maxRequest()) {
            return Bypass.TOO_LARGE;
        }
        model = name.key();
        HerdModel asked = worker.context().cluster().model(model, worker.clock().now());
        herd = asked;
        return switch (asked.accord()) {
            case AGREED -> null;
            case DIFFERENT -> Bypass.DIGESTS_DIFFER;
            case UNKNOWN -> Bypass.NO_DIGEST;
        };
    }

    private Reading read(InputStream body, Asked whom) {
        try (body) {
            return QuestionReader.read(request.endpoint(), body, whom);
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    private void readAside(RetainedBody body, Asked whom) {
        InputStream copy = body.openAside();
        try {
            caching.aside().execute(() -> {
                Reading reading = read(copy, whom);
                onLoop(() -> onRead(reading));
            });
        } catch (RejectedExecutionException busy) {
            close(copy);
            bypass(Bypass.TOO_LARGE);
        }
    }

    private static void close(InputStream unread) {
        try (unread) {
            // It holds buffers.
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    private void onRead(Reading reading) {
        if (step != Step.READING) {
            return;
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
        status = CacheStatus.MISS;
        generation = caching.cache().generation(asked.key(), model);
        CachedAnswer kept = control.noCache() ? null : caching.cache().inMemory(asked.key(), asked.form(), model);
        if (!isHit(kept, true)) {
            join(asked);
        }
    }

    private void bypass(Bypass reason) {
        step = Step.DECIDED;
        status = CacheStatus.BYPASS;
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
        if (!caching.cache().isFresh(found, now) || ageSeconds(found, now) > control.maxAgeSeconds()) {
            expired = newer(expired, found);
            return false;
        }
        if (inMemory) {
            caching.metrics().onMemoryHit();
        } else {
            caching.metrics().onRedisHit();
        }
        step = Step.DECIDED;
        tellFollowers(new Flight.End(Flight.End.Kind.KEPT, null, found));
        serve(found, CacheStatus.HIT);
        return true;
    }

    private static CachedAnswer newer(@Nullable CachedAnswer one, CachedAnswer other) {
        boolean keep = one != null && one.origin().atMillis() > other.origin().atMillis();
        return keep ? Objects.requireNonNull(one) : other;
    }

    private static long ageSeconds(CachedAnswer answer, long wallMillis) {
        return Math.max(0, wallMillis - answer.origin().atMillis()) / 1000;
    }

    private void serve(CachedAnswer answer, CacheStatus as) {
        status = as;
        ageSeconds = ageSeconds(answer, worker.clock().wallMillis());
        exchange.replay(answer);
    }

    /** What another exchange of this replica found for all: it may have expired, and stands in then. */
    void onKept(CachedAnswer answer) {
        long now = worker.clock().wallMillis();
        boolean fresh = caching.cache().isFresh(answer, now);
        if (fresh && ageSeconds(answer, now) > control.maxAgeSeconds()) {
            onAlone();
            return;
        }
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
                running == null ? mine : new Flight(caching.flights(), null, this));
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
        status = CacheStatus.COALESCED;
        caching.metrics().onCoalesced();
        exchange.follow(following);
        return true;
    }

    private void askRedis(Question asked) {
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

    private void onBudgetUsed() {
        if (step == Step.ASKING_REDIS) {
            caching.metrics().onRedisFailure();
            onRedis(null);
        }
    }

    private void onRedis(@Nullable CachedAnswer answer) {
        if (step != Step.ASKING_REDIS) {
            return;
        }
        stopTimer();
        if (isHit(answer, false)) {
            return;
        }
        if (control.onlyIfCached()) {
            step = Step.DECIDED;
            exchange.onNothingKept();
        } else if (caching.config().lease().isZero() || !caching.config().coalesce()) {
            miss();
        } else {
            step = Step.AWAITING_REPLICA;
            leaseEndNanos = worker.clock().now() + caching.config().lease().toNanos();
            takeLease();
        }
    }

    /** Nobody else gets the answer for this one: a backend is asked. */
    void onAlone() {
        status = CacheStatus.MISS;
        miss();
    }

    private void miss() {
        step = Step.DECIDED;
        caching.metrics().onMiss();
        exchange.onMiss();
    }

    // ------------------------------------------------------------------ other replicas

    private void takeLease() {
        CompletableFuture<Lease> asked =
                caching.cache().lease(Objects.requireNonNull(question).key()).toCompletableFuture();
        timer = worker.loop()
                .schedule(
                        () -> onLoop(() -> onLease(Lease.alone())),
                        caching.config().lookupBudget().toNanos(),
                        TimeUnit.NANOSECONDS);
        asked.thenAccept(taken -> worker.loop().execute(() -> {
            worker.clock().read();
            if (!onLease(taken)) {
                taken.release();
            }
        }));
    }

    /** Whether it is of any use. */
    private boolean onLease(Lease taken) {
        if (step != Step.AWAITING_REPLICA || lease != null) {
            return false;
        }
        stopTimer();
        if (taken.state() == Lease.State.HELD && worker.clock().now() - leaseEndNanos < 0) {
            timer = worker.loop().schedule(() -> onLoop(this::lookAgain), LOOK_AGAIN_NANOS, TimeUnit.NANOSECONDS);
            return true;
        }
        lease = taken;
        long half = caching.config().lease().toNanos() / 2;
        timer = worker.loop().scheduleWithFixedDelay(taken::renew, half, half, TimeUnit.NANOSECONDS);
        miss();
        return true;
    }

    private void lookAgain() {
        if (step != Step.AWAITING_REPLICA) {
            return;
        }
        Question asked = Objects.requireNonNull(question);
        caching.cache()
                .inRedis(asked.key(), asked.form(), model)
                .thenAccept(answer -> onLoop(() -> {
                    if (step == Step.AWAITING_REPLICA && !isHit(answer, false)) {
                        takeLease();
                    }
                }));
    }

    // ------------------------------------------------------------------ the answer that a backend gives

    /** As {@link Recorder#onHead}. */
    @Nullable
    Flight onHead(MessageHead head, BodyFraming framing) {
        return recorder == null ? null : recorder.onHead(head, framing);
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
        if (step == Step.OVER) {
            letOthers();
        }
    }

    /** What stands in for an answer that no backend could give; null: nothing. */
    @Nullable
    CachedAnswer standIn(int code) {
        CachedAnswer old = expired;
        boolean nobody = code == 502 || code == 503 || code == 504;
        if (old == null
                || !nobody
                || !caching.cache().isUsableStale(old, worker.clock().wallMillis())) {
            return null;
        }
        caching.metrics().onStale();
        status = CacheStatus.STALE;
        ageSeconds = ageSeconds(old, worker.clock().wallMillis());
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

    /** Whether the answer that the client got is not one that a backend computed for it. */
    boolean isServed() {
        return status == CacheStatus.HIT || status == CacheStatus.STALE || status == CacheStatus.COALESCED;
    }

    CacheStatus status() {
        return status;
    }

    /** Adds what the cache had to do with the answer. */
    void writeTo(HeadWriter writer) {
        writer.raw(status.line());
        if (ageSeconds >= 0) {
            writer.field(AGE, ageSeconds);
        }
    }

    /**
     * The exchange is over.
     *
     * @param committed whether any of an answer had gone out
     */
    void close(Outcome outcome, boolean committed) {
        step = Step.OVER;
        stopTimer();
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
        if (lease != null) {
            lease.release();
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
