package io.drover.cache;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells answers of {@code /v1/chat/completions} in other forms. */
final class ChatForms {
    private static final Set<String> KNOWN =
            Set.of("id", "object", "created", "model", "system_fingerprint", "choices", "usage");
    private static final Set<String> CHUNK_CHOICE = Set.of("index", "delta", "finish_reason", "logprobs");
    private static final Set<String> CHOICE = Set.of("index", "message", "finish_reason", "logprobs");
    private static final Set<String> MESSAGE = Set.of("role", "content", "reasoning", "tool_calls");
    private static final Set<String> TOOL_CALL = Set.of("id", "index", "type", "function");
    private static final Set<String> FUNCTION = Set.of("name", "arguments");
    private static final Set<String> LOGPROBS = Set.of("content");

    private ChatForms() {}

    /** What chunks say together. */
    private static final class Said {
        final Draft content = new Draft();
        final Draft reasoning = new Draft();
        final Draft toolCalls = new Draft();
        final Draft logprobs = new Draft();
        final Set<String> toolIds = new HashSet<>();

        @Nullable
        Slice reason;
    }

    static byte[] whole(byte[] stream) throws UnfitAnswerException {
        List<Members> chunks = Streams.events(stream, true);
        Slice usage = OpenAiUsage.of(chunks);
        Members first = chunks.get(0);
        Said said = new Said();
        for (Members chunk : chunks.subList(0, chunks.size() - 1)) {
            chunk.only(KNOWN);
            chunk.same("model", first);
            add(said, OpenAiUsage.onlyChoice(chunk, CHUNK_CHOICE));
        }
        Slice reason = said.reason;
        if (reason == null) {
            throw new UnfitAnswerException("finish_reason: missing");
        }
        Draft out = new Draft();
        head(out, first, "chat.completion");
        out.text(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"")
                .stringMember("content", said.content);
        if (!said.reasoning.isEmpty()) {
            out.stringMember("reasoning", said.reasoning);
        }
        out.arrayMember("tool_calls", said.toolCalls).text("}").member("finish_reason", reason);
        logprobs(out, said.logprobs);
        return out.text("}]").member("usage", usage).text("}\n").toBytes();
    }

    private static void add(Said said, Members choice) throws UnfitAnswerException {
        if (said.reason != null) {
            throw new UnfitAnswerException("finish_reason: before the end");
        }
        said.reason = choice.optionalString("finish_reason");
        Members delta = choice.object("delta");
        delta.only(MESSAGE);
        role(delta);
        said.content.join(delta.optionalString("content"));
        said.reasoning.join(delta.optionalString("reasoning"));
        Slice calls = delta.optionalArray("tool_calls");
        if (calls != null) {
            checkWhole(calls, said.toolIds);
            said.toolCalls.joinElements(calls);
        }
        said.logprobs.joinElements(logprobs(choice));
    }

    /** An older Ollama tells the role in each chunk. */
    private static void role(Members message) throws UnfitAnswerException {
        if (message.present("role") != null && !message.says("role", "assistant")) {
            throw new UnfitAnswerException("role: another (expected: assistant)");
        }
    }

    /** Ollama sends each call in one piece; elsewhere they come in fragments, which only the first has an id of. */
    private static void checkWhole(Slice calls, Set<String> ids) throws UnfitAnswerException {
        for (Slice element : JsonText.elements(calls)) {
            Members call = JsonText.members(element);
            call.only(TOOL_CALL);
            Members function = call.object("function");
            function.only(FUNCTION);
            boolean named = !function.string("name").isEmpty()
                    && function.string("arguments").isString();
            if (!named
                    || call.string("id").isEmpty()
                    || !ids.add(call.string("id").toString())) {
                throw new UnfitAnswerException("tool_calls: in fragments");
            }
        }
    }

    private static @Nullable Slice logprobs(Members choice) throws UnfitAnswerException {
        if (choice.present("logprobs") == null) {
            return null;
        }
        Members logprobs = choice.object("logprobs");
        logprobs.only(LOGPROBS);
        return logprobs.optionalArray("content");
    }

    private static void logprobs(Draft out, Draft joined) {
        if (!joined.isEmpty()) {
            out.text(",\"logprobs\":{\"content\":[").raw(joined).text("]}");
        }
    }

    /** Reasoning, then content and tool calls, in a chunk each; the reason of the end; what was counted. */
    static byte[] stream(byte[] whole, boolean withUsage) throws UnfitAnswerException {
        Members answer = JsonText.members(Slice.of(whole));
        answer.only(KNOWN);
        Slice usage = answer.required("usage");
        Members choice = OpenAiUsage.onlyChoice(answer, CHOICE);
        Members message = choice.object("message");
        message.only(MESSAGE);
        role(message);
        Slice content = message.string("content");
        Slice reasoning = message.optionalString("reasoning");
        Slice calls = message.optionalArray("tool_calls");
        if (calls != null) {
            checkWhole(calls, new HashSet<>());
        }
        Draft logprobs = new Draft().joinElements(logprobs(choice));
        Draft out = new Draft();
        if (reasoning != null && (!content.isEmpty() || calls != null)) {
            begin(out, answer);
            out.text("\"role\":\"assistant\"").member("reasoning", reasoning).text("},\"finish_reason\":null");
            logprobs(out, logprobs);
            out.text("}]}\n\n");
            begin(out, answer);
            out.text("\"content\":").raw(content).member("tool_calls", calls).text("},\"finish_reason\":null}]}\n\n");
        } else {
            begin(out, answer);
            out.text("\"role\":\"assistant\"").member("content", content).member("reasoning", reasoning);
            out.member("tool_calls", calls).text("},\"finish_reason\":null");
            logprobs(out, logprobs);
            out.text("}]}\n\n");
        }
        begin(out, answer);
        out.text("}").member("finish_reason", choice.string("finish_reason")).text("}]}\n\n");
        if (withUsage) {
            out.text("data: ");
            head(out, answer, "chat.completion.chunk");
            out.text(",\"choices\":[]").member("usage", usage).text("}\n\n");
        }
        return out.text("data: [DONE]\n\n").toBytes();
    }

    /** Up to the first member of its delta. */
    private static void begin(Draft out, Members answer) throws UnfitAnswerException {
        out.text("data: ");
        head(out, answer, "chat.completion.chunk");
        out.text(",\"choices\":[{\"index\":0,\"delta\":{");
    }

    private static void head(Draft out, Members answer, String object) throws UnfitAnswerException {
        out.text("{\"id\":").raw(answer.string("id")).text(",\"object\":\"" + object + "\"");
        out.member("created", answer.number("created")).members(answer, List.of("model", "system_fingerprint"));
    }
}
