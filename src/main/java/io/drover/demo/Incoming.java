package io.drover.demo;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way in: who reads its body, what is remembered of it, and what stops when its client leaves.
 * Confined to the connection's event loop.
 */
final class Incoming {
    // Go's maxPostHandlerReadBytes: a longer unread rest is not worth keeping the connection for.
    private static final int UNREAD_LIMIT = 256 << 10;
    private static final int REMEMBERED_BODY = 64 << 10;

    static final String BUSY = "server busy, please try again.  maximum pending requests exceeded";
    static final String RUNNER_STOPPED = "model runner has unexpectedly stopped, this may be due to resource"
            + " limitations or an internal error, check ollama server logs for details";

    /** Reads a body piece by piece. */
    interface BodyReader {
        /** @param piece lent for the call */
        void onPiece(ByteBuf piece);

        void onEnd();
    }

    private final Simulation simulation;
    private final ServedConnection connection;
    private final EventLoop loop;
    private final HttpRequest request;
    private final String path;
    private final boolean inference;
    private final Answer answer;
    private final @Nullable String badFault;
    private final @Nullable MessageDigest digest;
    private @Nullable ByteArrayOutputStream kept;
    private @Nullable BodyReader reader;
    private Runnable onCancel = () -> {};
    private long length;
    private boolean proceeded;
    private boolean read;
    private boolean remembered;
    private boolean gone;

    Incoming(Simulation simulation, ChannelHandlerContext codec, HttpRequest request, ServedConnection connection) {
        this.simulation = simulation;
        this.connection = connection;
        this.loop = codec.channel().eventLoop();
        this.request = request;
        this.path = new QueryStringDecoder(request.uri()).path();
        this.inference = simulation.routes.isInference(path);
        Fault fault = Fault.NONE;
        String bad = null;
        try {
            String wanted = request.headers().get(Fault.HEADER);
            fault = wanted == null ? simulation.faults.take(path, inference) : Fault.parse(wanted);
        } catch (IllegalArgumentException e) {
            bad = e.getMessage();
        }
        this.badFault = bad;
        this.answer = new Answer(codec, simulation, request, Family.of(path), fault, connection);
        boolean remembers = simulation.counters.remembers();
        this.digest = remembers ? Digests.sha256() : null;
        this.kept = remembers ? new ByteArrayOutputStream() : null;
    }

    void start() {
        if (inference) {
            simulation.settings.onInference().run();
        }
        if (badFault != null) {
            ignoreBody(() -> answer.invalid(badFault));
        } else if (answer.fault().is(Fault.Kind.EARLY_RESPONSE)) {
            reader = new Discard(() -> {});
            answer.json(200, Json.object(json -> {
                json.writeStringField("model", "early");
                json.writeStringField("created_at", simulation.stamp.text());
                json.writeStringField("response", "");
                json.writeBooleanField("done", true);
            }));
        } else {
            simulation.routes.dispatch(this);
        }
    }

    Answer answer() {
        return answer;
    }

    HttpRequest request() {
        return request;
    }

    /** The path, decoded and without the query. */
    String path() {
        return path;
    }

    EventLoop loop() {
        return loop;
    }

    /** Whether the whole body was read. */
    boolean isRead() {
        return read;
    }

    /** What is to be stopped if the client leaves before the answer's end. */
    void onCancel(Runnable action) {
        onCancel = action;
    }

    /** Reads all of the body as JSON, refuses what Go would refuse, and goes on with {@code handler}. */
    void readJson(JsonHandler handler) {
        readAll(bytes -> {
            try {
                JsonBody body = isZstd() ? opaque(bytes) : parse(bytes);
                if (!intercepted(body)) {
                    handler.onBody(body);
                }
            } catch (JsonBody.BadJson e) {
                answer.invalid(String.valueOf(e.getMessage()));
            }
        });
    }

    /** A compressed body is taken for a request to the first model: there is no decoder here. */
    private JsonBody opaque(byte[] bytes) {
        String digestOfBody = Digests.sha256(bytes);
        return JsonBody.of(Map.of(
                "model",
                simulation.store.first(),
                "prompt",
                digestOfBody,
                "input",
                digestOfBody,
                "messages",
                List.of(digestOfBody),
                "max_tokens",
                (long) simulation.settings.tokens()));
    }

    private JsonBody parse(byte[] bytes) throws JsonBody.BadJson {
        if (bytes.length == 0 && answer.family() == Family.OLLAMA) {
            throw new JsonBody.BadJson("missing request body");
        }
        return JsonBody.parse(bytes);
    }

    /** Takes a JSON body. */
    interface JsonHandler {
        void onBody(JsonBody body) throws JsonBody.BadJson;
    }

    void readAll(Consumer<byte[]> handler) {
        long declared = HttpUtil.getContentLength(request, 1024L);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream((int) Math.min(declared, 1 << 20));
        readPieces(new BodyReader() {
            @Override
            public void onPiece(ByteBuf piece) {
                bytes.writeBytes(ByteBufUtil.getBytes(piece, piece.readerIndex(), piece.readableBytes(), false));
            }

            @Override
            public void onEnd() {
                handler.accept(bytes.toByteArray());
            }
        });
    }

    void readPieces(BodyReader pieces) {
        if (HttpUtil.is100ContinueExpected(request)) {
            proceeded = true;
            answer.proceed();
        }
        reader = pieces;
    }

    /**
     * Answers without looking at the body, as Go does: a short rest is read first, for the sake of the connection; a
     * long one ends it.
     */
    void ignoreBody(Runnable reply) {
        Runnable once = () -> {
            if (!intercepted(null)) {
                reply.run();
            }
        };
        Discard discard = new Discard(once);
        reader = discard;
        if (HttpUtil.getContentLength(request, 0L) >= UNREAD_LIMIT
                || (HttpUtil.is100ContinueExpected(request) && !proceeded)) {
            discard.giveUp();
        }
    }

    private final class Discard implements BodyReader {
        private final Runnable reply;
        private boolean replied;
        private long skipped;

        Discard(Runnable reply) {
            this.reply = reply;
        }

        @Override
        public void onPiece(ByteBuf piece) {
            skipped += piece.readableBytes();
            if (skipped > UNREAD_LIMIT && !replied) {
                giveUp();
            }
        }

        @Override
        public void onEnd() {
            if (!replied) {
                replied = true;
                reply.run();
            }
        }

        void giveUp() {
            replied = true;
            answer.closeAfterwards();
            reply.run();
        }
    }

    /** Lets a fault that strikes before the answer happen. */
    boolean intercepted(@Nullable JsonBody body) {
        switch (answer.fault().kind()) {
            case BUSY_503 -> answer.error(503, BUSY);
            case UNAVAILABLE_503 -> answer.error(503, "Loading model");
            case ERROR_500_LOAD -> answer.error(500, "llama runner process has terminated: exit status 2");
            case ERROR_500_RUNNER -> {
                if (body != null && streams(body)) {
                    answer.streamError(500, RUNNER_STOPPED);
                } else {
                    answer.error(500, RUNNER_STOPPED);
                }
            }
            case MODEL_404 -> answer.error(404, "model '" + modelOf(body) + "' not found");
            case DIE_BEFORE_HEAD -> answer.die();
            case RESET_BEFORE_HEAD -> answer.reset();
            case STALL_BEFORE_HEAD -> answer.stall();
            case INFORMATIONAL -> {
                answer.inform();
                return false;
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean streams(JsonBody body) {
        return answer.family() == Family.OLLAMA
                && (path.equals("/api/generate") || path.equals("/api/chat"))
                && !Boolean.FALSE.equals(body.get("stream"));
    }

    private static String modelOf(@Nullable JsonBody body) {
        try {
            return body == null ? "" : body.model();
        } catch (JsonBody.BadJson e) {
            return "";
        }
    }

    /** @param piece lent for the call */
    void onContent(ByteBuf piece, boolean last) {
        if (digest != null) {
            remember(piece);
        }
        length += piece.readableBytes();
        BodyReader pieces = reader;
        if (pieces != null && piece.isReadable()) {
            pieces.onPiece(piece);
        }
        if (!last) {
            return;
        }
        read = true;
        // Before the handler runs: who has the answer must find the request.
        remember(true);
        boolean answeredBefore = answer.isOver();
        if (pieces != null) {
            pieces.onEnd();
        }
        if (answeredBefore) {
            connection.next();
        }
    }

    private void remember(ByteBuf piece) {
        if (digest != null) {
            digest.update(piece.nioBuffer());
        }
        ByteArrayOutputStream sofar = kept;
        if (sofar != null) {
            if (length + piece.readableBytes() < REMEMBERED_BODY) {
                sofar.writeBytes(ByteBufUtil.getBytes(piece, piece.readerIndex(), piece.readableBytes(), false));
            } else {
                kept = null;
            }
        }
    }

    private void remember(boolean complete) {
        if (digest == null || remembered) {
            return;
        }
        remembered = true;
        simulation.counters.remember(new ReceivedRequest(
                request.method().name(),
                request.uri(),
                request.headers().entries(),
                length,
                HexFormat.of().formatHex(digest.digest()),
                kept == null ? new byte[0] : kept.toByteArray(),
                complete));
    }

    /** Whether the client left before the answer's end. */
    boolean isGone() {
        return gone;
    }

    /** The connection has gone; nothing more comes and nothing can be sent. */
    void onClientGone() {
        gone = true;
        remember(false);
        if (!answer.isOver()) {
            simulation.counters.cancelled.increment();
            onCancel.run();
        }
    }

    /** The answer ended with the body unread and the connection with it. */
    void onAbandoned() {
        remember(false);
    }

    boolean hasHeader(CharSequence name) {
        return request.headers().contains(name);
    }

    String header(CharSequence name) {
        return request.headers().get(name, "");
    }

    private boolean isZstd() {
        return answer.family() != Family.OLLAMA
                && header(HttpHeaderNames.CONTENT_ENCODING).equalsIgnoreCase("zstd");
    }
}
