package io.drover.server;

import io.drover.config.ConfigException;
import io.drover.metrics.Metrics;
import io.drover.ollama.ApiFamily;
import io.drover.ollama.ErrorReplies;
import io.drover.proxy.ProxyContext;
import io.drover.proxy.Readiness;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers the admin port. Cold: on Netty's own codec, on a thread of its own. Takes one request at a time, so that who
 * pipelines is answered in order (RFC 9112, 9.3.2) though a reload takes its time; needs a
 * {@link io.netty.handler.flow.FlowControlHandler} before this, for what was read besides.
 */
@Sharable
final class AdminHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);

    static final Pattern DRAIN = Pattern.compile("/api/backends/([^/]+)/(drain|undrain)");

    private final ProxyContext proxy;
    private final Metrics metrics;
    private final BackendsApi backends;
    private final ReloadApi reload;
    private final CachePurgeApi cachePurge;
    private final AdminGuard guard;
    private final AdminTokens tokens;
    private final AdminAudit audit;

    AdminHandler(
            ProxyContext proxy,
            Metrics metrics,
            BackendsApi backends,
            ReloadApi reload,
            CachePurgeApi cachePurge,
            AdminGuard guard,
            AdminTokens tokens,
            AdminAudit audit) {
        this.proxy = proxy;
        this.metrics = metrics;
        this.backends = backends;
        this.reload = reload;
        this.cachePurge = cachePurge;
        this.guard = guard;
        this.tokens = tokens;
        this.audit = audit;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        // One after the other, as their answers must be.
        context.channel().config().setAutoRead(false);
        boolean keepAlive = request.decoderResult().isSuccess() && HttpUtil.isKeepAlive(request);
        boolean toHead = request.method().equals(HttpMethod.HEAD);
        AdminAudit.Action action =
                AdminAudit.actionOf(request, context.channel().remoteAddress());
        answer(request).whenComplete((response, fault) -> context.executor().execute(() -> {
            audit.tell(action, fault == null ? response.status() : HttpResponseStatus.INTERNAL_SERVER_ERROR);
            if (fault == null) {
                write(context, response, keepAlive, toHead);
            } else {
                context.fireExceptionCaught(fault);
            }
        }));
    }

    private static void write(
            ChannelHandlerContext context, FullHttpResponse response, boolean keepAlive, boolean toHead) {
        HttpUtil.setContentLength(response, response.content().readableBytes());
        HttpUtil.setKeepAlive(response, keepAlive);
        if (toHead) {
            response.content().clear();
        }
        var written = context.writeAndFlush(response);
        if (keepAlive) {
            context.channel().config().setAutoRead(true);
        } else {
            written.addListener(ChannelFutureListener.CLOSE);
        }
    }

    private CompletionStage<FullHttpResponse> answer(FullHttpRequest request) {
        if (request.decoderResult().isFailure()) {
            return now(error(HttpResponseStatus.BAD_REQUEST, "malformed request"));
        }
        String path = new QueryStringDecoder(request.uri()).path();
        String refusal = path.startsWith("/api/") ? guard.refusal(request) : null;
        if (refusal != null) {
            return now(error(HttpResponseStatus.FORBIDDEN, refusal));
        }
        return switch (tokens.of(path, request.headers())) {
            case UNKNOWN -> now(withoutToken());
            case METRICS_ONLY -> now(error(HttpResponseStatus.FORBIDDEN, "this token is good for /metrics only"));
            case ALLOWED -> serve(path, request);
        };
    }

    private static FullHttpResponse withoutToken() {
        FullHttpResponse response = error(
                HttpResponseStatus.UNAUTHORIZED,
                "no token, or an unknown one (expected: Authorization: Bearer TOKEN, with the token whose SHA-256 is"
                        + " admin.token-hash, or for /metrics admin.scrape-token-hash)");
        response.headers().set(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer realm=\"drover admin\"");
        return response;
    }

    private CompletionStage<FullHttpResponse> serve(String path, FullHttpRequest request) {
        return switch (path) {
            case "/metrics", "/health", "/ready" ->
                now(reads(request) ? read(path, request) : wrongMethod(request, "GET"));
            case "/api/backends" ->
                now(reads(request) ? json(HttpResponseStatus.OK, backends.list()) : wrongMethod(request, "GET"));
            case "/api/reload" ->
                request.method().equals(HttpMethod.POST) ? reload() : now(wrongMethod(request, "POST"));
            case CachePurgeApi.PATH -> cachePurge.answer(request);
            default -> now(drain(path, request));
        };
    }

    private static CompletionStage<FullHttpResponse> now(FullHttpResponse response) {
        return CompletableFuture.completedStage(response);
    }

    private CompletionStage<FullHttpResponse> reload() {
        return reload.reload().handle((body, failure) -> {
            Throwable cause = failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
            if (cause instanceof ConfigException invalid) {
                return error(HttpResponseStatus.UNPROCESSABLE_ENTITY, Objects.toString(invalid.getMessage()));
            }
            if (cause != null) {
                LOG.error("reload fails by a fault of ours", cause);
                return error(HttpResponseStatus.INTERNAL_SERVER_ERROR, cause.toString());
            }
            return json(HttpResponseStatus.OK, body);
        });
    }

    private FullHttpResponse drain(String path, FullHttpRequest request) {
        Matcher drain = DRAIN.matcher(path);
        if (!drain.matches()) {
            return nothing(path);
        }
        if (!request.method().equals(HttpMethod.POST)) {
            return wrongMethod(request, "POST");
        }
        String name = drain.group(1);
        return backends.drain(name, drain.group(2).equals("drain"))
                ? json(HttpResponseStatus.OK, backends.list())
                : error(HttpResponseStatus.NOT_FOUND, "backend \"" + name + "\" (expected: one of /api/backends)");
    }

    private static boolean reads(FullHttpRequest request) {
        return request.method().equals(HttpMethod.GET) || request.method().equals(HttpMethod.HEAD);
    }

    static FullHttpResponse wrongMethod(FullHttpRequest request, String expected) {
        return error(
                HttpResponseStatus.METHOD_NOT_ALLOWED, "method " + request.method() + " (expected: " + expected + ")");
    }

    private static FullHttpResponse nothing(String path) {
        return error(
                HttpResponseStatus.NOT_FOUND,
                "nothing is served at " + path + " (expected: /metrics, /health, /ready, /api/backends, /api/reload,"
                        + " /api/cache/purge)");
    }

    private FullHttpResponse read(String path, FullHttpRequest request) {
        switch (path) {
            case "/metrics" -> {
                String accept = request.headers().get(HttpHeaderNames.ACCEPT);
                return respond(HttpResponseStatus.OK, Metrics.contentType(accept), metrics.scrape(accept));
            }
            case "/health" -> {
                return json(HttpResponseStatus.OK, Readiness.health());
            }
            default -> {
                Readiness readiness = Readiness.of(proxy);
                FullHttpResponse response = json(
                        readiness.ready() ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE,
                        readiness.body());
                if (!readiness.ready()) {
                    response.headers().set(HttpHeaderNames.RETRY_AFTER, 1);
                }
                return response;
            }
        }
    }

    static FullHttpResponse error(HttpResponseStatus status, String message) {
        return json(status, ErrorReplies.body(ApiFamily.OLLAMA, status.code(), message, ""));
    }

    static FullHttpResponse json(HttpResponseStatus status, byte[] body) {
        return respond(status, ErrorReplies.CONTENT_TYPE, body);
    }

    private static FullHttpResponse respond(HttpResponseStatus status, String type, byte[] body) {
        var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(body));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        response.headers().set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        return response;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            LOG.error("admin request fails by a fault of ours", cause);
        }
        context.close();
    }
}
