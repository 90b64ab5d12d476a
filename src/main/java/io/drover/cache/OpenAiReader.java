package io.drover.cache;

import java.util.List;

/** Reads answers of {@code /v1/chat/completions} and {@code /v1/completions}. */
final class OpenAiReader {
    private OpenAiReader() {}

    /** Only a stream that was not broken off by an error ends with {@code [DONE]}. */
    static AnswerFacts stream(byte[] body) throws UnfitAnswerException {
        List<Members> chunks = Streams.events(body, true);
        Places places = new Places();
        for (Members chunk : chunks) {
            head(chunk, places);
        }
        Members last = chunks.get(chunks.size() - 1);
        // With include_usage each chunk of /v1/completions has one, of zeros; the last stands alone.
        boolean alone = last.array("choices").isEmpty();
        requireEnd(alone && chunks.size() > 1 ? chunks.get(chunks.size() - 2) : last);
        return new AnswerFacts(places, alone && last.present("usage") != null ? tokens(last) : -1);
    }

    static AnswerFacts whole(byte[] body) throws UnfitAnswerException {
        Members answer = JsonText.members(Slice.of(body));
        Places places = new Places();
        head(answer, places);
        requireEnd(answer);
        return new AnswerFacts(places, answer.present("usage") == null ? -1 : tokens(answer));
    }

    /** Without a reason, the model repeated itself until Ollama gave up. */
    private static void requireEnd(Members object) throws UnfitAnswerException {
        List<Slice> choices = JsonText.elements(object.array("choices"));
        if (choices.isEmpty()) {
            throw new UnfitAnswerException("choices: none");
        }
        for (Slice choice : choices) {
            AnswerReader.requireEnd(JsonText.members(choice), "finish_reason");
        }
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
