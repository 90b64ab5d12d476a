package io.drover.proxy;

import io.drover.admission.Refusal;
import io.drover.admission.RequestLook;
import io.drover.backend.Backend;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.http.RequestTarget;
import io.drover.metrics.AuditedBody;
import io.drover.ollama.ApiFamily;
import io.drover.ollama.Endpoint;
import io.drover.ollama.JsonFieldScanner;
import io.drover.ollama.ModelName;
import io.drover.ollama.RouteTable;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/** What a request's head says: the route, who asks, how its body comes, what its response must look like. */
final class ClientRequest {
    private static final byte[] EXPECT_CONTINUE = HeadWriter.line("Expect", "100-continue");
    private static final byte[] CONTINUE = HeadWriter.ascii("HTTP/1.1 100 Continue\r\n\r\n");
    private static final byte[] CONTINUE_TOKEN = HeadWriter.ascii("100-continue");
    private static final byte[] NO_LINES = {};

    private final Worker worker;
    private final ClientConnection client;
    private final Settings settings;
    private final MessageHead head;

    private Caller caller;
    private Endpoint endpoint = Endpoint.OTHER;
    private BodyFraming framing = BodyFraming.NONE;
    private byte[] corsLines = NO_LINES;
    private boolean complete;
    private boolean toHead;
    private boolean expectsContinue;
    private boolean continued;
    private @Nullable JsonFieldScanner scanner;
    private @Nullable RequestLook look;
    private @Nullable ModelName name;
    private @Nullable BodyCopy copy;

    /** A request of which nothing is known yet but where it comes from. */
    ClientRequest(Worker worker, ClientConnection client, Settings settings) {
        this.worker = worker;
        this.client = client;
        this.settings = settings;
        this.head = client.head();
        this.caller = Caller.unknown(client.peer());
    }

    /**
     * Reads the complete head. What was read before a violation stays known, so that the error can be told in the
     * shape of the API that was called.
     */
    void read() throws BadMessageException {
        complete = true;
        caller = Caller.of(worker, client.peer(), client.scheme(), head);
        toHead = head.isMethod("HEAD");
        if (head.isMethod("CONNECT") || head.isMethod("TRACE")) {
            throw new BadMessageException(405, "method " + head.method() + " is not served here");
        }
        RequestTarget.check(head);
        byte[] secretPrefix = settings.authentication().pathPrefix();
        if (secretPrefix.length > 0) {
            RequestTarget.hide(head, secretPrefix);
        }
        endpoint = RouteTable.match(
                head.bytes(),
                head.methodStart(),
                head.methodLength(),
                head.pathStart(),
                head.pathEnd() - head.pathStart());
        if (endpoint == Endpoint.ROOT && toHead && settings.authentication().isOn()) {
            endpoint = Endpoint.HEARTBEAT;
        }
        framing = BodyFraming.ofRequest(head);
        expectsContinue = expectation();
        corsLines = CrossOrigin.lines(head, client, settings.origins());
    }

    /** Whether the client waits for 100; any other expectation cannot be met (RFC 9110, 10.1.1). */
    private boolean expectation() throws BadMessageException {
        int i = head.indexOf(Field.EXPECT, 0);
        if (i < 0 || isHttp10()) {
            return false;
        }
        if (!head.valueIs(i, CONTINUE_TOKEN) || head.indexOf(Field.EXPECT, i + 1) >= 0) {
            throw new BadMessageException(417, "Expect other than 100-continue");
        }
        return !framing.isNone();
    }

    /** The value of a header field, of several the first; {@code name} in lower case. */
    @Nullable
    String header(String name) {
        for (int i = 0; i < head.fieldCount(); i++) {
            int from = head.nameStart(i);
            if (head.nameEnd(i) - from == name.length() && isName(name, from)) {
                return head.text(head.valueStart(i), head.valueEnd(i));
            }
        }
        return null;
    }

    private boolean isName(String name, int from) {
        for (int i = 0; i < name.length(); i++) {
            // Names are tokens, of ASCII (RFC 9110, 5.6.2).
            if (Character.toLowerCase(head.bytes()[from + i]) != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    void writeTo(HeadWriter writer) {
        writer.raw(corsLines);
        if (!caller.requestId().isEmpty()) {
            writer.field("X-Request-Id", caller.requestId());
        }
    }

    /** The body to come: kept whole where the request may be sent again, else passed through. */
    RequestBody newBody() throws BadMessageException {
        long limit = endpoint.bodyLimited() ? settings.config().limits().requestBody() : Long.MAX_VALUE;
        if (framing.length() > limit) {
            throw new BadMessageException(
                    413, "request body of " + framing.length() + " bytes (limits.request-body: " + limit + ")");
        }
        copy = framing.isNone()
                ? null
                : BodyCopy.of(endpoint, head, worker.context().auditLog());
        if (!endpoint.retained() && !framing.isNone()) {
            return new StreamedBody(worker, framing, limit, copy);
        }
        // A compressed or multipart body has no fields to be seen; the backend reads it.
        boolean json = endpoint.retained()
                && endpoint != Endpoint.V1_TRANSCRIPTIONS
                && endpoint != Endpoint.V1_MODEL
                && !head.has(Field.CONTENT_ENCODING);
        look = settings.rules().look(endpoint);
        if (look != null && head.has(Field.CONTENT_ENCODING)) {
            throw new BadMessageException(
                    415, "a body with a Content-Encoding (expected: none, since its fields are looked at here)");
        }
        scanner = json ? client.scratch().scanner() : null;
        if (scanner != null && look != null) {
            scanner.visit(look);
        }
        return new RetainedBody(worker, framing, limit, scanner, copy);
    }

    /** The head that {@code backend} gets, with room for a small body behind it. The caller owns the buffer. */
    ByteBuf headFor(Backend backend, RequestBody body) {
        BackendLines lines = worker.lines(backend);
        HeadWriter writer = worker.headWriter();
        writer.startRequest(head);
        writer.raw(lines.host());
        writer.passRequestFields(head);
        writer.field("X-Request-Id", caller.requestId());
        if (backend.config().forwardedHeaders()) {
            caller.writeTo(writer);
        }
        if (lines.authorization() != null) {
            writer.raw(lines.authorization());
        }
        if (expectsContinue && !endpoint.retained()) {
            writer.raw(EXPECT_CONTINUE);
        }
        if (!framing.isNone()) {
            body.frame(writer);
        } else if (head.has(Field.CONTENT_LENGTH) || head.isMethod("POST")) {
            writer.contentLength(0);
        }
        return writer.end(worker.allocator(), RetainedBody.INLINE_LIMIT);
    }

    MessageHead head() {
        return head;
    }

    Caller caller() {
        return caller;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** What the audit log may tell of the body that was read; null for nothing. */
    @Nullable
    AuditedBody auditedBody() {
        return copy == null ? null : copy.toAuditedBody();
    }

    boolean hasBody() {
        return !framing.isNone();
    }

    /** Whether its body, if it has one, was passed over, so that the next request follows. */
    boolean skipBody() {
        return switch (framing.kind()) {
            case NONE -> true;
            case LENGTH -> client.skip(framing.length());
            case CHUNKED, UNTIL_CLOSE -> false;
        };
    }

    boolean isToHead() {
        return toHead;
    }

    boolean isHttp10() {
        return head.minorVersion() == 0;
    }

    /** Lets a client that waits for it send its body; once. */
    void sendContinue() {
        if (expectsContinue && !continued) {
            continued = true;
            client.write(Unpooled.wrappedBuffer(CONTINUE));
            client.flush();
        }
    }

    /** Whether it has no body and a method without side effects, so that it may go twice over a stale connection. */
    boolean isSafe() {
        return framing.isNone() && (toHead || head.isMethod("GET") || head.isMethod("OPTIONS"));
    }

    /** Whether the body that was read is no JSON, where JSON is expected. */
    boolean isMalformedJson() {
        return scanner != null && scanner.malformed();
    }

    /**
     * Holds the complete body against the rules, and changes it where they say so.
     *
     * @return why it must not be sent; null where it may
     */
    @Nullable
    Refusal examine(RequestBody body) {
        RequestLook seen = look;
        if (seen == null || scanner == null || !(body instanceof RetainedBody kept)) {
            return null;
        }
        boolean whole = scanner.complete();
        Refusal refusal = seen.refusal(whole, model(), kept::text);
        if (refusal == null && whole) {
            kept.edit(seen.edits(kept::text));
        }
        return refusal;
    }

    /** The most tokens that the request lets its answer have; -1: no bound, or none that is known. */
    long answerBound() {
        JsonFieldScanner seen = scanner;
        if (seen == null) {
            return -1;
        }
        return endpoint.family() == ApiFamily.OLLAMA ? seen.numPredict() : seen.maxTokens();
    }

    /** The model asked for, as spelled in the request; null where it was not seen. */
    @Nullable
    String model() {
        JsonFieldScanner seen = scanner;
        if (seen == null) {
            return endpoint == Endpoint.V1_MODEL ? modelInPath() : null;
        }
        String model = seen.model();
        // Ollama's own client asks for it so.
        boolean byName = endpoint == Endpoint.SHOW && (model == null || model.isEmpty());
        return byName ? seen.name() : model;
    }

    private String modelInPath() {
        return RouteTable.lastSegment(head.bytes(), head.pathStart(), head.pathEnd() - head.pathStart());
    }

    /** The model asked for; null where it was not seen. */
    @Nullable
    ModelName modelName() {
        if (name == null) {
            String model = model();
            name = model == null ? null : worker.modelName(model);
        }
        return name;
    }

    boolean isCloud() {
        ModelName model = modelName();
        return model != null && model.isCloud();
    }

    /** The model that a backend must have for this; null where any will do, or where that is not known here. */
    @Nullable
    ModelName needed() {
        if (!endpoint.needsModel() || !settings.config().routing().modelAware()) {
            return null;
        }
        ModelName model = modelName();
        return model == null || model.requested().isBlank() || model.isCloud() ? null : model;
    }

    /** Whether the answer is generated piece by piece and sent like that: Ollama's own default, not that of the others. */
    boolean isForStream() {
        JsonFieldScanner read = scanner;
        if (read == null || !endpoint.generates()) {
            return false;
        }
        Boolean asked = read.stream();
        return asked == null ? endpoint.family() == ApiFamily.OLLAMA : asked;
    }

    /** The path of a known route, or the one that was sent. */
    String path() {
        boolean known = !endpoint.label().equals(Endpoint.OTHER.label());
        return known ? endpoint.label() : head.text(head.pathStart(), head.pathEnd());
    }

    /** The method, or a dash where no request line was understood. */
    String method() {
        return complete ? head.method() : "-";
    }

    /** The target as sent, but for a secret in it, or a dash. */
    String target() {
        return complete ? head.target() : "-";
    }
}
