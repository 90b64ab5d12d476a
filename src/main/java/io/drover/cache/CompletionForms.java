package io.drover.cache;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells answers of {@code /v1/completions} in other forms. */
final class CompletionForms {
    private static final Set<String> KNOWN =
            Set.of("id", "object", "created", "choices", "model", "system_fingerprint", "usage");
    private static final Set<String> CHOICE = Set.of("text", "index", "finish_reason");
    private static final String NO_USAGE = "{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}";

    private CompletionForms() {}

    static byte[] whole(byte[] stream) throws UnfitAnswerException {
        List<Members> chunks = Streams.events(stream, true);
        Slice usage = OpenAiUsage.of(chunks);
        Members first = chunks.get(0);
        Draft text = new Draft();
        Slice reason = null;
        for (Members chunk : chunks.subList(0, chunks.size() - 1)) {
            chunk.only(KNOWN);
            chunk.same("model", first);
            Members choice = OpenAiUsage.onlyChoice(chunk, CHOICE);
            if (reason != null) {
                throw new UnfitAnswerException("finish_reason: before the end");
            }
            text.join(choice.string("text"));
            reason = choice.optionalString("finish_reason");
        }
        if (reason == null) {
            throw new UnfitAnswerException("finish_reason: missing");
        }
        Draft out = new Draft().text("{\"id\":").raw(first.string("id")).text(",\"object\":\"text_completion\"");
        out.member("created", first.number("created"));
        out.members(first, List.of("model", "system_fingerprint"));
        out.text(",\"choices\":[");
        choice(out, text, reason);
        return out.text("]").member("usage", usage).text("}\n").toBytes();
    }

    static byte[] stream(byte[] whole, boolean withUsage) throws UnfitAnswerException {
        Members answer = JsonText.members(Slice.of(whole));
        answer.only(KNOWN);
        Members choice = OpenAiUsage.onlyChoice(answer, CHOICE);
        Slice usage = answer.required("usage");
        Slice none = withUsage ? Slice.of(new Draft().text(NO_USAGE).toBytes()) : null;
        Draft out = new Draft();
        if (!choice.string("text").isEmpty()) {
            Draft said = new Draft();
            choice(said, new Draft().join(choice.string("text")), null);
            chunk(out, answer, said, none);
        }
        Draft end = new Draft();
        choice(end, new Draft(), choice.string("finish_reason"));
        chunk(out, answer, end, none);
        if (withUsage) {
            chunk(out, answer, new Draft(), usage);
        }
        return out.text("data: [DONE]\n\n").toBytes();
    }

    private static void choice(Draft out, Draft text, @Nullable Slice reason) throws UnfitAnswerException {
        out.text("{\"text\":\"").raw(text).text("\",\"index\":0,\"finish_reason\":");
        if (reason == null) {
            out.text("null}");
        } else {
            out.raw(reason).text("}");
        }
    }

    private static void chunk(Draft out, Members answer, Draft choices, @Nullable Slice usage)
            throws UnfitAnswerException {
        out.text("data: {\"id\":").raw(answer.string("id")).text(",\"object\":\"text_completion\"");
        out.member("created", answer.number("created"));
        out.text(",\"choices\":[").raw(choices).text("]");
        out.members(answer, List.of("model", "system_fingerprint")).member("usage", usage);
        out.text("}\n\n");
    }
}
