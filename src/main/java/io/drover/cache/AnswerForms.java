package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.util.List;

/** Tells an answer in another form than it came in, as the backend would have done. */
final class AnswerForms {
    private AnswerForms() {}

    /** @throws UnfitAnswerException if that cannot be done for sure; the answer is a miss then */
    static byte[] told(Endpoint endpoint, byte[] body, Form from, Form to) throws UnfitAnswerException {
        if (to == Form.WHOLE) {
            return whole(endpoint, body);
        }
        if (from == Form.WHOLE) {
            return stream(endpoint, body, to == Form.STREAM_WITH_USAGE);
        }
        if (to == Form.STREAM) {
            return OpenAiUsage.dropped(body);
        }
        throw new UnfitAnswerException("usage: not told in this stream");
    }

    private static byte[] whole(Endpoint endpoint, byte[] stream) throws UnfitAnswerException {
        return switch (endpoint) {
            case GENERATE, CHAT -> new OllamaForms(endpoint).whole(stream);
            case V1_CHAT_COMPLETIONS -> ChatForms.whole(stream);
            case V1_COMPLETIONS -> CompletionForms.whole(stream);
            case V1_MESSAGES -> MessageForms.whole(stream);
            case V1_RESPONSES -> response(stream);
            default -> throw unknown(endpoint);
        };
    }

    private static byte[] stream(Endpoint endpoint, byte[] whole, boolean withUsage) throws UnfitAnswerException {
        return switch (endpoint) {
            case GENERATE, CHAT -> new OllamaForms(endpoint).stream(whole);
            case V1_CHAT_COMPLETIONS -> ChatForms.stream(whole, withUsage);
            case V1_COMPLETIONS -> CompletionForms.stream(whole, withUsage);
            case V1_MESSAGES -> MessageForms.stream(whole);
            // The many events of /v1/responses follow from its requests too, and from when each word came.
            default -> throw unknown(endpoint);
        };
    }

    /** The object that the last event of {@code /v1/responses} carries. */
    private static byte[] response(byte[] stream) throws UnfitAnswerException {
        List<Members> events = Streams.events(stream, false);
        Slice response = events.get(events.size() - 1).required("response");
        return new Draft().raw(response).text("\n").toBytes();
    }

    private static UnfitAnswerException unknown(Endpoint endpoint) {
        return new UnfitAnswerException(endpoint + " has no such form, or it does not follow from the other");
    }
}
