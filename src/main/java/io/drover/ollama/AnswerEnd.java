package io.drover.ollama;

import io.drover.ollama.RetryClass.Verdict;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** How the text of an answer with status 200 ends, whatever HTTP says of its end. */
public enum AnswerEnd {
    /** Nothing can be said: no such answer, or one of a kind that has no end of its own. */
    UNTOLD,
    /** With its own end. */
    DONE,
    /** With an error of the backend's own: its runner died. */
    FAILED,
    /** With an error that is not, or not surely, the backend's. */
    REFUSED,
    /** Without a word: text that repeated itself, or a backend that lost its runner. */
    UNFINISHED;

    /** What Ollama's line of error is to a client of another API. */
    private static final String DATA = "data: ";

    /**
     * Reads the end of an answer that has ended in order.
     *
     * @param tail of the answer; null where it has another status, or is coded
     * @param cloud whether the model is a cloud model, whose errors are not the backend's
     */
    public static AnswerEnd of(@Nullable TailRing tail, FinalRecord record, Endpoint endpoint, boolean cloud) {
        if (tail == null || !endpoint.hasOwnEnd()) {
            return UNTOLD;
        }
        if (record.done()) {
            return DONE;
        }
        String last = lastLine(tail);
        if (!last.startsWith("{\"error\"")) {
            return UNFINISHED;
        }
        Verdict verdict = RetryClass.of(200, last.getBytes(StandardCharsets.ISO_8859_1), cloud);
        return verdict == Verdict.NEXT_BACKEND || verdict == Verdict.NEXT_BACKEND_ONCE ? FAILED : REFUSED;
    }

    private static String lastLine(TailRing tail) {
        String text = new String(tail.toArray(), StandardCharsets.ISO_8859_1).strip();
        String line = text.substring(text.lastIndexOf('\n') + 1);
        return line.startsWith(DATA) ? line.substring(DATA.length()) : line;
    }
}
