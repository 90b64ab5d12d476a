package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.util.Locale;

/** Tells whole good answers from all others by their text, whatever the API. */
final class AnswerReader {
    private AnswerReader() {}

    /** @throws UnfitAnswerException if the answer must not be kept */
    static AnswerFacts read(Endpoint endpoint, Form form, String contentType, byte[] body) throws UnfitAnswerException {
        String expected = expectedType(endpoint, form);
        if (!mediaType(contentType).equals(expected)) {
            throw new UnfitAnswerException(contentType + " (expected: " + expected + ")");
        }
        boolean streamed = form != Form.WHOLE;
        return switch (endpoint) {
            case GENERATE, CHAT -> new OllamaReader(endpoint == Endpoint.CHAT).read(streamed, body);
            case V1_CHAT_COMPLETIONS, V1_COMPLETIONS -> streamed ? OpenAiReader.stream(body) : OpenAiReader.whole(body);
            case V1_RESPONSES -> streamed ? ResponsesReader.stream(body) : ResponsesReader.whole(body);
            case V1_MESSAGES -> streamed ? AnthropicReader.stream(body) : AnthropicReader.whole(body);
            case EMBED, EMBEDDINGS, V1_EMBEDDINGS -> EmbeddingReader.read(endpoint, body);
            case V1_TRANSCRIPTIONS -> transcription(body);
            default -> throw new UnfitAnswerException(endpoint + " has no answers to keep");
        };
    }

    private static String expectedType(Endpoint endpoint, Form form) throws UnfitAnswerException {
        if (form == Form.WHOLE) {
            return ContentTypes.JSON;
        }
        boolean completions = endpoint == Endpoint.V1_CHAT_COMPLETIONS || endpoint == Endpoint.V1_COMPLETIONS;
        if (!endpoint.generates() || (form == Form.STREAM_WITH_USAGE && !completions)) {
            throw new UnfitAnswerException(endpoint + " has no answer of form " + form);
        }
        return ContentTypes.of(endpoint, form);
    }

    private static String mediaType(String contentType) {
        int parameters = contentType.indexOf(';');
        String type = parameters < 0 ? contentType : contentType.substring(0, parameters);
        return type.strip().toLowerCase(Locale.ROOT);
    }

    /** {@code {"text":"..."}}; plain text tells nothing of its end. */
    private static AnswerFacts transcription(byte[] body) throws UnfitAnswerException {
        Members answer = JsonText.members(Slice.of(body));
        noError(answer);
        answer.string("text");
        return new AnswerFacts(new Places(), -1);
    }

    /** Ollama gives no reason for the end of an answer that was broken off, and these where nothing was asked. */
    static void requireEnd(Members object, String reason) throws UnfitAnswerException {
        if (object.string(reason).isEmpty() || object.says(reason, "load") || object.says(reason, "unload")) {
            throw new UnfitAnswerException(reason + ": of no whole answer");
        }
    }

    static void noError(Members object) throws UnfitAnswerException {
        if (object.present("error") != null) {
            throw new UnfitAnswerException("an error");
        }
    }
}
