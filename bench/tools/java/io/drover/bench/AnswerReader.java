package io.drover.bench;

import io.drover.bench.SeenAnswer.Ending;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Reads one answer and judges it by its last line. */
final class AnswerReader {
    private static final int MOST_OF_AN_ERROR = 120;

    private final int wanted;
    private final long startedNanos;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private String lastLine = "";
    private String backend = "";
    private int status;
    private long firstNanos;

    /** @param wanted the status that is right */
    AnswerReader(int wanted, long startedNanos) {
        this.wanted = wanted;
        this.startedNanos = startedNanos;
    }

    void onHead(int code, String from, long now) {
        status = code;
        backend = from;
        // An answer has begun when the client may go on with it, which it cannot with an error.
        firstNanos = code == wanted ? now : 0;
    }

    void onPayload(byte[] bytes) {
        for (byte each : bytes) {
            if (each == '\n') {
                lastLine = line.toString(StandardCharsets.UTF_8);
                line.reset();
            } else {
                line.write(each);
            }
        }
    }

    /** The body ended as HTTP ends one. */
    SeenAnswer ended(long now) {
        String last = line.size() > 0 ? line.toString(StandardCharsets.UTF_8) : lastLine;
        if (firstNanos == 0) {
            return seen(Ending.FAILED, "status " + status + ": " + shortened(last), now);
        }
        if (status != 200 || last.contains("\"done\":true")) {
            return seen(Ending.COMPLETE, "", now);
        }
        return last.startsWith("{\"error\"")
                ? seen(Ending.BROKEN, shortened(last), now)
                : seen(Ending.BROKEN_UNTOLD, "ended after: " + shortened(last), now);
    }

    /** The connection ended before the answer did, or what came was no HTTP. */
    SeenAnswer broken(String why, long now) {
        return seen(firstNanos == 0 ? Ending.FAILED : Ending.BROKEN, why, now);
    }

    SeenAnswer left(long now) {
        return seen(Ending.LEFT, "", now);
    }

    private SeenAnswer seen(Ending ending, String why, long now) {
        return new SeenAnswer(ending, startedNanos, firstNanos, now, why, backend);
    }

    private static String shortened(String text) {
        return text.length() <= MOST_OF_AN_ERROR ? text : text.substring(0, MOST_OF_AN_ERROR) + "...";
    }
}
