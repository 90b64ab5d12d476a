package io.drover.cache;

import java.util.List;

/** Reads answers of {@code /api/generate} and {@code /api/chat}. */
final class OllamaReader {
    private final boolean chat;

    OllamaReader(boolean chat) {
        this.chat = chat;
    }

    AnswerFacts read(boolean streamed, byte[] body) throws UnfitAnswerException {
        List<Members> lines = streamed ? Streams.lines(body) : List.of(JsonText.members(Slice.of(body)));
        Places places = new Places();
        Members last = lines.get(lines.size() - 1);
        for (Members line : lines) {
            AnswerReader.noError(line);
            if (line.isTrue("done") != (line == last)) {
                throw new UnfitAnswerException("done: not at the end (expected: in the last line)");
            }
            if (line.has("remote_model") || line.has("remote_host") || line.has("_debug_info")) {
                throw new UnfitAnswerException("of a cloud model, or for debugging");
            }
            if (chat) {
                line.object("message").string("content");
            } else {
                line.string("response");
            }
            places.time(line.string("created_at"));
        }
        AnswerReader.requireEnd(last, "done_reason");
        return new AnswerFacts(places, last.sum("prompt_eval_count", "eval_count"));
    }
}
