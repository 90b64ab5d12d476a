package io.drover.proxy;

import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.ollama.Origins;
import org.jspecify.annotations.Nullable;

/** Cross-origin requests of browsers, answered here as Ollama would, since backends no longer see an Origin. */
final class CrossOrigin {
    private static final byte[] NOTHING = {};
    private static final byte[] ALLOW_ALL = HeadWriter.line("Access-Control-Allow-Origin", "*");
    private static final byte[] PREFLIGHT = HeadWriter.ascii("Access-Control-Allow-Methods: " + Origins.ALLOW_METHODS
            + "\r\nAccess-Control-Allow-Headers: " + Origins.ALLOW_HEADERS
            + "\r\nAccess-Control-Max-Age: " + Origins.MAX_AGE + "\r\n");

    private CrossOrigin() {}

    /** The answer to a preflight or to a page that may not call; null for what goes on. */
    static @Nullable Reply answer(MessageHead request, ClientConnection client, Origins origins) {
        String origin = request.value(Field.ORIGIN);
        if (origin == null || isSameOrigin(request, client, origin)) {
            return null;
        }
        if (!origins.allows(origin)) {
            return Reply.empty(403);
        }
        return asksForLeave(request) ? Reply.empty(204, PREFLIGHT) : null;
    }

    /** Whether a page asks for leave to call, which is answered here whatever the answer is. */
    static boolean isPreflight(MessageHead request, ClientConnection client) {
        if (!asksForLeave(request)) {
            return false;
        }
        String origin = request.value(Field.ORIGIN);
        return origin != null && !isSameOrigin(request, client, origin);
    }

    private static boolean asksForLeave(MessageHead request) {
        return request.isMethod("OPTIONS") && request.has(Field.ACCESS_CONTROL_REQUEST_METHOD);
    }

    /** The lines that let the page read the response; empty where no page asks. */
    static byte[] lines(MessageHead request, ClientConnection client, Origins origins) {
        String origin = request.value(Field.ORIGIN);
        if (origin == null || isSameOrigin(request, client, origin) || !origins.allows(origin)) {
            return NOTHING;
        }
        return origins.allowsAll()
                ? ALLOW_ALL
                : HeadWriter.line("Access-Control-Allow-Origin", origin + "\r\nVary: Origin");
    }

    private static boolean isSameOrigin(MessageHead request, ClientConnection client, String origin) {
        String host = request.value(Field.HOST);
        // On loopback any name can be made to point here (DNS rebinding), so the name itself must be a near one.
        return host != null
                && Origins.sameOrigin(origin, host)
                && (!client.isOnLoopbackListener() || Origins.isLocal(host));
    }
}
