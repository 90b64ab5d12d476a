package io.drover.cache;

import java.util.List;

/** Reads answers of {@code /v1/chat/completions} and {@code /v1/completions}. */
final class OpenAiReader {
    private OpenAiReader() {}

    /** Only a stream that was not broken off by an error ends with {@code [DONE]}. */
    static Reading stream(byte[] body) throws UnfitAnswerException {
        List<Members> chunks = Streams.events(body, true);
        Places places = new Places();
        for (Members chunk : chunks) {
            head(chunk, places);
        }
        Members last = chunks.get(chunks.size() - 1);
        // With include_usage each chunk of /v1/completions has one, of zeros; the last stands alone.
        boolean counted = last.present("usage") != null && last.array("choices").isEmpty();
        return new Reading(places, counted ? tokens(last) : -1);
    }

    static Reading whole(byte[] body) throws UnfitAnswerException {
        Members answer = JsonText.members(Slice.of(body));
        Places places = new Places();
        head(answer, places);
        List<Slice> choices = JsonText.elements(answer.array("choices"));
        if (choices.isEmpty()) {
            throw new UnfitAnswerException("choices: none");
        }
        for (Slice choice : choices) {
            // Without one, the model repeated itself until Ollama gave up.
            JsonText.members(choice).string("finish_reason");
        }
        return new Reading(places, answer.present("usage") == null ? -1 : tokens(answer));
    }

    private static void head(Members object, Places places) throws UnfitAnswerException {
        AnswerReader.noError(object);
        places.id(object.string("id"));
        places.seconds(object.number("created"));
        object.array("choices");
    }

    private static long tokens(Members object) throws UnfitAnswerException {
        return object.object("usage").sum("prompt_tokens", "completion_tokens");
    }
}
