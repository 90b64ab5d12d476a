package io.drover.ollama;

import io.drover.ollama.Shape.Role;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fields that Ollama reads of a request, with the types that its Go structures give them ({@code api/types.go},
 * {@code openai/openai.go}, {@code openai/responses.go}, {@code anthropic/anthropic.go}).
 */
public final class RequestShapes {
    private static final Shape STRING = Shape.of(JsonKind.STRING);
    private static final Shape NUMBER = Shape.of(JsonKind.NUMBER);
    private static final Shape INTEGER = Shape.ofInteger();
    private static final Shape BOOLEAN = Shape.of(JsonKind.BOOLEAN);
    private static final Shape OBJECT = Shape.object();
    private static final Shape ARRAY = Shape.of(JsonKind.ARRAY);
    private static final Shape STRINGS = Shape.listOf(STRING);
    private static final Shape TEXTS = STRING.or(STRINGS);
    private static final Shape IMAGES = Shape.listOf(STRING.as(Role.IMAGE));
    private static final Shape BOUND = INTEGER.as(Role.ANSWER_BOUND);

    /** Ollama reads them into a map and takes any number for a whole one. */
    private static final Shape OPTIONS = OBJECT.as(Role.OPTIONS)
            .with(NUMBER.as(Role.NUM_CTX), "num_ctx")
            .with(NUMBER.as(Role.ANSWER_BOUND), "num_predict")
            .with(NUMBER, "num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict", "num_keep", "seed")
            .with(NUMBER, "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "temperature", "repeat_penalty")
            .with(NUMBER, "presence_penalty", "frequency_penalty")
            .with(BOOLEAN, "use_mmap")
            .with(STRINGS, "stop");

    private static final Shape TOOLS = Shape.listOf(OBJECT.with(STRING, "type")
            .with(OBJECT.with(STRING, "name", "description").with(OBJECT, "parameters"), "function"));

    private static final Shape NATIVE = OBJECT.with(STRING, "model")
            .with(STRING.or(NUMBER).as(Role.KEEP_ALIVE), "keep_alive")
            .with(OPTIONS, "options");

    private static final Shape GENERATING = NATIVE.with(BOOLEAN, "stream", "truncate", "shift", "logprobs")
            .with(BOOLEAN, "_debug_render_only")
            .with(STRING.or(OBJECT), "format")
            .with(BOOLEAN.or(STRING), "think")
            .with(INTEGER, "top_logprobs");

    private static final Map<Endpoint, Shape> SHAPES = new EnumMap<>(Map.of(
            Endpoint.GENERATE, generate(),
            Endpoint.CHAT, chat(),
            Endpoint.EMBED,
                    NATIVE.with(TEXTS, "input").with(BOOLEAN, "truncate").with(INTEGER, "dimensions"),
            Endpoint.EMBEDDINGS, NATIVE.with(STRING, "prompt"),
            Endpoint.SHOW, OBJECT.with(STRING, "model", "name"),
            Endpoint.V1_CHAT_COMPLETIONS, chatCompletions(),
            Endpoint.V1_COMPLETIONS, openAi().with(STRING, "prompt", "suffix"),
            Endpoint.V1_EMBEDDINGS, embeddings(),
            Endpoint.V1_RESPONSES, responses(),
            Endpoint.V1_MESSAGES, messages()));

    private RequestShapes() {}

    /** The body of a request to this endpoint; null where nothing is known of it. */
    public static @Nullable Shape of(Endpoint endpoint) {
        return SHAPES.get(endpoint);
    }

    private static Shape generate() {
        return GENERATING
                .with(STRING, "prompt", "suffix", "system", "template")
                .with(Shape.listOf(INTEGER), "context")
                .with(BOOLEAN, "raw")
                .with(IMAGES, "images");
    }

    private static Shape chat() {
        Shape call = OBJECT.with(STRING, "id")
                .with(OBJECT.with(INTEGER, "index").with(STRING, "name").with(OBJECT, "arguments"), "function");
        Shape message = OBJECT.as(Role.MESSAGE)
                .with(STRING, "role", "content", "thinking", "tool_name", "tool_call_id")
                .with(IMAGES, "images")
                .with(Shape.listOf(call), "tool_calls");
        return GENERATING.with(Shape.listOf(message), "messages").with(TOOLS, "tools");
    }

    private static Shape openAi() {
        return OBJECT.with(STRING, "model")
                .with(BOOLEAN, "stream")
                .with(OBJECT.with(BOOLEAN, "include_usage"), "stream_options")
                .with(BOUND, "max_tokens", "max_completion_tokens")
                .with(INTEGER, "seed")
                .with(TEXTS, "stop")
                .with(NUMBER, "temperature", "frequency_penalty", "presence_penalty", "top_p");
    }

    private static Shape chatCompletions() {
        Shape call = OBJECT.with(STRING, "id", "type").with(OBJECT.with(STRING, "name", "arguments"), "function");
        Shape message = OBJECT.as(Role.MESSAGE)
                .with(STRING, "role", "name", "reasoning", "tool_call_id")
                .with(STRING.or(Shape.listOf(part())), "content")
                .with(Shape.listOf(call), "tool_calls");
        return openAi().with(Shape.listOf(message), "messages")
                .with(TOOLS, "tools")
                .with(OBJECT.with(STRING, "type"), "response_format")
                .with(OBJECT.with(STRING, "effort"), "reasoning")
                .with(STRING, "reasoning_effort")
                .with(BOOLEAN, "logprobs")
                .with(INTEGER, "top_logprobs");
    }

    private static Shape embeddings() {
        return OBJECT.with(STRING, "model", "encoding_format")
                .with(TEXTS, "input")
                .with(INTEGER, "dimensions");
    }

    private static Shape responses() {
        Shape item = OBJECT.as(Role.MESSAGE)
                .with(STRING, "type", "role", "id", "call_id", "name", "arguments")
                .with(STRING.or(Shape.listOf(part())), "content", "output");
        return OBJECT.with(STRING, "model", "instructions", "truncation")
                .with(STRING.or(Shape.listOf(item)), "input")
                .with(BOOLEAN, "stream", "background")
                .with(BOUND, "max_output_tokens", "max_tokens", "max_completion_tokens")
                .with(NUMBER, "temperature", "top_p")
                .with(OBJECT.with(STRING, "effort", "summary"), "reasoning")
                .with(OBJECT.with(OBJECT.with(STRING, "type"), "format"), "text")
                .with(Shape.listOf(OBJECT.with(STRING, "type", "name", "description")), "tools");
    }

    private static Shape messages() {
        Shape block = part().with(STRING, "text", "thinking", "id", "name", "tool_use_id")
                .with(STRING.or(Shape.listOf(part())), "content");
        Shape message = OBJECT.as(Role.MESSAGE).with(STRING, "role").with(STRING.or(Shape.listOf(block)), "content");
        Shape tool = OBJECT.with(STRING, "type", "name", "description").with(OBJECT, "input_schema");
        return OBJECT.with(STRING, "model")
                .with(BOUND, "max_tokens")
                .with(Shape.listOf(message), "messages")
                .with(STRING.or(ARRAY), "system")
                .with(BOOLEAN, "stream")
                .with(NUMBER, "temperature", "top_p")
                .with(INTEGER, "top_k")
                .with(STRINGS, "stop_sequences")
                .with(Shape.listOf(tool), "tools")
                .with(OBJECT.with(STRING, "type", "name"), "tool_choice")
                .with(OBJECT.with(STRING, "type").with(INTEGER, "budget_tokens"), "thinking")
                .with(OBJECT, "metadata");
    }

    private static Shape part() {
        return OBJECT.as(Role.PART).with(STRING.as(Role.PART_TYPE), "type");
    }
}
