package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a field at the top level of a request means to its key. The tables follow Ollama's Go structures
 * ({@code api/types.go}, {@code openai/openai.go}, {@code openai/responses.go}, {@code anthropic/anthropic.go}).
 */
enum FieldMeaning {
    /**
     * Unknown, or of a type that tells null from absent, as {@code json.RawMessage} does: with {@code format: null} a
     * thinking model is run twice.
     */
    OPAQUE,
    /** Decides the answer; null is the same as absent. */
    PLAIN,
    /** A number that Go reads as a float: however it is spelled, its value counts. */
    FLOAT,
    TEMPERATURE,
    SEED,
    /** A text; empty, it asks for nothing but the model. */
    PROMPT,
    /** A text to embed, or several. */
    INPUT,
    /** A conversation. */
    MESSAGES,
    /** Tools, of which some may be the server's own. */
    TOOLS,
    /** Ollama's {@code options}. */
    OPTIONS,
    /** Whether the answer is streamed: that is its {@link Form}. */
    STREAM,
    STREAM_OPTIONS,
    DEBUG,
    /** Decides nothing about the answer. */
    IRRELEVANT;

    private static final Map<String, FieldMeaning> NATIVE = table(PLAIN, "model")
            .and(IRRELEVANT, "keep_alive")
            .and(OPTIONS, "options")
            .fields();

    private static final Map<String, FieldMeaning> GENERATING = new Table(NATIVE)
            .and(STREAM, "stream")
            .and(DEBUG, "_debug_render_only")
            .and(PLAIN, "think", "truncate", "shift", "logprobs", "top_logprobs")
            .fields();

    private static final Map<String, FieldMeaning> OPEN_AI = table(PLAIN, "model", "max_tokens", "stop", "logprobs")
            .and(SEED, "seed")
            .and(TEMPERATURE, "temperature")
            .and(FLOAT, "top_p", "frequency_penalty", "presence_penalty")
            .and(STREAM, "stream")
            .and(STREAM_OPTIONS, "stream_options")
            .and(DEBUG, "_debug_render_only")
            // OpenAI's own words for who asks and what it notes of it.
            .and(IRRELEVANT, "user", "safety_identifier", "metadata", "store", "prompt_cache_key")
            .fields();

    private static final Map<Endpoint, Map<String, FieldMeaning>> TABLES = new EnumMap<>(Map.of(
            Endpoint.GENERATE,
                    new Table(GENERATING)
                            .and(PROMPT, "prompt")
                            .and(PLAIN, "suffix", "system", "template", "context", "raw", "images")
                            .fields(),
            Endpoint.CHAT,
                    new Table(GENERATING)
                            .and(MESSAGES, "messages")
                            .and(PLAIN, "tools")
                            .fields(),
            Endpoint.EMBED,
                    new Table(NATIVE)
                            .and(INPUT, "input")
                            .and(PLAIN, "truncate", "dimensions")
                            .fields(),
            Endpoint.EMBEDDINGS, new Table(NATIVE).and(PROMPT, "prompt").fields(),
            Endpoint.V1_CHAT_COMPLETIONS,
                    new Table(OPEN_AI)
                            .and(MESSAGES, "messages")
                            .and(PLAIN, "tools", "response_format", "reasoning", "reasoning_effort", "top_logprobs")
                            .fields(),
            Endpoint.V1_COMPLETIONS,
                    new Table(OPEN_AI)
                            .and(PROMPT, "prompt")
                            .and(PLAIN, "suffix")
                            .fields(),
            Endpoint.V1_EMBEDDINGS,
                    table(PLAIN, "model", "dimensions", "encoding_format")
                            .and(INPUT, "input")
                            .and(IRRELEVANT, "user")
                            .fields(),
            // What is asked is told again in the answer (but stream): nothing is left out.
            Endpoint.V1_RESPONSES,
                    table(PLAIN, "model", "background", "include", "instructions", "max_output_tokens", "reasoning")
                            .and(PLAIN, "text", "truncation")
                            .and(MESSAGES, "input")
                            .and(TEMPERATURE, "temperature")
                            .and(FLOAT, "top_p")
                            .and(TOOLS, "tools")
                            .and(STREAM, "stream")
                            .fields(),
            Endpoint.V1_MESSAGES,
                    table(PLAIN, "model", "max_tokens", "system", "top_k", "stop_sequences", "tool_choice", "thinking")
                            .and(PLAIN, "output_config")
                            .and(MESSAGES, "messages")
                            .and(TEMPERATURE, "temperature")
                            .and(FLOAT, "top_p")
                            .and(TOOLS, "tools")
                            .and(STREAM, "stream")
                            .and(IRRELEVANT, "metadata")
                            .fields()));

    /** The fields of a request to this endpoint, {@link #OPAQUE} those that are not there; null: it has no JSON. */
    static @Nullable Map<String, FieldMeaning> of(Endpoint endpoint) {
        return TABLES.get(endpoint);
    }

    private static Table table(FieldMeaning meaning, String... names) {
        return new Table(Map.of()).and(meaning, names);
    }

    /** Fields being listed. */
    private record Table(Map<String, FieldMeaning> fields) {
        Table and(FieldMeaning meaning, String... names) {
            Map<String, FieldMeaning> more = new HashMap<>(fields);
            for (String name : names) {
                more.put(name, meaning);
            }
            return new Table(Map.copyOf(more));
        }
    }
}
