package io.drover.proxy;

import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.ollama.Endpoint;
import io.drover.ollama.ErrorReplies;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What Drover answers itself: its own two paths, the CLI's heartbeat, browsers' preflights, and every error. */
final class OwnAnswers {
    static final byte[] RETRY_AFTER = HeadWriter.line("Retry-After", "1");
    private static final byte[] ALLOW = HeadWriter.line("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

    /** As Ollama's, which Drover's own must look like. */
    private static final Reply RUNNING = new Reply(
            200, HeadWriter.line("Content-Type", "text/plain; charset=utf-8"), HeadWriter.ascii("Ollama is running"));

    private OwnAnswers() {}

    /** The answer to a request that is not to be relayed; null for the rest. */
    static @Nullable Reply to(Endpoint endpoint, MessageHead request, ClientConnection client, ProxyContext context) {
        return switch (endpoint) {
            case HEARTBEAT -> RUNNING;
            case HEALTH -> Reply.json(200, Readiness.health());
            case READY -> {
                Readiness readiness = Readiness.of(context);
                yield readiness.ready()
                        ? Reply.json(200, readiness.body())
                        : Reply.json(503, readiness.body()).with(RETRY_AFTER);
            }
            case BLOCKED -> error(404, endpoint, "not found", "");
            default -> CrossOrigin.answer(request, client, context.settings().origins());
        };
    }

    /** Whether Drover answers it whatever limit there is: its own paths, the CLI's heartbeat, browsers' preflights. */
    static boolean isFree(Endpoint endpoint, MessageHead request, ClientConnection client) {
        return switch (endpoint) {
            case HEARTBEAT, HEALTH, READY -> true;
            default -> CrossOrigin.isPreflight(request, client);
        };
    }

    /** The answer where no backend has the request's model. */
    static Reply missingModel(ClientRequest request) {
        String model = Objects.requireNonNullElse(request.model(), "");
        String id = request.caller().requestId();
        return Reply.json(404, ErrorReplies.missingModel(request.endpoint(), model, id));
    }

    /** An error in the shape of the API that was called. */
    static Reply error(int status, ClientRequest request, String message) {
        return error(status, request.endpoint(), message, request.caller().requestId());
    }

    private static Reply error(int status, Endpoint endpoint, String message, String requestId) {
        Reply reply = Reply.json(status, ErrorReplies.body(endpoint.family(), status, message, requestId));
        return switch (status) {
            case 429, 503 -> reply.with(RETRY_AFTER);
            case 405 -> reply.with(ALLOW);
            default -> reply;
        };
    }
}
