package io.drover.cache;

import java.util.List;

/** Reads answers of {@code /v1/messages}. */
final class AnthropicReader {
    private AnthropicReader() {}

    static Reading stream(byte[] body) throws UnfitAnswerException {
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
                stopped = event.object("delta").present("stop_reason") != null;
                tokens = tokens(event);
            }
        }
        if (!stopped || !events.get(0).says("type", "message_start")) {
            throw new UnfitAnswerException("no message_start, or no stop_reason");
        }
        return new Reading(places, tokens);
    }

    static Reading whole(byte[] body) throws UnfitAnswerException {
        Members message = JsonText.members(Slice.of(body));
        AnswerReader.noError(message);
        // Without one, the model repeated itself until Ollama gave up.
        if (!message.says("type", "message") || message.string("stop_reason").isEmpty()) {
            throw new UnfitAnswerException("no message, or no stop_reason");
        }
        Places places = new Places();
        places.id(message.string("id"));
        return new Reading(places, tokens(message));
    }

    private static long tokens(Members object) throws UnfitAnswerException {
        return object.object("usage").sum("input_tokens", "output_tokens");
    }
}
