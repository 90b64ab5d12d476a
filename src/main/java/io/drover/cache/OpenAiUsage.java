package io.drover.cache;

import java.util.List;
import java.util.Set;

/** What the forms of both of OpenAI's completions share: one choice, and a last chunk that tells the usage. */
final class OpenAiUsage {
    private OpenAiUsage() {}

    /**
     * The usage of the last chunk, which has no choice.
     *
     * @throws UnfitAnswerException if the stream was not asked for it, and so cannot be told as one object
     */
    static Slice of(List<Members> chunks) throws UnfitAnswerException {
        Members last = chunks.get(chunks.size() - 1);
        Slice usage = last.present("usage");
        if (usage == null || !usage.isObject() || !last.array("choices").isEmpty()) {
            throw new UnfitAnswerException("usage: missing");
        }
        return usage;
    }

    /** The only choice of a chunk or of an answer. */
    static Members onlyChoice(Members object, Set<String> known) throws UnfitAnswerException {
        List<Slice> choices = JsonText.elements(object.array("choices"));
        if (choices.size() != 1) {
            throw new UnfitAnswerException("choices: " + choices.size() + " (expected: 1)");
        }
        Members choice = JsonText.members(choices.get(0));
        choice.only(known);
        if (choice.count("index") != 0) {
            throw new UnfitAnswerException("index: of another choice (expected: 0)");
        }
        return choice;
    }

    /** The same stream without usage: each chunk as it is but for that member. */
    static byte[] dropped(byte[] stream) throws UnfitAnswerException {
        List<Members> chunks = Streams.events(stream, true);
        of(chunks);
        Members last = chunks.get(chunks.size() - 1);
        Draft out = new Draft();
        for (Members chunk : chunks) {
            if (chunk != last) {
                out.text("data: ").raw(chunk.without("usage")).text("\n\n");
            }
        }
        return out.text("data: [DONE]\n\n").toBytes();
    }
}
