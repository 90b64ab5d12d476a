package io.drover.cache;

import java.util.List;

/** Reads answers of {@code /v1/responses}. */
final class ResponsesReader {
    private ResponsesReader() {}

    static Reading stream(byte[] body) throws UnfitAnswerException {
        List<Members> events = Streams.events(body, false);
        Places places = new Places();
        Members last = events.get(events.size() - 1);
        for (Members event : events) {
            AnswerReader.noError(event);
            boolean completed = event.says("type", "response.completed");
            if (completed != (event == last) || event.says("type", "error")) {
                throw new UnfitAnswerException("response.completed: not at the end");
            }
            if (event.has("response")) {
                head(event.object("response"), places);
            }
        }
        return new Reading(places, tokens(last.object("response")));
    }

    static Reading whole(byte[] body) throws UnfitAnswerException {
        Members response = JsonText.members(Slice.of(body));
        Places places = new Places();
        head(response, places);
        return new Reading(places, tokens(response));
    }

    private static void head(Members response, Places places) throws UnfitAnswerException {
        AnswerReader.noError(response);
        places.id(response.string("id"));
        places.seconds(response.number("created_at"));
        places.seconds(response.get("completed_at"));
    }

    /** Of a completed one. Where it counts nothing, the model repeated itself until Ollama gave up. */
    private static long tokens(Members response) throws UnfitAnswerException {
        if (!response.says("status", "completed")) {
            throw new UnfitAnswerException("status: not completed");
        }
        long tokens = response.object("usage").sum("input_tokens", "output_tokens");
        if (tokens <= 0) {
            throw new UnfitAnswerException("usage: no tokens");
        }
        return tokens;
    }
}
