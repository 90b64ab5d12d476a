package io.drover.demo;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What goes wrong with an answer, on purpose.
 *
 * @param lines lines or events of tokens that leave before it happens; kinds that strike earlier or always ignore it
 * @param path whom it strikes: {@link #INFERENCE}, {@link #EVERYTHING}, or one exact path
 */
public record Fault(Kind kind, int lines, String path) {
    /** The request header that asks for a fault in this one answer: {@code die-mid-stream:3}. */
    public static final String HEADER = "X-Sim-Fault";

    /** Strikes requests for inference only, so that probes and listings do not use it up. */
    public static final String INFERENCE = "";

    /** Strikes every request. */
    public static final String EVERYTHING = "*";

    static final Fault NONE = of(Kind.NONE);

    /** The faults. The connection stays open unless the sentence says otherwise. */
    public enum Kind {
        /** Nothing goes wrong. */
        NONE,
        /** 503 with the text of a full queue. */
        BUSY_503,
        /** 503 as while a runner loads: not the text of a full queue. */
        UNAVAILABLE_503,
        /** 500 as when a model could not be loaded. */
        ERROR_500_LOAD,
        /** 500 as when the runner died before the first token. */
        ERROR_500_RUNNER,
        /** 404 as if the model were not here. */
        MODEL_404,
        /** Closes after it has read the request. */
        DIE_BEFORE_HEAD,
        /** Resets after it has read the request. */
        RESET_BEFORE_HEAD,
        /** Reads the request and never answers. */
        STALL_BEFORE_HEAD,
        /** Sends the head and closes. */
        DIE_AFTER_HEAD,
        /** Closes in the middle of the body. */
        DIE_MID_STREAM,
        /** Resets in the middle of the body. */
        RESET_MID_STREAM,
        /** Stops sending in the middle of the body; the slot stays taken until the client leaves. */
        STALL,
        /** Announces a chunk, sends less than that and closes. */
        TRUNCATED_CHUNK,
        /** Sends a chunk size that is none and then nothing more. */
        BAD_CHUNK,
        /** Ends the stream well, without its final record. A whole answer is not touched. */
        NO_DONE,
        /** Ends the stream with a line of error; a whole answer becomes a 500. */
        ERROR_LINE,
        /** Sends 200 and nothing but a line of error; a whole answer becomes a 500. */
        ERROR_FIRST_LINE,
        /** Adds bytes after the message's end. */
        SURPLUS_BYTES,
        /** Answers 200 when it has seen the head, and reads the body afterwards. */
        EARLY_RESPONSE,
        /** Sends 102 and 103 before the head. */
        INFORMATIONAL,
        /** Sends every byte on its own. */
        SPLIT_WRITES,
        /** Adds extensions to the chunks' sizes. */
        CHUNK_EXTENSIONS,
        /** Adds trailers to a chunked body. */
        TRAILERS,
        /** Frames the body by nothing but the close. */
        CLOSE_DELIMITED,
        /** Answers as HTTP/1.0, and closes. */
        HTTP_10,
        /** Gives {@code /api/generate} a final record of about 2 MB. */
        BIG_CONTEXT;

        /** Whether it ends a body before its time. */
        boolean cutsBody() {
            return switch (this) {
                case DIE_AFTER_HEAD,
                        DIE_MID_STREAM,
                        RESET_MID_STREAM,
                        STALL,
                        TRUNCATED_CHUNK,
                        BAD_CHUNK,
                        NO_DONE,
                        ERROR_LINE,
                        ERROR_FIRST_LINE -> true;
                default -> false;
            };
        }
    }

    public Fault {
        if (lines < 0) {
            throw new IllegalArgumentException("lines: " + lines + " (expected: >= 0)");
        }
    }

    /** A fault that strikes inference, where it matters before the first line. */
    public static Fault of(Kind kind) {
        return new Fault(kind, 0, INFERENCE);
    }

    /** A fault that strikes inference once so many lines of tokens were sent. */
    public static Fault after(int lines, Kind kind) {
        return new Fault(kind, lines, INFERENCE);
    }

    /** The same for one exact path, or for {@link #EVERYTHING}. */
    public Fault on(String where) {
        return new Fault(kind, lines, where);
    }

    /**
     * Reads the header's form {@code name[:lines]}, the name in any case, with {@code -} or {@code _}.
     *
     * @throws IllegalArgumentException if there is no such fault
     */
    static Fault parse(String text) {
        String[] parts = text.trim().split(":", 2);
        String name = parts[0].toUpperCase(Locale.ROOT).replace('-', '_');
        Kind kind = Arrays.stream(Kind.values())
                .filter(k -> k.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(HEADER + ": " + text + " (expected: one of "
                        + Arrays.stream(Kind.values())
                                .map(k -> k.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))
                        + ")"));
        return after(parts.length == 1 ? 0 : Integer.parseInt(parts[1].trim()), kind);
    }

    boolean is(Kind other) {
        return kind == other;
    }

    boolean strikes(String requestPath, boolean inference) {
        return switch (path) {
            case INFERENCE -> inference;
            case EVERYTHING -> true;
            default -> path.equals(requestPath);
        };
    }
}
