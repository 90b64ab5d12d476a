package io.drover.proxy;

import io.drover.admission.AuthVerdict;
import io.drover.admission.Patterns;
import io.drover.admission.Principal;
import io.drover.http.HeadWriter;
import io.drover.metrics.Outcome;
import io.drover.metrics.Phase;
import io.drover.metrics.Side;
import io.drover.ollama.Endpoint;
import io.drover.ollama.ErrorReplies;
import io.drover.ollama.ModelName;
import org.jspecify.annotations.Nullable;

/** Whether one request may go on: who asks, for what, and how much. Belongs to one exchange, used on its event loop. */
final class Gate {
    private final Worker worker;
    private final ClientConnection client;
    private final ClientRequest request;
    private final Settings settings;
    private @Nullable AuthVerdict verdict;
    private long taken = Admission.UNLIMITED;
    private Outcome outcome = Outcome.complete(200);

    Gate(Worker worker, ClientConnection client, ClientRequest request, Settings settings) {
        this.worker = worker;
        this.client = client;
        this.request = request;
        this.settings = settings;
    }

    /**
     * Finds out who asks.
     *
     * @param later follows on the loop, never before this returns, where that takes its time
     * @return whether it is known now
     */
    boolean identify(Runnable later) {
        Authentication authentication = settings.authentication();
        if (!authentication.isOn() || isFree() || !isAddressAllowed()) {
            return true;
        }
        long nowMillis = worker.clock().wallMillis();
        verdict = authentication.known(request.head(), nowMillis);
        if (verdict != null) {
            return true;
        }
        authentication.verify(request.head(), nowMillis).thenAccept(found -> worker.loop()
                .execute(() -> {
                    worker.clock().read();
                    verdict = found;
                    later.run();
                }));
        return false;
    }

    /** Nothing is exempt from that, as with Nginx. */
    private boolean isAddressAllowed() {
        return settings.access().allows(request.caller().ip());
    }

    /** Whether Drover answers it whoever asks, and however often: its own paths, browsers' preflights. */
    private boolean isFree() {
        return OwnAnswers.isFree(request.endpoint(), request.head(), client);
    }

    /** The answer to a request that must not go on, by what its head says; null for one that may. */
    @Nullable
    Reply refusal() {
        if (!isAddressAllowed()) {
            worker.context().metrics().onAccessRefused();
            String address = request.caller().address();
            return refuse(
                    403,
                    "address not allowed",
                    "requests from " + address + " are not allowed (access.allow, access.deny)");
        }
        Admission admission = settings.admission();
        if (admission.isLimited() && !isFree()) {
            taken = admission.take(request.caller().address(), worker.clock().now());
        }
        if (Admission.isRefused(taken)) {
            return refuse(Admission.TOO_MANY_REQUESTS, "request limit", admission.refusal());
        }
        AuthVerdict found = verdict;
        if (found == null) {
            return null;
        }
        Principal principal = found.principal();
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
        // Of these the model is not seen here. Who may use some models only should not delete the others.
        return principal.models().isAll() || !request.endpoint().changesModels();
    }

    /** The same by what its body says. */
    @Nullable
    Reply bodyRefusal() {
        AuthVerdict found = verdict;
        Principal principal = found == null ? null : found.principal();
        if (principal == null
                || principal.models().isAll()
                || !request.endpoint().needsModel()) {
            return null;
        }
        ModelName model = request.modelName();
        if (model != null && mayUse(principal.models(), model)) {
            return null;
        }
        String what = model == null ? "a model that is not seen here" : "model '" + model.requested() + "'";
        return refuse(403, "model not allowed", "'" + principal.name() + "' may not use " + what);
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
    @Nullable
    Principal principal() {
        AuthVerdict found = verdict;
        return found == null ? null : found.principal();
    }

    /** Adds how it stands with the limits. */
    void writeTo(HeadWriter writer) {
        settings.admission().writeTo(writer, taken);
    }
}
