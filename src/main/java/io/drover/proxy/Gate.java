package io.drover.proxy;

import io.drover.admission.AuthVerdict;
import io.drover.admission.Charge;
import io.drover.admission.LimitedRequest;
import io.drover.admission.Limiter;
import io.drover.admission.Patterns;
import io.drover.admission.Principal;
import io.drover.http.HeadWriter;
import io.drover.metrics.Outcome;
import io.drover.metrics.Phase;
import io.drover.metrics.Side;
import io.drover.ollama.Endpoint;
import io.drover.ollama.ErrorReplies;
import io.drover.ollama.FinalRecord;
import io.drover.ollama.ModelName;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Whether one request may go on: who asks, for what, and how much. Belongs to one exchange, used on its event loop. */
final class Gate implements LimitedRequest {
    /** About so many bytes of a body make a token, JSON and all. */
    private static final long BYTES_PER_TOKEN = 4;

    /** Until a limit is asked again that did not know. */
    private static final long ASK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final Worker worker;
    private final ClientConnection client;
    private final ClientRequest request;
    private final Settings settings;
    private @Nullable AuthVerdict verdict;
    private final Charge charge;
    private long delayNanos;
    private boolean addressAllowed;

    /** Whether Drover answers it whoever asks, and however often: its own paths, browsers' preflights. */
    private boolean free;

    private boolean admittedAtHead;
    private boolean asking;
    private boolean over;
    private Outcome outcome = Outcome.complete(200);

    Gate(Worker worker, ClientConnection client, ClientRequest request, Settings settings) {
        this.worker = worker;
        this.client = client;
        this.request = request;
        this.settings = settings;
        this.charge = client.scratch().newCharge();
    }

    /**
     * Finds out who asks, and whether the limits that heed no model have room.
     *
     * @param later follows on the loop, never before this returns, where that takes its time
     * @return whether all is known now
     */
    boolean open(Runnable later) {
        // Nothing is exempt from that, as with Nginx.
        addressAllowed = settings.access().allows(request.caller().ip());
        free = OwnAnswers.isFree(request.endpoint(), request.head(), client);
        if (free || !addressAllowed) {
            return true;
        }
        Authentication authentication = settings.authentication();
        long nowMillis = worker.clock().wallMillis();
        if (authentication.isOn()) {
            verdict = authentication.known(request.head(), nowMillis);
            if (verdict == null) {
                authentication.verify(request.head(), nowMillis).thenAccept(found -> worker.loop()
                        .execute(() -> {
                            verdict = found;
                            takeLater(later);
                        }));
                return false;
            }
        }
        return take(later);
    }

    private boolean take(Runnable later) {
        admittedAtHead =
                mayTake(settings.admission().atHead(this, charge, worker.clock().now()));
        if (asking) {
            askAgain(() -> takeLater(later));
        }
        return !asking;
    }

    /** Has the limits asked again, unless the request is over by then. Not by a deadline, as these are coarse. */
    void askAgain(Runnable again) {
        EventLoop loop = worker.loop();
        // As a task, since of one that is scheduled nobody would hear that it failed.
        loop.schedule(() -> loop.execute(() -> onTime(again)), ASK_AGAIN_NANOS, TimeUnit.NANOSECONDS);
    }

    private void onTime(Runnable again) {
        worker.clock().read();
        if (!over) {
            again.run();
        }
    }

    /** The client may have left meanwhile, and its connection may serve another request. */
    private void takeLater(Runnable later) {
        worker.clock().read();
        if (!over && take(later)) {
            later.run();
        }
    }

    /** The answer to a request that must not go on, by what its head says; null for one that may. */
    @Nullable
    Reply refusal() {
        if (!addressAllowed) {
            worker.context().metrics().onAccessRefused();
            String address = request.caller().address();
            return refuse(
                    403,
                    "address not allowed",
                    "requests from " + address + " are not allowed (access.allow, access.deny)");
        }
        if (!free && !admittedAtHead) {
            return tooMany();
        }
        AuthVerdict found = verdict;
        if (found == null) {
            return null;
        }
        Principal principal = found.principal();
        worker.context().metrics().onAuthentication(found.refusedAs());
        if (principal == null && found.isForNow()) {
            return refuse(503, "credentials not checked", found.refusal()).with(OwnAnswers.RETRY_AFTER);
        }
        if (principal == null) {
            String hint = settings.authentication().hint();
            return refuse(401, "not authenticated", found.refusal() + ": " + hint)
                    .with(settings.authentication().challenge());
        }
        if (!mayAsk(principal)) {
            return refuse(403, "path not allowed", "'" + principal.name() + "' may not ask " + request.path());
        }
        return null;
    }

    private boolean mayAsk(Principal principal) {
        Patterns paths = principal.paths();
        if (!paths.isAll()) {
            return paths.allow(request.path());
        }
        // Of these the model is not seen here. Who may use some models only should not delete the others, nor reach any
        // by a route of next year's Ollama.
        Endpoint endpoint = request.endpoint();
        return principal.models().isAll() || (endpoint.isKnown() && !endpoint.changesModels());
    }

    /** The same by what its body says, or as soon as a backend is to be chosen. */
    @Nullable
    Reply bodyRefusal(RequestBody body) {
        Principal principal = principal();
        if (principal != null && !mayUseModel(principal)) {
            ModelName model = request.modelName();
            String what = model == null ? "a model that is not seen here" : "model '" + model.requested() + "'";
            return refuse(403, "model not allowed", "'" + principal.name() + "' may not use " + what);
        }
        if (free) {
            return null;
        }
        long prompt = body.wireBytes() / BYTES_PER_TOKEN;
        long answer = request.endpoint().generates() ? request.answerBound() : 0;
        boolean room = mayTake(settings.admission()
                .atModel(this, charge, prompt, answer, worker.clock().now()));
        return room || asking ? null : tooMany();
    }

    /** Whether the limits did not know yet at the last {@link #bodyRefusal}, so that they have to be asked again. */
    boolean isAsking() {
        return asking;
    }

    private boolean mayUseModel(Principal principal) {
        if (principal.models().isAll() || !request.endpoint().needsModel()) {
            return true;
        }
        ModelName model = request.modelName();
        return model != null && mayUse(principal.models(), model);
    }

    /** @param wait what the limits said */
    private boolean mayTake(long wait) {
        asking = wait == Limiter.ASK_AGAIN;
        delayNanos = Math.max(delayNanos, wait);
        return wait >= 0;
    }

    private Reply tooMany() {
        String cause =
                switch (charge.kind()) {
                    case REQUESTS -> "request limit";
                    case TOKENS -> "token limit";
                    case BUDGET -> "budget used up";
                    case IN_FLIGHT -> "limit in flight";
                };
        return refuse(Admission.TOO_MANY_REQUESTS, cause, charge.message());
    }

    /** How long the request has to wait for its room before it may go on; 0: not at all. */
    long delayNanos() {
        return delayNanos;
    }

    /**
     * The request is over: what it took of its limits by an estimate is corrected.
     *
     * @param sent whether any backend was given it
     * @param answered whether a backend's answer has gone to the client
     * @param record what that told of itself
     */
    void settle(Outcome ended, boolean sent, boolean answered, FinalRecord record) {
        over = true;
        Admission admission = settings.admission();
        long now = worker.clock().now();
        if (answered) {
            admission.settle(charge, record, now);
        } else if (sent && ended.side() == Side.CLIENT) {
            // Who leaves before the first byte has had a GPU work all the same: the estimate stands.
            admission.settle(charge, FinalRecord.UNKNOWN, now);
        } else if (sent || ended.side() == Side.CLIENT || ended.failedIn() == null) {
            admission.settleUnanswered(charge, now);
        } else {
            // Not its fault.
            admission.cancel(charge, now);
        }
    }

    @Override
    public String address() {
        return request.caller().address();
    }

    @Override
    public @Nullable ModelName modelName() {
        return request.modelName();
    }

    @Override
    public String path() {
        return request.path();
    }

    @Override
    public @Nullable String header(String name) {
        return request.header(name);
    }

    @Override
    public boolean usesTokens() {
        return request.endpoint().inference();
    }

    /** By the name as it was asked for, or in full: {@code llama3.2} is {@code llama3.2:latest}. */
    private static boolean mayUse(Patterns models, ModelName model) {
        String asked = model.requested();
        return models.allow(asked) || (asked.indexOf(':') < 0 && models.allow(asked + ":latest"));
    }

    private Reply refuse(int status, String cause, String message) {
        outcome = Outcome.failed(status, Phase.ADMIT, status == 503 ? Side.PROXY : Side.CLIENT, cause);
        Endpoint endpoint = request.endpoint();
        String id = request.caller().requestId();
        byte[] body = status == 401
                ? ErrorReplies.unauthorized(endpoint.family(), message, id)
                : ErrorReplies.body(endpoint.family(), status, message, id);
        return Reply.json(status, body);
    }

    /** What became of a request that was refused. */
    Outcome outcome() {
        return outcome;
    }

    /** Who asks; null where nobody had to prove it, or nobody has. */
    @Override
    public @Nullable Principal principal() {
        AuthVerdict found = verdict;
        return found == null ? null : found.principal();
    }

    /** Adds how it stands with the limits. */
    void writeTo(HeadWriter writer) {
        Admission.writeTo(writer, charge);
    }
}
