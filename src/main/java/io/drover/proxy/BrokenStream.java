package io.drover.proxy;

import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.metrics.Outcome;
import io.drover.metrics.Side;
import io.drover.ollama.ApiFamily;
import io.drover.ollama.Endpoint;
import io.drover.ollama.ErrorReplies;
import io.drover.ollama.TailRing;
import java.util.Locale;

/**
 * How a stream that breaks after its first byte ends for the client. Its 200 has been sent, so the stream itself must
 * say that it failed: Ollama's own API does so in a line {@code {"error":"..."}} and then ends in order, and its clients
 * raise an error on such a line. Streams of events get their API's error event, and then break off all the same: not
 * every client looks for that event, and an end in order would make the part pass for the whole.
 *
 * <p>Nothing is added unless it is sure to be read as what it is: the client must stand between two chunks, and behind
 * a whole line or event. Otherwise the connection is cut, which is error enough.
 */
enum BrokenStream {
    /** No stream whose clients know of errors in it. */
    UNTOLD,
    /** JSON, a line each. */
    LINES,
    /** Server-sent events. */
    EVENTS;

    private static final byte[] NDJSON = HeadWriter.ascii("application/x-ndjson");
    private static final byte[] EVENT_STREAM = HeadWriter.ascii("text/event-stream");

    /** Which one a backend's answer to an inference request is. */
    static BrokenStream of(Endpoint endpoint, MessageHead head) {
        if (head.has(Field.CONTENT_ENCODING)) {
            // Plain text of ours would be noise in it, and its bytes tell nothing of lines.
            return UNTOLD;
        }
        if (endpoint.family() == ApiFamily.OLLAMA) {
            return head.isOfType(NDJSON) ? LINES : UNTOLD;
        }
        return head.isOfType(EVENT_STREAM) ? EVENTS : UNTOLD;
    }

    /** Which one an answer of this type to an inference request is. */
    static BrokenStream of(Endpoint endpoint, String contentType) {
        String type = contentType.toLowerCase(Locale.ROOT);
        if (endpoint.family() == ApiFamily.OLLAMA) {
            return type.startsWith("application/x-ndjson") ? LINES : UNTOLD;
        }
        return type.startsWith("text/event-stream") ? EVENTS : UNTOLD;
    }

    /** Whether an error may follow the payload that the client was sent. */
    boolean fitsBehind(TailRing payload) {
        return switch (this) {
            case UNTOLD -> false;
            case LINES -> payload.endsWithNewline();
            case EVENTS -> payload.endsWithEmptyLine();
        };
    }

    /** The error as it stands in the stream; not for {@link #UNTOLD}. */
    byte[] error(Endpoint endpoint, Outcome outcome) {
        String who = outcome.side() == Side.UPSTREAM ? "the backend" : "the proxy";
        String message = who + " broke off the answer: " + outcome.cause();
        return this == LINES ? ErrorReplies.line(message) : ErrorReplies.event(endpoint, message);
    }

    /** Whether the body ends behind the error as a whole one does. */
    boolean isOrderly() {
        return this == LINES;
    }
}
