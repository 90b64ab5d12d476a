package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells answers of {@code /api/generate} and {@code /api/chat} in the other form, their members in Ollama's order. */
final class OllamaForms {
    private static final List<String> METRICS = List.of(
            "total_duration",
            "load_duration",
            "prompt_eval_count",
            "prompt_eval_duration",
            "eval_count",
            "eval_duration");

    private static final Set<String> MESSAGE = Set.of("role", "content", "thinking", "images", "tool_calls");

    private final boolean chat;
    private final Set<String> known;
    private final Set<String> knownAtEnd;

    OllamaForms(Endpoint endpoint) {
        this.chat = endpoint == Endpoint.CHAT;
        this.known = chat
                ? Set.of("model", "created_at", "message", "done", "logprobs")
                : Set.of("model", "created_at", "response", "thinking", "done", "tool_calls", "logprobs");
        Set<String> atEnd = new HashSet<>(known);
        atEnd.add("done_reason");
        atEnd.addAll(METRICS);
        if (!chat) {
            atEnd.add("context");
        }
        this.knownAtEnd = Set.copyOf(atEnd);
    }

    /** What lines say together. */
    private static final class Said {
        final Draft content = new Draft();
        final Draft thinking = new Draft();
        final Draft images = new Draft();
        final Draft toolCalls = new Draft();
        final Draft logprobs = new Draft();

        @Nullable
        Slice role;

        boolean isNothing() {
            return content.isEmpty()
                    && thinking.isEmpty()
                    && images.isEmpty()
                    && toolCalls.isEmpty()
                    && logprobs.isEmpty();
        }
    }

    byte[] whole(byte[] stream) throws UnfitAnswerException {
        List<Members> lines = Streams.lines(stream);
        Members last = lines.get(lines.size() - 1);
        Said said = new Said();
        for (Members line : lines) {
            line.only(line == last ? knownAtEnd : known);
            line.same("model", last);
            add(said, line);
        }
        Draft out = new Draft();
        head(out, last);
        said(out, said);
        end(out, last, said);
        return out.toBytes();
    }

    /** Everything that was said in one line, and the final record. */
    byte[] stream(byte[] whole) throws UnfitAnswerException {
        Members answer = JsonText.members(Slice.of(whole));
        answer.only(knownAtEnd);
        Said said = new Said();
        add(said, answer);
        Said nothing = new Said();
        nothing.role = said.role;
        if (!chat) {
            // So that they stand where Ollama has them: in the last line.
            nothing.toolCalls.joinElements(answer.optionalArray("tool_calls"));
        }
        Draft out = new Draft();
        if (!said.isNothing()) {
            head(out, answer);
            said(out, said);
            out.text(",\"done\":false").arrayMember("logprobs", said.logprobs).text("}\n");
        }
        head(out, answer);
        said(out, nothing);
        end(out, answer, nothing);
        return out.text("\n").toBytes();
    }

    private void add(Said said, Members line) throws UnfitAnswerException {
        Members told = chat ? line.object("message") : line;
        said.content.join(told.string(chat ? "content" : "response"));
        said.thinking.join(told.optionalString("thinking"));
        said.toolCalls.joinElements(told.optionalArray("tool_calls"));
        said.logprobs.joinElements(line.optionalArray("logprobs"));
        if (chat) {
            told.only(MESSAGE);
            said.images.joinElements(told.optionalArray("images"));
            Slice role = told.string("role");
            if (said.role != null && !said.role.isSameAs(role)) {
                throw new UnfitAnswerException("role: not the same throughout");
            }
            said.role = role;
        }
    }

    private static void head(Draft out, Members line) throws UnfitAnswerException {
        out.text("{\"model\":").raw(line.string("model")).member("created_at", line.string("created_at"));
    }

    private void said(Draft out, Said said) throws UnfitAnswerException {
        if (!chat) {
            out.stringMember("response", said.content);
            if (!said.thinking.isEmpty()) {
                out.stringMember("thinking", said.thinking);
            }
            return;
        }
        Slice role = said.role;
        if (role == null) {
            throw new UnfitAnswerException("role: missing");
        }
        out.text(",\"message\":{\"role\":").raw(role).stringMember("content", said.content);
        if (!said.thinking.isEmpty()) {
            out.stringMember("thinking", said.thinking);
        }
        out.arrayMember("images", said.images)
                .arrayMember("tool_calls", said.toolCalls)
                .text("}");
    }

    private void end(Draft out, Members last, Said said) throws UnfitAnswerException {
        out.text(",\"done\":true").member("done_reason", last.get("done_reason"));
        if (chat) {
            out.arrayMember("logprobs", said.logprobs).members(last, METRICS);
        } else {
            out.member("context", last.get("context"))
                    .members(last, METRICS)
                    .arrayMember("tool_calls", said.toolCalls)
                    .arrayMember("logprobs", said.logprobs);
        }
        out.text("}");
    }
}
