package io.drover.cache;

import java.util.List;

/** Reads answers of {@code /v1/messages}. */
final class AnthropicReader {
    private AnthropicReader() {}

    static AnswerFacts stream(byte[] body) throws UnfitAnswerException {
        List<Members> events = Streams.events(body, false);
        Places places = new Places();
        long tokens = -1;
        boolean stopped = false;
        Members last = events.get(events.size() - 1);
        for (Members event : events) {
            AnswerReader.noError(event);
            if (event.says("type", "message_stop") != (event == last) || event.says("type", "error")) {
                throw new UnfitAnswerException("message_stop: not at the end");
            }
            if (event.says("type", "message_start")) {
                places.id(event.object("message").string("id"));
            } else if (event.says("type", "message_delta")) {
                requireEnd(event.object("delta"));
                stopped = true;
                tokens = tokens(event);
            }
        }
        if (!stopped || !events.get(0).says("type", "message_start")) {
            throw new UnfitAnswerException("no message_start, or no message_delta");
        }
        return new AnswerFacts(places, tokens);
    }

    static AnswerFacts whole(byte[] body) throws UnfitAnswerException {
        Members message = JsonText.members(Slice.of(body));
        AnswerReader.noError(message);
        if (!message.says("type", "message")) {
            throw new UnfitAnswerException("no message");
        }
        requireEnd(message);
        Places places = new Places();
        places.id(message.string("id"));
        return new AnswerFacts(places, tokens(message));
    }

    /**
     * Without a reason, the model repeated itself until Ollama gave up. This one is what Ollama makes of all that are not
     * usual, such as that the model was loaded only.
     */
    private static void requireEnd(Members object) throws UnfitAnswerException {
        AnswerReader.requireEnd(object, "stop_reason");
        if (object.says("stop_reason", "stop_sequence")) {
            throw new UnfitAnswerException("stop_reason: of no whole answer");
        }
    }

    private static long tokens(Members object) throws UnfitAnswerException {
        return object.object("usage").sum("input_tokens", "output_tokens");
    }
}
