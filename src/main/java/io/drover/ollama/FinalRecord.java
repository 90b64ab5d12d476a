package io.drover.ollama;

import java.nio.charset.StandardCharsets;

/**
 * What an answer to an inference request tells of itself at its end: tokens and time. A value is -1 where the answer
 * does not say; Ollama leaves out what is zero.
 *
 * @param promptTokens tokens of the prompt
 * @param generatedTokens tokens generated
 * @param loadNanos time until a runner was there: milliseconds if the model was loaded, seconds if not
 * @param promptNanos time to read the prompt
 * @param generationNanos time to generate
 * @param totalNanos time in the backend, waiting for a slot included
 * @param done whether the answer's own end was seen: {@code "done":true} or a total duration, {@code [DONE]},
 *     {@code message_stop}, {@code response.completed}; in a {@code /v1} answer that is one object, its usage. The old
 *     {@code /api/embeddings} and transcriptions have none of these
 */
public record FinalRecord(
        long promptTokens,
        long generatedTokens,
        long loadNanos,
        long promptNanos,
        long generationNanos,
        long totalNanos,
        boolean done) {

    /** Nothing is known. */
    public static final FinalRecord UNKNOWN = new FinalRecord(-1, -1, -1, -1, -1, -1, false);

    private static final String DONE_LINE = "data: [DONE]";

    /** Time that the backend worked on it: loading, reading the prompt, generating; -1 where the answer tells none. */
    public long gpuNanos() {
        if (loadNanos < 0 && promptNanos < 0 && generationNanos < 0) {
            return -1;
        }
        return Math.max(0, loadNanos) + Math.max(0, promptNanos) + Math.max(0, generationNanos);
    }

    /** Reads the end of an answer with status 200; whatever it is, the result is never worse than {@link #UNKNOWN}. */
    public static FinalRecord parse(TailRing ring, Endpoint endpoint) {
        // A transcription may be plain text, in which a speaker could spell out a usage.
        if (!endpoint.inference() || endpoint == Endpoint.V1_TRANSCRIPTIONS) {
            return UNKNOWN;
        }
        byte[] tail = ring.toArray();
        return endpoint.family() == ApiFamily.OLLAMA ? ofLine(tail) : ofUsage(tail, endpoint);
    }

    /** Ollama's own: the members of the last line's object, or of the only one. */
    private static FinalRecord ofLine(byte[] tail) {
        int end = trimmed(tail, tail.length);
        if (end == 0 || tail[end - 1] != '}') {
            return UNKNOWN;
        }
        TailObject object = TailObject.endingAt(tail, end);
        return object.malformed() ? UNKNOWN : object.toFinalRecord();
    }

    /**
     * The others: events from the last to the first, or one object. The last usage counts ({@code /v1/completions} sends
     * one of zeros with every chunk); one that tells only half of it is completed from an earlier event.
     */
    private static FinalRecord ofUsage(byte[] tail, Endpoint endpoint) {
        long prompt = TailObject.UNKNOWN;
        long generated = TailObject.UNKNOWN;
        boolean done = false;
        int end = trimmed(tail, tail.length);
        while (end > 0 && (prompt == TailObject.UNKNOWN || generated == TailObject.UNKNOWN)) {
            if (tail[end - 1] != '}') {
                int line = lineStart(tail, end);
                done |= is(DONE_LINE, tail, line, end);
                if (!isField(tail, line, end)) {
                    break;
                }
                end = trimmed(tail, line);
                continue;
            }
            TailObject object = TailObject.endingAt(tail, end);
            if (object.malformed()) {
                break;
            }
            boolean counted = object.promptTokens() >= 0 || object.generatedTokens() >= 0;
            prompt = prompt == TailObject.UNKNOWN ? object.promptTokens() : prompt;
            generated = generated == TailObject.UNKNOWN ? object.generatedTokens() : generated;
            int line = object.whole() ? lineStart(tail, object.start()) : 0;
            boolean event = object.whole() ? is("data:", tail, line, object.start()) : endsEvent(tail);
            // Of the events of /v1/responses only the last has a usage that is not null.
            done |= object.terminator() || (counted && (!event || endpoint == Endpoint.V1_RESPONSES));
            end = event ? trimmed(tail, line) : 0;
        }
        return new FinalRecord(prompt, generated, -1, -1, -1, -1, done);
    }

    /** Whether the tail ends with an empty line, as an event does and a single object does not. */
    private static boolean endsEvent(byte[] tail) {
        int newlines = 0;
        for (int i = tail.length - 1; i >= 0 && TailObject.isSpace(tail[i]); i--) {
            newlines += tail[i] == '\n' ? 1 : 0;
        }
        return newlines >= 2;
    }

    /** Whether the line is part of an event stream: a field without an object, or a comment. */
    private static boolean isField(byte[] tail, int start, int end) {
        String line = new String(tail, start, end - start, StandardCharsets.ISO_8859_1);
        return line.startsWith(":")
                || line.startsWith("data:")
                || line.startsWith("event:")
                || line.startsWith("id:")
                || line.startsWith("retry:");
    }

    private static boolean is(String expected, byte[] tail, int start, int end) {
        return new String(tail, start, end - start, StandardCharsets.ISO_8859_1)
                .strip()
                .equals(expected);
    }

    private static int lineStart(byte[] tail, int end) {
        int start = end;
        while (start > 0 && tail[start - 1] != '\n') {
            start--;
        }
        return start;
    }

    private static int trimmed(byte[] tail, int end) {
        int last = end;
        while (last > 0 && TailObject.isSpace(tail[last - 1])) {
            last--;
        }
        return last;
    }
}
