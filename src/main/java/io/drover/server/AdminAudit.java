package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.metrics.AuditLog;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/** Tells the audit log what operators do, and what they try to. */
final class AdminAudit {
    private static final String RELOAD = "reload";

    private final AuditLog log;

    /** @param backend null where it concerns none */
    record Action(String event, String client, @Nullable String backend) {}

    AdminAudit(AuditLog log) {
        this.log = log;
    }

    /** What a request would change; null for nothing. */
    static @Nullable Action actionOf(FullHttpRequest request, @Nullable SocketAddress from) {
        if (!request.method().equals(HttpMethod.POST) || request.decoderResult().isFailure()) {
            return null;
        }
        String path = new QueryStringDecoder(request.uri()).path();
        String client =
                from instanceof InetSocketAddress known ? known.getAddress().getHostAddress() : String.valueOf(from);
        if (path.equals("/api/reload")) {
            return new Action(RELOAD, client, null);
        }
        if (path.equals(CachePurgeApi.PATH)) {
            return new Action("purge", client, null);
        }
        Matcher drain = AdminHandler.DRAIN.matcher(path);
        return drain.matches() ? new Action(drain.group(2), client, drain.group(1)) : null;
    }

    void tell(@Nullable Action action, HttpResponseStatus status) {
        if (action != null) {
            log.offer(action.event(), action.client(), action.backend(), status.code());
        }
    }

    /** Tells of a reload by SIGHUP, with the status that the same by a request would have got. */
    static void onSignal(AuditLog log, @Nullable Throwable fault) {
        Throwable cause = fault instanceof CompletionException wrapped ? wrapped.getCause() : fault;
        HttpResponseStatus status = cause == null
                ? HttpResponseStatus.OK
                : cause instanceof ConfigException
                        ? HttpResponseStatus.UNPROCESSABLE_ENTITY
                        : HttpResponseStatus.INTERNAL_SERVER_ERROR;
        log.offer(RELOAD, null, null, status.code());
    }
}
