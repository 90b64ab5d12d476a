package io.drover.proxy;

import io.drover.admission.Charge;
import io.drover.admission.LimitedRequest;
import io.drover.admission.Principal;
import io.drover.backend.Backend;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.http.RequestTarget;
import io.drover.ollama.ApiFamily;
import io.drover.ollama.Endpoint;
import io.drover.ollama.JsonFieldScanner;
import io.drover.ollama.ModelName;
import io.drover.ollama.RouteTable;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** What a request's head says: the route, who asks, how its body comes, what its response must look like. */
final class ClientRequest implements LimitedRequest {
    private static final byte[] EXPECT_CONTINUE = HeadWriter.line("Expect", "100-continue");
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
    private final Charge charge = new Charge();
    private boolean complete;
    private boolean toHead;
    private boolean expectsContinue;
    private @Nullable JsonFieldScanner scanner;
    private @Nullable ModelName name;

    /** A request of which nothing is known yet but where it comes from. */
    ClientRequest(Worker worker, ClientConnection client, Settings settings) {
        this.worker = worker;
        this.client = client;
        this.settings = settings;
        this.head = client.head();
        this.caller = Caller.unknown(client.peerText());
    }

    /**
     * Reads the complete head. What was read before a violation stays known, so that the error can be told in the
     * shape of the API that was called.
     */
    void read() throws BadMessageException {
        complete = true;
        caller = Caller.of(worker, client.peer(), client.peerText(), head);
        toHead = head.isMethod("HEAD");
        if (head.isMethod("CONNECT") || head.isMethod("TRACE")) {
            throw new BadMessageException(405, "method " + head.method() + " is not served here");
        }
        RequestTarget.check(head);
        endpoint = RouteTable.match(
                head.bytes(),
                head.methodStart(),
                head.methodLength(),
                head.pathStart(),
                head.pathEnd() - head.pathStart());
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

    /** Takes the request from its client's bucket, where it counts and there is a limit; whether it may go on. */
    boolean admit() {
        Admission admission = settings.admission();
        if (admission.isLimited() && !OwnAnswers.isFree(endpoint, head, client)) {
            return admission.admit(this, charge, worker.clock().now());
        }
        return true;
    }

    /** What its limits say of it. */
    Charge charge() {
        return charge;
    }

    @Override
    public String address() {
        return caller.address();
    }

    @Override
    public @Nullable Principal principal() {
        return null;
    }

    @Override
    public String path() {
        String label = endpoint.label();
        return label.startsWith("/") ? label : head.text(head.pathStart(), head.pathEnd());
    }

    @Override
    public @Nullable String header(String name) {
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

    @Override
    public boolean usesTokens() {
        return endpoint.inference();
    }

    /** Adds what every response to it says: who may read it, its name in the log, how it stands with the limit. */
    void writeTo(HeadWriter writer) {
        writer.raw(corsLines);
        if (!caller.requestId().isEmpty()) {
            writer.field("X-Request-Id", caller.requestId());
        }
        Admission.writeTo(writer, charge);
    }

    /** The body to come: kept whole where the request may be sent again, else passed through. */
    RequestBody newBody() throws BadMessageException {
        long limit = endpoint.bodyLimited() ? settings.config().limits().requestBody() : Long.MAX_VALUE;
        if (framing.length() > limit) {
            throw new BadMessageException(
                    413, "request body of " + framing.length() + " bytes (limits.request-body: " + limit + ")");
        }
        if (!endpoint.retained() && !framing.isNone()) {
            return new StreamedBody(worker, framing, limit);
        }
        // A compressed or multipart body has no fields to be seen; the backend reads it.
        boolean json = endpoint.retained()
                && endpoint != Endpoint.V1_TRANSCRIPTIONS
                && endpoint != Endpoint.V1_MODEL
                && !head.has(Field.CONTENT_ENCODING);
        scanner = json ? client.scanner() : null;
        return new RetainedBody(worker, framing, limit, scanner);
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

    boolean expectsContinue() {
        return expectsContinue;
    }

    /** Whether it has no body and a method without side effects, so that it may go twice over a stale connection. */
    boolean isSafe() {
        return framing.isNone() && (toHead || head.isMethod("GET") || head.isMethod("OPTIONS"));
    }

    /** Whether the body that was read is no JSON, where JSON is expected. */
    boolean isMalformedJson() {
        return scanner != null && scanner.malformed();
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
    @Override
    public @Nullable ModelName modelName() {
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

    /** The method, or a dash where no request line was understood. */
    String method() {
        return complete ? head.method() : "-";
    }

    /** The target as sent, or a dash. */
    String target() {
        return complete ? head.text(head.targetStart(), head.targetEnd()) : "-";
    }
}
